"""`gitmem-textconv FILE`: what `git diff`, `git show` and `git log -p` print for a record, behind `diff=gitmem`."""

from __future__ import annotations

import sys
from pathlib import Path

from gitmem.errors import GitmemError


def run() -> int:
    """Print the record in FILE to be read by people: opened if a key is at hand; as it stands if it is no sound record."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: gitmem-textconv FILE\n")
        return 2
    path = Path(sys.argv[1])
    data = path.read_bytes()
    sys.stdout.buffer.write(_text(data, path.name))
    return 0


def _text(data: bytes, where: str) -> bytes:
    from gitmem.memory.view import text_of

    try:
        return text_of(data, where).encode("utf-8", "surrogateescape")
    except GitmemError:
        return data
