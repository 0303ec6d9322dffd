"""`python -m tests.faults`: one trial of the fault matrix by its seed, or many of them on all cores."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from tests.faults.faulting import KINDS
from tests.faults.matrix import Ground, draw
from tests.faults.power import lose_power
from tests.faults.scenes import SCENES
from tests.support import environment, seccomp
from tests.support.runner import Series
from tests.support.served import load

TRIALS = 2500
POWER_LOSSES = 500
_ground: Ground | None = None


def main() -> int:
    """Run what the command line asks for; 1 if a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this trial alone, and tell what happens")
    parser.add_argument("--faults", type=int, metavar="N", help="with so many faults, not what the seed says")
    parser.add_argument("--power", action="store_true", help="power losses, not the fault matrix")
    parser.add_argument("--start", type=int, default=1, metavar="N", help="from this one on")
    parser.add_argument("--count", type=int, metavar="N", help="run so many trials")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--progress", type=Path, default=Path(".faults/progress"), help="where an interrupted run goes on from")
    args = parser.parse_args()
    if not seccomp.works():
        print("error: this kernel has no seccomp notifications: nothing can be tried here", file=sys.stderr)  # noqa: T201
        return 1
    environment.become("faults")
    load()
    if args.seed is None:
        return (_many_power if args.power else _many)(args)
    _begin()
    return _tell_power(args.seed) if args.power else _tell(args.seed, args.faults)


def _many(args: argparse.Namespace) -> int:
    met = args.progress.with_name("met")
    if not args.progress.exists():
        met.unlink(missing_ok=True)
    series = Series("trial", "python -m tests.faults --seed {}".format, _begin, partial(_run, met=met))
    failed = series.many(args.start, args.count or TRIALS, args.jobs, args.progress)
    _count(met)
    return failed


def _many_power(args: argparse.Namespace) -> int:
    series = Series("power loss", "python -m tests.faults --power --seed {}".format, _begin, _run_power)
    return series.many(args.start, args.count or POWER_LOSSES, args.jobs, args.progress.with_name("power"))


def _begin() -> None:
    global _ground  # noqa: PLW0603 - one for each worker process
    _ground = Ground()
    import multiprocessing.util

    multiprocessing.util.Finalize(_ground, _ground.close, exitpriority=1)


def _run(seed: int, met: Path) -> tuple[int, str | None]:
    assert _ground is not None
    trial = draw(_ground, seed)
    why = trial.run()
    with met.open("a") as file:
        file.writelines(f"{trial.scene.name} {fault.kind}\n" for fault, _ in trial.met)
    return seed, f"{trial}: {'; '.join(why)}" if why else None


def _run_power(seed: int) -> tuple[int, str | None]:
    assert _ground is not None
    return seed, "; ".join(lose_power(_ground, seed)) or None


def _count(met: Path) -> None:
    """Say how many faults came to pass, by command and kind."""
    pairs = Counter(tuple(line.split()) for line in met.read_text().splitlines())
    print(f"{pairs.total()} faults came to pass; {' '.join(['', *KINDS])}")  # noqa: T201
    for name in SCENES:
        print(f"{name:>14} {' '.join(str(pairs[name, kind]) for kind in KINDS)}")  # noqa: T201


def _tell_power(seed: int) -> int:
    why = _run_power(seed)[1]
    print(why or "nothing is lost")  # noqa: T201
    return int(bool(why))


def _tell(seed: int, faults: int | None) -> int:
    assert _ground is not None
    trial = draw(_ground, seed, faults)
    trial.tell = print
    why = trial.run()
    print(f"{trial}: {'; '.join(why) or 'nothing is lost'}")  # noqa: T201
    return int(bool(why))


if __name__ == "__main__":
    sys.exit(main())
