"""`python -m tests.faults`: one trial of the fault matrix by its seed, or many of them on all cores."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.faults.matrix import Ground, draw
from tests.support import environment, seccomp
from tests.support.runner import Series
from tests.support.served import load

_ground: Ground | None = None


def main() -> int:
    """Run what the command line asks for; 1 if a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this trial alone, and tell what happens")
    parser.add_argument("--faults", type=int, metavar="N", help="with so many faults, not what the seed says")
    parser.add_argument("--start", type=int, default=1, metavar="N", help="run the trials from N on")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="run the trials 1 to N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--progress", type=Path, default=Path(".faults/progress"), help="where an interrupted run goes on from")
    args = parser.parse_args()
    if not seccomp.works():
        print("error: this kernel has no seccomp notifications: nothing can be tried here", file=sys.stderr)  # noqa: T201
        return 1
    environment.become("faults")
    load()
    if args.seed is None:
        return Series("trial", _command, _begin, _run).many(args.start, args.count, args.jobs, args.progress)
    _begin()
    return _tell(args.seed, args.faults)


def _command(seed: int) -> str:
    return f"python -m tests.faults --seed {seed}"


def _begin() -> None:
    global _ground  # noqa: PLW0603 - one for each worker process
    _ground = Ground()
    import multiprocessing.util

    multiprocessing.util.Finalize(_ground, _ground.close, exitpriority=1)


def _run(seed: int) -> tuple[int, str | None]:
    assert _ground is not None
    trial = draw(_ground, seed)
    why = trial.run()
    return seed, f"{trial}: {'; '.join(why)}" if why else None


def _tell(seed: int, faults: int | None) -> int:
    assert _ground is not None
    trial = draw(_ground, seed, faults)
    trial.tell = print
    why = trial.run()
    print(f"{trial}: {'; '.join(why) or 'nothing is lost'}")  # noqa: T201
    return int(bool(why))


if __name__ == "__main__":
    sys.exit(main())
