"""Every benchmark, each in a process of its own: ratios against peers and baselines of the same run, never seconds alone.

    python -m bench [--small]

Where the temporary directory is an ext4 without a journal, what one of them removed slows the next ones for some minutes (see
`bench.merge`): for figures to quote, run one alone.
"""

from __future__ import annotations

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
    """Run all of them; the exit code says whether each could be run."""
    small = "--small" in sys.argv
    codes = []
    for name in ALL:
        print(f"\n== {name}", flush=True)
        words = SMALL.get(name, []) if small else []
        codes.append(subprocess.run([sys.executable, "-m", f"bench.{name}", *words], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
