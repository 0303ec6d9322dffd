"""What recording and matching cost as a store grows, in one process and in a cold one.

    python -m bench.flat [--small]

Two stores are built in the same run and asked in turn: 1,000 and 100,000 records (--small: 500 and 5,000). A third of 10,000
(--small: 2,000) is filled by `learn --batch`, indexed for the first time, and matched by cold `gitmem match` processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.common import fill, founded, in_turn, lessons, place, row, seconds
from gitmem.memory.memory import Memory
from gitmem.memory.recording.learn import learn

TIMES = 60
# Not ru_maxrss: a child inherits its parent's, and this parent has filled a store.
MEASURE = """
import sys
from gitmem import Memory
with Memory.open(sys.argv[1]) as memory:
    memory.match(sys.argv[2])
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def main() -> None:
    """Measure and print."""
    small = "--small" in sys.argv
    few, many, batch = (500, 5_000, 2_000) if small else (1_000, 100_000, 10_000)
    with place() as folder:
        _warm(folder, few, many)
        _cold(folder / "cold", batch)


def _warm(folder: Path, few: int, many: int) -> None:
    with founded(folder / "few") as a, founded(folder / "many") as b:
        for memory, count in ((a, few), (b, many)):
            fill(memory, count)
            memory.match("warm up")
        queries = [_queries(memory) for memory in (a, b)]
        fresh = [lessons(memory, TIMES, seed=2) for memory in (a, b)]
        a_learn, b_learn = in_turn([lambda: learn(a.context, next(fresh[0])), lambda: learn(b.context, next(fresh[1]))], TIMES)
        for memory in (a, b):
            memory.match("warm up")
        known = str(next(lessons(b, 1)).fields["pattern"])
        a_match, b_match = in_turn([lambda: a.match(next(queries[0])), lambda: b.match(next(queries[1]))], TIMES)
    row(f"learn at {many:,} / at {few:,} records", b_learn / a_learn, "x", "<= 1.3", f"{b_learn * 1e3:.2f} ms")
    row(f"match at {many:,} / at {few:,} records", b_match / a_match, "x", "<= 3", f"{b_match * 1e3:.2f} ms")
    if sys.platform == "linux":
        words = [sys.executable, "-c", MEASURE, str(folder / "many"), known]
        used = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout) / 1024
        row(f"memory of a match at {many:,} records", used, "MB", "<= 200")


def _queries(memory: Memory) -> Iterator[str]:
    """Texts of records that are there, with other numbers, and of others that are not."""
    for number, (known, other) in enumerate(zip(lessons(memory, TIMES), lessons(memory, TIMES, seed=3), strict=True)):
        yield str((known if number % 2 else other).fields["pattern"]).replace("line", "row")


def _cold(root: Path, count: int) -> None:
    with founded(root) as memory:
        drawn = [{**lesson.fields, "tags": lesson.sets["tags"]} for lesson in lessons(memory, count)]
    lines = "".join(json.dumps(one) + "\n" for one in drawn).encode()
    took = seconds(lambda: _gitmem(root, "learn", "--batch", "-", "--quiet", stdin=lines))
    row(f"learn --batch of {count:,}, commit included", took, "s", "<= 60")
    took = seconds(lambda: _gitmem(root, "match", "warm up"))
    row(f"first index of {count:,}", took, "s", "<= 20")
    python, match = in_turn(
        [
            lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
            lambda: _gitmem(root, "match", str(drawn[7]["pattern"])),
        ],
        15,
    )
    row(f"cold gitmem match at {count:,} / python -c pass", match / python, "x", "<= 15", f"{match * 1e3:.0f} ms")


def _gitmem(root: Path, *words: str, stdin: bytes = b"") -> None:
    subprocess.run(["gitmem", "-C", str(root), *words], input=stdin, check=True, capture_output=True)


if __name__ == "__main__":
    main()
