"""`python -m tests.sim`: one history by its seed, or many of them on all cores."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from tests.sim.history import History, Templates
from tests.sim.runner import many, shrink
from tests.support import environment


def main() -> int:
    """Run what the command line asks for; 1 if a history failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this history alone")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what happens")
    parser.add_argument("--actions", type=int, metavar="K", help="its first K actions only")
    parser.add_argument("--skip", default="", metavar="I,J", help="without these actions")
    parser.add_argument("--large", action="store_true", help="up to five clones and thirty actions, not what fits on paper")
    parser.add_argument("--life", action="store_true", help="pruning and migrating as well")
    parser.add_argument("--shrink", action="store_true", help="leave out what the failure does not need")
    parser.add_argument("--keep", action="store_true", help="leave its clones on the disk")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run it so often: names are random")
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="run so many histories")
    parser.add_argument("--start", type=int, default=1, metavar="N", help="from this one on")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--progress", type=Path, default=Path(".sim/progress"), help="where an interrupted run goes on from")
    args = parser.parse_args()
    environment.become("sim")
    os.environ["PATH"] = _short(os.environ["PATH"])
    if args.seed is None:
        return many(args.start, args.count, args.jobs, args.progress, paper=not args.large, life=args.life)
    templates = Templates()
    try:
        skip = {int(each) for each in args.skip.split(",") if each}
        if args.shrink:
            print(shrink(args.seed, args.actions, skip, templates, paper=not args.large, life=args.life))  # noqa: T201
            return 0
        return max(_one(args, skip, templates) for _ in range(args.repeat))
    finally:
        if not args.keep:
            templates.close()


def _one(args: argparse.Namespace, skip: set[int], templates: Templates) -> int:
    words = {"verbose": args.verbose, "keep": args.keep, "life": args.life}
    why = History(args.seed, args.actions, skip, not args.large, **words).run(templates)
    print(f"history {args.seed}: {why or 'all agree'}")  # noqa: T201
    if args.keep:
        print(f"its clones are below {templates.folder}")  # noqa: T201
    return int(why is not None)


def _short(path: str) -> str:
    """The few directories in which what a history starts is found: each of its hundreds of processes searches them all."""
    needed = ("gitmem", "git", "sh", "ssh-keygen")
    found = [str(Path(place).parent) for name in needed if (place := shutil.which(name, path=path))]
    return os.pathsep.join(dict.fromkeys(found))


if __name__ == "__main__":
    sys.exit(main())
