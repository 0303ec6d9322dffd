"""`python -m gitmem`: the command line, where the console script is not on PATH."""

import sys

from gitmem.cli.main import run

if __name__ == "__main__":
    sys.exit(run())
