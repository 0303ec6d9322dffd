"""The text that makes two records the same record.

Ids of records are keyed hashes of this text and stand in files, logs and other people's clones for ever. **This algorithm
must never change**, not even to mend it: a record learned again would get a second id.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

# Unicode's White_Space property, spelled out because `str.split` follows the Unicode version of the interpreter. NUL is among
# them so that it can separate fields.
_WHITE: Final = (
    "\0\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_TO_SPACE: Final = dict.fromkeys(map(ord, _WHITE), " ")


def normalised(text: str) -> str:
    """`text` in Unicode NFC, without white space at its ends and with every run of white space as one space."""
    spaced = unicodedata.normalize("NFC", text).translate(_TO_SPACE)
    return " ".join(word for word in spaced.split(" ") if word)


def identity_text(values: Sequence[str]) -> str | None:
    """The identity of a record whose identity fields hold `values`: each normalised, joined with NUL.

    None if there is no field or nothing in any of them: such a record is like no other and gets a random id.
    """
    parts = [normalised(value) for value in values]
    return "\0".join(parts) if any(parts) else None
