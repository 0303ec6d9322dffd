"""`python -m gitmem.mcp [PATH]`: the MCP server without the command line around it."""

from __future__ import annotations

import sys
from pathlib import Path

from gitmem.errors import GitmemError
from gitmem.mcp.server import serve


def main(words: list[str]) -> int:
    """Serve the store at or above the named (or current) directory; returns the exit code."""
    try:
        serve(Path(words[0] if words else "."))
    except GitmemError as error:
        sys.stderr.write(f"error: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
