"""The quality of redaction: secrets caught in generated errors, ordinary log lines left alone, and what it costs.

    python -m bench.redact [--data DIR]

Recall counts a secret as caught if no eight characters in a row of it are left. Precision is judged without our rules: by the
true templates of the logs. What was replaced must lie where the template has a variable, and that value must hold an address,
a home directory, or a name where the template speaks of a user; else the line counts as wrongly changed.
"""

from __future__ import annotations

import argparse
import gzip
import ipaddress
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from bench.common import in_turn, row
from bench.redact_corpus import NAMED, TOKENS, Case, cases
from bench.redact_held_back import BARE, BESIDE, LATER, held_back
from gitmem.core.redacting.placeholder import PLACEHOLDER
from gitmem.core.redacting.redact import DEFAULT, Redactor
from gitmem.memory.privacy.detectors import more_secrets

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_PIECE = 8
_USER_WORDS = re.compile(r"(?:user|for|user=|ruser=|logname=)\s*$")


def redacted(text: str) -> str:
    """As `learn` redacts it."""
    return Redactor(DEFAULT, also=more_secrets).redact(text).text


def own(text: str) -> str:
    """By our own rules alone."""
    return Redactor(DEFAULT).redact(text).text


def peer(text: str) -> str:
    """With detect-secrets alone, all its plugins: what it names is cut out wherever it stands."""
    for line in text.split("\n"):
        for plugin in _plugins():
            for found in plugin.analyze_line(filename="log", line=line, line_number=1):
                if found.secret_value:
                    text = text.replace(found.secret_value, "<secret>")
    return text


@cache
def _plugins() -> list[Any]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    return [make() for make in plugins.values()]


def is_caught(case: Case, after: str) -> bool:
    """Whether nothing of the secret is left that would help to guess it."""
    length = min(_PIECE, len(case.secret))
    return not any(case.secret[at : at + length] in after for at in range(len(case.secret) - length + 1))


def recall(some: list[Case], change: Callable[[str], str]) -> tuple[float, dict[str, float]]:
    """The share of secrets caught, and of each format that is not always caught."""
    results: dict[str, list[bool]] = defaultdict(list)
    for case in some:
        results[case.format].append(is_caught(case, change(case.text)))
    every = [caught for of_format in results.values() for caught in of_format]
    missed = {name: sum(found) / len(found) for name, found in results.items() if not all(found)}
    return sum(every) / len(every), missed


def is_wrong(line: str, template: str, after: str) -> bool:
    """Whether a line of a log was changed although what was replaced is nothing personal."""
    variables = list(_variables(line, template))
    return any(not _is_personal(line, start, end, variables) for start, end in _replaced(line, after))


def _replaced(line: str, after: str) -> Iterator[tuple[int, int]]:
    """The parts of the line that placeholders stand for."""
    kept = [re.escape(piece) for piece in PLACEHOLDER.split(after)[::2]]
    match = re.fullmatch("(.+?)".join(kept), line, re.DOTALL)
    assert match, line
    yield from (match.span(number) for number in range(1, len(kept)))


def _variables(line: str, template: str) -> Iterator[tuple[int, int]]:
    """Where the template's variables stand in the line; the whole line where the template does not fit it."""
    fixed = [re.escape(piece) for piece in template.split("<*>")]
    match = re.fullmatch("(.*?)".join(fixed), line, re.DOTALL)
    if match is None:
        yield 0, len(line)
        return
    yield from (match.span(number) for number in range(1, len(fixed)))


def _is_personal(line: str, start: int, end: int, variables: Iterable[tuple[int, int]]) -> bool:
    """Whether a part of the line is an address, a home directory, or a name where the line speaks of a user."""
    part = line[start:end]
    if re.match(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)", part) or re.fullmatch(r"[^@\s]+@[^@\s]+\.[A-Za-z]+", part):
        return True
    if not any(first <= start and end <= last for first, last in variables):
        return False
    try:
        return not ipaddress.ip_address(part).is_loopback
    except ValueError:
        return _USER_WORDS.search(line[:start]) is not None and part.isprintable() and " " not in part


def logs(data: Path) -> dict[str, list[dict[str, str]]]:
    """The lines of each log with their templates; nothing if the data are not there."""
    files = sorted((data / "logs").glob("*.jsonl.gz"))
    return {
        file.name.partition(".")[0]: [json.loads(line) for line in gzip.open(file, "rt", encoding="utf-8")] for file in files
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure redaction")
    parser.add_argument("--data", type=Path, default=DATA, help="where logs/ lies")
    parser.add_argument("--times", type=int, default=2, help="how often each format is drawn for each text")
    arguments = parser.parse_args()
    report_recall(list(cases(7, arguments.times)))
    report_held_back(arguments.times)
    known = logs(arguments.data)
    if not known:
        print(f"precision: skipped, there are no logs in {arguments.data}")
    for name, lines in known.items():
        report_precision(name, lines)
    if known:
        report_cost([line["line"] for lines in known.values() for line in lines])


def report_recall(some: list[Case]) -> None:
    """Print what is caught of the generated corpus."""
    print(f"{len(some)} texts with secrets of {len(TOKENS) + len(NAMED) + 1} formats")
    caught, missed = recall(some, redacted)
    row("recall", caught * 100, "%", ">= 98")
    row("  our rules alone", recall(some, own)[0] * 100, "%", "-")
    row("  detect-secrets alone", recall(some, peer)[0] * 100, "%", "-")
    for name, share in sorted(missed.items(), key=lambda one: one[1]):
        print(f"    {name}: {share:.0%}")


def report_held_back(times: int) -> None:
    """Print what is caught of formats that the rules are not tuned on."""
    some = list(held_back(11, times))
    caught, missed = recall(some, redacted)
    later = [case for case in some if case.format in LATER]
    print(f"{len(some)} texts with secrets of {len(BARE) + len(LATER) + len(BESIDE)} formats held back")
    row("recall", caught * 100, "%", ">= 98")
    row(f"  of the {len(LATER)} drawn up last", recall(later, redacted)[0] * 100, "%", ">= 98")
    for name, share in sorted(missed.items(), key=lambda one: one[1]):
        print(f"    {name}: {share:.0%}")


def report_precision(name: str, lines: list[dict[str, str]]) -> None:
    """Print how many lines of one log are changed, and how many of them wrongly."""
    after = [redacted(line["line"]) for line in lines]
    wrong = [line["line"] for line, done in zip(lines, after, strict=True) if is_wrong(line["line"], line["template"], done)]
    changed = sum(line["line"] != done for line, done in zip(lines, after, strict=True))
    peers = sum(peer(line["line"]) != line["line"] for line in lines)
    note = f"{changed} of {len(lines)} lines changed; by detect-secrets {peers}"
    row(f"{name}: lines changed wrongly", len(wrong) / len(lines) * 100, "%", "<= 1", note)
    for line in wrong[:3]:
        print(f"    {line[:160]}")


def report_cost(lines: list[str]) -> None:
    """Print what a line costs, beside detect-secrets and beside the masking that each learnt and asked text goes through."""
    from gitmem.core.recall.mask import mask

    text = "\n".join(lines)
    mine, masks = in_turn([lambda: redacted(text), lambda: mask(text)], 3)
    (peers,) = in_turn([lambda: peer("\n".join(lines[::20]))], 3)
    row(
        "cost of a line, detect-secrets alone",
        peers * 20 / mine,
        "x",
        "> 1",
        f"{mine / len(lines) * 1e6:.0f} us a line of ours",
    )
    row("cost beside masking for a match", mine / masks, "x", "-")


if __name__ == "__main__":
    main()
