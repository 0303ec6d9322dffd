"""Many trials by number on all cores, each told by one command; an interrupted run goes on where it stopped."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Series:
    """Trials called `noun`, each `run` by its number in a worker that has `begun`; `command` runs one of them alone.

    `run` gives the number and why the trial failed, None if it did not. It and `begin` are functions of a module, which other
    processes can import.
    """

    noun: str
    command: Callable[[int], str]
    begin: Callable[[], None]
    run: Callable[[int], tuple[int, str | None]]

    def many(self, start: int, count: int, jobs: int, progress: Path) -> int:
        """Run `count` trials, from the number `start` on, going on where an interrupted run stopped; 1 if any failed."""
        last = start + count - 1
        progress.parent.mkdir(parents=True, exist_ok=True)
        done, failed = _resume(progress, start)
        began, first = time.monotonic(), done
        if done > start:
            print(f"going on after {self.noun} {done - 1}")  # noqa: T201
        with multiprocessing.Pool(jobs, self.begin, maxtasksperchild=None) as pool:
            for number, why in pool.imap(self.run, range(done, last + 1)):
                if why is not None:
                    failed.append(number)
                    print(f"{self.noun} {number} failed: {why}\n    {self.command(number)}", flush=True)  # noqa: T201
                progress.write_text(f"{number + 1} {' '.join(map(str, failed))}\n")
                if number % 100 == 0:
                    pace = (time.monotonic() - began) / (number + 1 - first)
                    print(f"{number} of {last}, {len(failed)} failed, {pace:.2f} s each", flush=True)  # noqa: T201
            pool.close()
            pool.join()
        progress.unlink(missing_ok=True)
        told = f": {' '.join(map(str, failed))}" if failed else ""
        print(f"{self.noun} {start} to {last}: {len(failed)} failed{told}")  # noqa: T201
        return int(bool(failed))


def _resume(progress: Path, start: int) -> tuple[int, list[int]]:
    try:
        words = [int(word) for word in progress.read_text().split()]
    except FileNotFoundError:
        return start, []
    return (words[0], words[1:]) if words and words[0] >= start else (start, [])
