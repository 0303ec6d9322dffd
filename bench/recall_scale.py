"""What the index costs as it grows: a warm match, a put and the memory at 1,000 and 100,000 records, as ratios of one run.

    python -m bench.recall_scale [RECORDS…]

The records are synthetic and behave like real ones: half of their words are the boilerplate of error messages at its
measured rates, the others follow Zipf's law over 40,000 invented names, and arguments are paths, numbers and addresses.
"""

from __future__ import annotations

import bisect
import itertools
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gitmem.core.recall.background import RATES
from gitmem.store.index import Entry, Index
from gitmem.store.recall import recall

SIZES = (1_000, 100_000)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEIGHTS = {"pattern": 5.0, "meaning": 3.0, "fix": 3.0, "tags": 4.0}
QUERIES = 100
PUTS = 400
SYLLABLES = "ba ce di fo gu ka le mi no pu ra se ti vo zu bra cle dri flo gru sta pre tri ono exa lum ner tor vex"
Template = tuple[str, list[list[str]]]


class Synthetic:
    """A source of error texts; the same seed gives the same ones."""

    COMMON = tuple(RATES)
    COMMON_SUMS = tuple(itertools.accumulate(RATES.values()))

    def __init__(self, seed: int) -> None:
        """The names are the same for every seed."""
        self.random = random.Random(seed)
        draw = random.Random(1)
        names = {"".join(draw.choices(SYLLABLES.split(), k=draw.randint(2, 4))) for _ in range(90_000)}
        self.names = draw.sample(sorted(names), 40_000)
        self.sums = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(self.names))))

    def name(self) -> str:
        """A rare word."""
        return self.names[bisect.bisect(self.sums, self.random.random() * self.sums[-1]) % len(self.names)]

    def common(self) -> str:
        """A word of boilerplate."""
        at = bisect.bisect(self.COMMON_SUMS, self.random.random() * self.COMMON_SUMS[-1])
        return self.COMMON[at % len(self.COMMON)]

    def template(self) -> Template:
        """An error without its arguments."""
        head = self.random.choice(["error: ", "fatal: ", f"{self.name()}: ", f"{self.name()}: error: ", ""])
        return head, [self._line() for _ in range(self.random.choice([1, 1, 1, 2, 3, 6]))]

    def fill(self, template: Template) -> str:
        """An error of that template, with arguments of its own."""
        head, lines = template
        return head + "\n".join(" ".join(word or self._argument() for word in line) for line in lines)

    def text(self, count: int) -> str:
        """Prose of that many words."""
        return " ".join(self.common() if self.random.random() < 0.7 else self.name() for _ in range(count))

    def entry(self, number: int, template: Template) -> Entry:
        """A pattern record that has learnt an error of that template."""
        fields = {"pattern": self.fill(template), "meaning": self.text(10), "fix": self.text(12)}
        last = {"changed": f"2025-{number % 12 + 1:02}-01T00:00:00Z"}
        usage = {"fixed": self.random.randint(0, 9)}
        path = f"memory/team/pattern/{number}.yaml"
        return Entry(f"p-{number:020}", "pattern", "team", path, True, 0, fields, {"tags": [self.name()]}, usage, last)

    def _line(self) -> list[str]:
        kinds = self.random.choices(["common", "name", ""], [0.62, 0.23, 0.15], k=self.random.randint(5, 12))
        return [self.common() if kind == "common" else self.name() if kind else "" for kind in kinds]

    def _argument(self) -> str:
        number = self.random.randint(1, 9999)
        return self.random.choice(
            [f"/{self.name()}/{self.name()}", f"'{self.name()}'", f"{number}", f"10.0.{number % 256}.1:80"]
        )


def build(path: Path, size: int) -> tuple[Index, list[Template], float]:
    """An index of that many records, some of their templates, and the seconds it took to fill it."""
    index, source, kept, seconds = Index.open(path, bytes(32)), Synthetic(5), [], 0.0
    for start in range(0, size, 500):
        templates = [source.template() for _ in range(min(500, size - start))]
        kept += templates[: max(1, QUERIES * 500 // size)]
        entries = [source.entry(start + offset, template) for offset, template in enumerate(templates)]
        began = time.perf_counter()
        index.put(entries, WEIGHTS)
        seconds += time.perf_counter() - began
    return index, kept, seconds


def measure(index: Index, templates: list[Template], size: int) -> tuple[float, float]:
    """CPU seconds of one warm match and of one put."""
    source = Synthetic(size)
    texts = [source.fill(template) for template in templates[:QUERIES]]
    new = [source.entry(10**9 + number, source.template()) for number in range(2 * PUTS)]
    for text in texts[:10]:
        recall(index, text, 5, {}, NOW)
    began = time.process_time()
    for text in texts:
        recall(index, text, 5, {}, NOW)
    match = (time.process_time() - began) / len(texts)
    for entry in new[:PUTS]:
        index.put([entry], WEIGHTS)
    began = time.process_time()
    for entry in new[PUTS:]:
        index.put([entry], WEIGHTS)
    return match, (time.process_time() - began) / PUTS


def main() -> None:
    """Measure and print."""
    sizes = [int(size) for size in sys.argv[1:] if size.isdigit()] or SIZES
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            index, templates, seconds = build(Path(folder) / f"{size}.db", size)
            match, put = measure(index, templates, size)
            index.close()
            results.append((match, put))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
            print(
                f"{size:>9,} records: match {match * 1000:6.2f} ms  put {put * 1000:5.2f} ms  "
                f"filled in {seconds:6.1f} s  resident {memory:4.0f} MiB",
                flush=True,
            )
    first, last = results[0], results[-1]
    print(f"last / first: match {last[0] / first[0]:.2f} (at most 3)  put {last[1] / first[1]:.2f} (at most 1.3)")


if __name__ == "__main__":
    main()
