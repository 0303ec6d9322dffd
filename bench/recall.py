"""The quality of recall: the right rule for a shell error, beside plain full-text search, and silence for unknown ones.

    python bench/recall.py [--data DIR] [--scale]

The data are not part of the project; without them this says so. Protocol: the first output of each rule is learnt as a
pattern, the others are asked for, outputs alone. Cross-validation draws which output is learnt, and for silence which half
of the rules is. With `--scale` the cost at 1,000 and 100,000 synthetic records is measured as well (about a minute).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # also run as a file, not only as a module

from gitmem.store.index import Entry, Index  # noqa: E402
from gitmem.store.recall import Scored, recall  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEIGHTS = {"pattern": 5.0}
REPEATS = 12
THRESHOLDS = (0.0, 0.25, 0.3, 0.4, 0.5, 0.7)


@dataclass(frozen=True)
class Case:
    """One output of a failing command and the rules that explain it."""

    rule: str
    right: frozenset[str]
    output: str


@dataclass(frozen=True)
class Split:
    """What is learnt (rule -> output), what is asked, and what is asked although no rule for it is learnt."""

    learnt: dict[str, str]
    known: list[Case]
    unknown: list[Case]


def load(data: Path) -> list[Case]:
    """The cases of `shell-errors.jsonl`; none if the file is not there."""
    path = data / "shell-errors.jsonl"
    if not path.is_file():
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Case(line["rule"], frozenset([line["rule"], *line["also"]]), line["output"]) for line in lines]


def split(cases: Sequence[Case], draw: random.Random | None = None, *, half: bool = False) -> Split:
    """Learn one output a rule, the first or a drawn one, of all rules or of a drawn half."""
    rules: dict[str, list[Case]] = {}
    for case in cases:
        rules.setdefault(case.rule, []).append(case)
    names = list(rules)
    if draw and half:
        draw.shuffle(names)
        names = names[: len(names) // 2]
    chosen = {name: draw.choice(rules[name]) if draw else rules[name][0] for name in sorted(names, key=list(rules).index)}
    known = [case for name in chosen for case in rules[name] if case is not chosen[name]]
    unknown = [case for name in rules.keys() - chosen.keys() for case in rules[name] if not case.right & chosen.keys()]
    return Split({name: case.output for name, case in chosen.items()}, known, unknown)


@contextmanager
def learnt(patterns: dict[str, str]) -> Iterator[Index]:
    """An index that holds these patterns and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        index = Index.open(Path(folder) / "index.db", bytes(32))
        index.put((Entry(rule, "pattern", "team", rule, fields={"pattern": text}) for rule, text in patterns.items()), WEIGHTS)
        try:
            yield index
        finally:
            index.close()


def ask(index: Index, text: str) -> list[Scored]:
    """The first five answers."""
    return recall(index, text, 5, {}, NOW)


def hits(case: Case, answers: Sequence[str]) -> tuple[bool, bool]:
    """Whether the right rule comes first, and whether it is among the first five."""
    return bool(answers) and answers[0] in case.right, any(rule in case.right for rule in answers[:5])


def share(results: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """Right first and right in the first five, as shares."""
    count = max(1, len(results))
    return sum(first for first, _ in results) / count, sum(five for _, five in results) / count


def ours(cases: Split) -> tuple[float, float]:
    """Right first and in five of `recall`."""
    with learnt(cases.learnt) as index:
        return share([hits(case, [one.entry.id for one in ask(index, case.output)]) for case in cases.known])


def bm25(cases: Split) -> tuple[float, float]:
    """The same of FTS5 with its unicode61 tokenizer and BM25, asked for any of the words."""
    import apsw

    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize='unicode61')")
    rules = list(cases.learnt)
    connection.executemany("INSERT INTO texts (text) VALUES (?)", [(cases.learnt[rule],) for rule in rules])
    results = []
    for case in cases.known:
        words = " OR ".join(f'"{word}"' for word in re.findall(r"[^\W_]+", case.output))
        rows = connection.execute("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 5", (words,))
        results.append(hits(case, [rules[number - 1] for (number,) in rows]))
    return share(results)


def silence(cases: Sequence[Case], repeats: int = REPEATS) -> list[tuple[float, float, float, float]]:
    """(score from which answers count, right first, right in five, unknown errors answered), half of the rules learnt."""
    known: list[tuple[Case, list[Scored]]] = []
    unknown: list[list[Scored]] = []
    draw = random.Random(2)
    for _ in range(repeats):
        drawn = split(cases, draw, half=True)
        with learnt(drawn.learnt) as index:
            known += [(case, ask(index, case.output)) for case in drawn.known]
            unknown += [ask(index, case.output) for case in drawn.unknown]
    rows = []
    for least in THRESHOLDS:
        right = share([hits(case, _from(least, answers)) for case, answers in known])
        rows.append((least, *right, sum(bool(_from(least, answers)) for answers in unknown) / len(unknown)))
    return rows


def _from(least: float, answers: list[Scored]) -> list[str]:
    return [one.entry.id for one in answers] if answers and answers[0].score >= least else []


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure recall")
    parser.add_argument("--data", type=Path, default=DATA, help="where shell-errors.jsonl lies")
    parser.add_argument("--scale", action="store_true", help="also measure the cost at 1,000 and 100,000 records")
    arguments = parser.parse_args()
    cases = load(arguments.data)
    if cases:
        report(cases)
    else:
        print(f"recall quality: skipped, there is no shell-errors.jsonl in {arguments.data}")
    if arguments.scale:
        from bench.recall_scale import main as scale

        scale()


def report(cases: Sequence[Case]) -> None:
    """Print what `load` gave, measured."""
    plain = split(cases)
    print(f"{'':34}right first  in five   ({len(plain.known)} queries, {len(plain.learnt)} rules)")
    for name, result in (("FTS5 unicode61, BM25", bm25(plain)), ("gitmem", ours(plain))):
        print(f"{name:34}{result[0]:11.3f}{result[1]:9.3f}")
    draw = random.Random(1)
    drawn = [split(cases, draw) for _ in range(REPEATS)]
    for name, measure in (("FTS5, learnt output drawn", bm25), ("gitmem, learnt output drawn", ours)):
        results = [measure(one) for one in drawn]
        means = [sum(result[part] for result in results) / REPEATS for part in (0, 1)]
        least = [min(result[part] for result in results) for part in (0, 1)]
        print(f"{name:34}{means[0]:11.3f}{means[1]:9.3f}   (mean of {REPEATS}; least {least[0]:.3f} {least[1]:.3f})")
    print("\nhalf of the rules learnt: answers from a score on; unknown errors answered are false answers")
    for least_score, first, five, false in silence(cases):
        print(f"  score >= {least_score:.2f}{first:22.3f}{five:9.3f}   false {false:.3f}")


if __name__ == "__main__":
    main()
