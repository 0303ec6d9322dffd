"""Text from a store, made harmless for a terminal.

Records are written by other people and programs. A control character in one could move the cursor, retitle the window or
paste commands; a bidirectional override could show one command as another (CVE-2021-42574, "Trojan Source"). They are
shown as escapes instead; tab and newline stay.
"""

from __future__ import annotations

import re
from typing import Any, Final

_RANGES: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE: Final = re.compile(f"[{_RANGES}]")
_SPACES: Final = re.compile(r"[\s\u2028\u2029]+")


def safe_text(text: Any) -> str:
    """`text` with every character that could act on a terminal replaced by its escape, such as `\\x1b` or `\\u202e`."""
    return _UNSAFE.sub(_escaped, str(text).replace("\r\n", "\n"))


def one_line(text: Any) -> str:
    """`safe_text` of `text` on a single line, white space collapsed."""
    return safe_text(_SPACES.sub(" ", str(text)).strip())


def json_text(dumped: str) -> str:
    """A JSON document with the same characters written as JSON escapes: the values stay what they are."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
