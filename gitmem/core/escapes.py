"""Terminal escapes: what a program writes to colour a text or to move in it, and no reader sees."""

from __future__ import annotations

import re
from typing import Final

ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI: colours and cursor moves (ECMA-48)
    r"|\x1b\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)"  # OSC: titles and links
    r"|\x1b[ -/]{0,8}[0-~]?"  # the other escapes
    r"|\x9b[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI as a single byte
)
