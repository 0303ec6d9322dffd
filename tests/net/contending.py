"""Run by the tests: many processes that use, learn and sync at once, forked from one warm interpreter.

    python contending.py ROUNDS SHARED_ID CLONE...

There is one process for each CLONE, which may be named several times. The attempts of all syncs are printed as JSON; the exit
code is the number of processes that failed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback

import gitmem.crypto.lookup
import gitmem.memory.recording.counting
import gitmem.memory.recording.learn
import gitmem.memory.syncing.sync
import gitmem.store.store  # noqa: F401 - what all need is loaded once, before the fork
from gitmem.memory.memory import Memory


def _work(clone: str, number: int, rounds: int, shared: str) -> list[int]:
    attempts = []
    with Memory.open(clone) as memory:
        for turn in range(rounds):
            memory.used(shared, fixed=True)
            memory.learn("note", {"type": "semantic", "text": f"{number}.{turn}"})
            report = memory.sync()
            assert report.problems == [], report.problems
            attempts.append(report.attempts)
    return attempts


def main() -> int:
    """Start them all, wait for all."""
    rounds, shared, *clones = sys.argv[1:]
    out = tempfile.TemporaryFile()  # noqa: SIM115 - shared with the children, which append whole lines to it
    children = []
    for number, clone in enumerate(clones):
        child = os.fork()
        if child == 0:
            try:
                os.write(out.fileno(), (json.dumps(_work(clone, number, int(rounds), shared)) + "\n").encode())
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    out.seek(0)
    json.dump([attempts for line in out for attempts in json.loads(line)], sys.stdout)
    return failed


if __name__ == "__main__":
    sys.exit(main())
