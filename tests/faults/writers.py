"""Run by the tests: many processes that write to one store at once, forked from one warm interpreter.

    python writers.py STORE PROCESSES TIMES SHARED_ID...

Each process opens the store for itself, and then TIMES times tries a shared record and learns one: its own, or (every other
time) one that all of them learn. The exit code is the number of processes that failed.
"""

from __future__ import annotations

import os
import sys
import traceback

import gitmem.crypto.lookup
import gitmem.memory.recording.counting
import gitmem.memory.recording.learn
import gitmem.store.store  # noqa: F401 - what a writer needs is loaded once, before the fork
from gitmem.memory.memory import Memory


def _write(store: str, number: int, times: int, shared: list[str]) -> None:
    with Memory.open(store) as memory:
        for turn in range(times):
            memory.used(shared[turn % len(shared)], fixed=turn % 2 == 0, ms=turn)
            name = f"error E{turn} of everybody" if turn % 2 else f"error E{turn} of {number}"
            memory.learn("pattern", {"pattern": name, "fix": "restart it"})


def main() -> int:
    """Start them all, wait for all."""
    store, processes, times, *shared = sys.argv[1:]
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child == 0:
            try:
                _write(store, number, int(times), shared)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main())
