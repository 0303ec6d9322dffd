"""`gitmem-textconv FILE`: what `git diff`, `git show` and `git log -p` print for a record, behind `diff=gitmem`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError

# What a person wrote may hold escape sequences, and characters that turn text around; a terminal must not obey them.
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
    from gitmem.memory.as_text import text_of

    try:
        text = text_of(data, where, Path.cwd(), datetime.now(UTC))
    except GitmemError:
        return data
    return _STEERING.sub(lambda match: ascii(match[0])[1:-1], text).encode("utf-8", "surrogateescape")
