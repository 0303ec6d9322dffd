"""Put each fault of `targets.py` into a copy of the package and see that a test fails.

    python -m tests.mutation [WORD]        only those mutants whose name holds WORD

Ends with 1 if a mutant that is not explained goes unnoticed, or an explained one is noticed or gone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant
from tests.mutation.targets import EXPLAINED, TARGETS, Target
from tests.mutation.trial import copied, noticed, passes

WORKERS = 2


def main() -> int:
    """Try all of them, on two cores."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    todo = [(target, mutant) for target in TARGETS for mutant in target.mutants() if word in mutant.name]
    start, wrong = time.monotonic(), 0
    for mutant, killed in _tried(todo):
        reason = EXPLAINED.get(mutant.name)
        if killed is (reason is not None):
            wrong += 1
            _say(f"{'noticed, but explained as no fault' if killed else 'NOT NOTICED'}: {mutant.name}")
    gone = EXPLAINED.keys() - {mutant.name for target in TARGETS for mutant in target.mutants()}
    for name in gone:
        _say(f"explained, but gone: {name}")
    explained = sum(mutant.name in EXPLAINED for _, mutant in todo)
    _say(f"{len(todo)} mutants, {explained} explained, {wrong} wrong, {time.monotonic() - start:.0f} s")
    return 1 if wrong or gone else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tried(todo: list[tuple[Target, Mutant]]) -> Iterator[tuple[Mutant, bool]]:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        places: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            places.put(copied(Path(folder) / str(number)))
        whole = places.get()
        for target in {target for target, _ in todo}:
            assert passes(whole, target.tests), f"the tests of {target.file} fail without any mutant"
        places.put(whole)

        def trial(one: tuple[Target, Mutant]) -> tuple[Mutant, bool]:
            place = places.get()
            try:
                return one[1], noticed(place, *one)
            finally:
                places.put(place)

        yield from pool.map(trial, todo)


if __name__ == "__main__":
    sys.exit(main())
