"""The lines in .gitattributes that tell git how to treat the store's files."""

from __future__ import annotations

from typing import Final

LINES: Final = (
    "memory/** -text merge=gitmem diff=gitmem",
    ".gitmem/config.yaml -text merge=gitmem",
    ".gitmem/members/* -text merge=gitmem",
    ".gitmem/keys/** -text",
    ".gitmem/schemas/** -text",
    "log/** -text",
)


def with_own_lines(content: bytes) -> bytes:
    """`content` of a .gitattributes with the store's lines in it: those that are missing are added at the end, in one piece.

    At the end, because the last line that matches a path wins. Other lines stay as they are.
    """
    have = {line.strip() for line in content.splitlines()}
    missing = [line for line in LINES if line.encode() not in have]
    if not missing:
        return content
    start = content if not content or content.endswith(b"\n") else content + b"\n"
    return start + "".join(f"{line}\n" for line in missing).encode()
