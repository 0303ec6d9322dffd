"""Record content on its way into a model's context: every character visible, every cut visible, never longer than agreed.

What members recorded is data. Characters that steer a terminal, reorder text or hide it from a person (escapes, bidirectional
controls, Unicode tags) are spelled out, so that a reader and a model see the same text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_JOINERS: Final = frozenset("\u200c\u200d")  # needed to write Persian, Hindi and many emoji
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode general categories without a glyph of their own


def visible(text: str) -> str:
    """`text` with unseen characters spelled as `\\x1b` or `\\u202e`; line ends are unified, tabs kept."""
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(map(_spelled, text))


def line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters; a cut shows as `…`."""
    text = visible(" ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def bounded(value: Any, limit: int) -> Any:
    """`value` with every text in it visible and at most `limit` characters long; a cut tells how many characters it took."""
    if isinstance(value, str):
        text = visible(value)
        return text if len(text) <= limit else f"{text[:limit]}… [{len(text) - limit} more characters]"
    if isinstance(value, Mapping):
        return {visible(str(name)): bounded(inner, limit) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [bounded(inner, limit) for inner in value]
    return value


def _spelled(character: str) -> str:
    if character in "\n\t" or character in _JOINERS or unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
