"""What telling what would be pruned costs: `prune --dry-run` of 100,000 records with an index that is up to date.

    python -m bench.prune [RECORDS]

The records are synthetic, tried and matched at random; the index is filled as a store's is, and no record file is read.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.common import founded, place, seconds
from gitmem.memory.catchup import current_index
from gitmem.memory.upkeep.prune import prune
from gitmem.store.index import Entry

RECORDS = 100_000
WANTED = 5.0  # seconds
_WEIGHTS = {"pattern": 5.0}
_AT_ONCE = 1000


def entries(count: int) -> Iterator[Entry]:
    """Patterns of the last year."""
    draw, now = random.Random(1), datetime.now(UTC)
    for number in range(count):
        fixed, failed = draw.choices([0, 1, 3, 9], k=2)
        usage = {"matched": draw.randrange(100), "fixed": fixed, "failed": failed}
        last = {
            name: f"{now - timedelta(days=draw.randrange(365)):%Y-%m-%dT%H:%M:%SZ}" for name in ("changed", "matched", "used")
        }
        record = f"p-{number:026}"
        path = f"memory/team/pattern/{record[2:4]}/{record}.yaml"
        yield Entry(record, "pattern", "team", path, fields={"pattern": f"error {number}"}, usage=usage, last=last)


def main(count: int = RECORDS) -> int:
    """Fill, ask, and say how long it took; 1 if that is too long."""
    with place() as folder, founded(Path(folder) / "store") as memory:
        index, start = current_index(memory.context), time.perf_counter()
        some: list[Entry] = []
        for entry in entries(count):
            some.append(entry)
            if len(some) == _AT_ONCE:
                index.put(some, _WEIGHTS)
                some.clear()
        index.put(some, _WEIGHTS)
        print(f"filled with {count:,} records in {time.perf_counter() - start:.0f} s")
        took = min(seconds(lambda: prune(memory.context, dry_run=True)) for _ in range(3))
        found = prune(memory.context, dry_run=True)
    print(f"prune --dry-run of {count:,} records: {took:.2f} s (wanted: {WANTED} s)")
    print(f"{len(found.records):,} would go: {found.by_reason}")
    return int(took > WANTED)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
