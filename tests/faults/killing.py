"""Run by the tests: a process that writes to a store and is killed, again and again.

    python killing.py STORE OTHER ROUNDS SEED SHARED_ID...

Each round forks a writer from this warm interpreter and kills it (SIGKILL) at a random moment, every third time together with
the git commands it started. Between rounds somebody uses the clone OTHER (`-`: there is none) and syncs. The writer says over
a pipe what it begins and what has returned; all of that is printed as JSON at the end. How long a commit takes on this machine
is measured first, so that kills fall evenly into one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import gitmem.crypto.lookup
import gitmem.memory.committing.commit
import gitmem.memory.recording.counting
import gitmem.memory.recording.learn
import gitmem.store.store  # noqa: F401 - loaded once, before the forks
from gitmem.memory.memory import Memory


def _write(store: str, seed: int, shared: list[str], pipe: int) -> None:
    rng = random.Random(seed)
    with Memory.open(store) as memory:
        for turn in range(10_000):
            _step(memory, rng, f"{seed}.{turn}", shared, pipe)


def _step(memory: Memory, rng: random.Random, name: str, shared: list[str], pipe: int) -> None:
    what = rng.choices(["used", "learn", "edit", "commit", "sync"], [5, 3, 2, 2, 2])[0]
    record = rng.choice(shared)
    _tell(pipe, "begun", what, record, name)
    if what == "used":
        memory.used(record, fixed=True)
    elif what == "learn":
        memory.learn("pattern", {"pattern": f"error {name}", "fix": f"fix {name}"})
    elif what == "edit":
        memory.edit(record, {"context": name})
    elif what == "commit":
        memory.commit()
    else:
        memory.sync()
    _tell(pipe, "done", what, record, name)


def _tell(pipe: int, *words: str) -> None:
    os.write(pipe, (" ".join(words) + "\n").encode())  # less than PIPE_BUF: whole or not at all


def _round(store: str, rng: random.Random, shared: list[str], with_git: bool, commit_takes: float) -> list[list[str]]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)
            _write(store, rng.randrange(1 << 30), shared, writer)
        finally:
            os._exit(1)  # only an error ends a writer by itself
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = [pipe.readline().decode().split() for _ in range(rng.randrange(1, 40))]
        time.sleep(rng.uniform(0, 1.5 * commit_takes if lines[-1][1] in ("commit", "sync") else 0.002))
        (os.killpg if with_git else os.kill)(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        lines += [line.split() for line in pipe.read().decode().splitlines()]
    if not os.WIFSIGNALED(status):
        sys.exit(f"the writer failed by itself after {lines[-1:]}")
    return lines


def _time_of_a_commit(store: str) -> float:
    with Memory.open(store) as memory:
        memory.learn("pattern", {"pattern": "the first error", "fix": "restart"})
        start = time.perf_counter()
        memory.commit()
        return time.perf_counter() - start


def _meanwhile(store: str, name: str, record: str) -> list[list[str]]:
    with Memory.open(store) as memory:
        memory.used(record, fixed=True)
        memory.learn("pattern", {"pattern": f"error {name}", "fix": f"fix {name}"})
        memory.sync()
    return [[when, what, record, name] for when in ("begun", "done") for what in ("used", "learn")]


def _remove_stale_locks(store: str) -> None:
    """A killed git leaves its lock files, which whoever restarts git has to remove; `with_git` rounds need it."""
    for lock in Path(store, ".git").rglob("*.lock"):
        lock.unlink()


def main() -> None:
    """Run the rounds and print the tally."""
    store, other, rounds, seed, *shared = sys.argv[1:]
    rng = random.Random(int(seed))
    told: list[list[str]] = []
    commit_takes = _time_of_a_commit(store)
    for number in range(int(rounds)):
        with_git = number % 3 == 2
        told += _round(store, rng, shared, with_git, commit_takes)
        if with_git:
            _remove_stale_locks(store)
        if other != "-":
            told += _meanwhile(other, f"other.{number}", rng.choice(shared))
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
