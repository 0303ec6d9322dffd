"""Every benchmark, each in a process of its own: ratios against peers and baselines of the same run, never seconds alone.

    python -m bench [--small] [NAME ...]

Where the temporary directory is an ext4 without a journal, what one of them removed slows the next ones for some minutes (see
`bench.merge`): for figures to quote, run one alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

SMALL = {
    "members": ["500"],
    "flat": ["--small"],
    "contention": ["--small"],
    "sync": ["200"],
    "merge": ["--small"],
    "audit": ["--small"],
    "redact": ["--times", "1"],
    "backup": ["500"],
    "prune": ["5000"],
}
ALL = ("writes", "flat", "sync", "contention", "merge", "recall", "members", "redact", "audit", "backup", "prune")


def main() -> int:
    """Run those that are named, or all of them; the exit code says whether each could be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--small", action="store_true", help="small enough to see that they run; their figures say little")
    given = parser.parse_args()
    if strange := [name for name in given.names if name not in ALL]:
        parser.error(f"there is no benchmark {strange[0]!r}: {', '.join(ALL)}")
    codes = []
    for name in given.names or ALL:
        print(f"\n== {name}", flush=True)
        words = SMALL.get(name, []) if given.small else []
        codes.append(subprocess.run([sys.executable, "-m", f"bench.{name}", *words], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
