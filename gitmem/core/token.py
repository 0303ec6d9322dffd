"""The spelling of a sealed value: `ENC[<epoch>,<base64url>]`.

Only the spelling: sealing and opening live in `gitmem.crypto.values`. A merge needs the epoch of a token and nothing else,
which is why a replica without any key can merge.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EPOCH: Final = re.compile(r"[1-9][0-9]{0,8}-[0-9a-f]{8}")
TOKEN: Final = re.compile(r"ENC\[([1-9][0-9]{0,8}-[0-9a-f]{8}),([A-Za-z0-9_-]+)\]")


def is_token(value: object) -> bool:
    """Whether `value` is spelled like a sealed value."""
    return isinstance(value, str) and value.startswith("ENC[") and TOKEN.fullmatch(value) is not None


def epoch_of(token: str) -> str:
    """The epoch a token was sealed in, such as `2-9f3a1c07`; empty for what is no token."""
    match = TOKEN.fullmatch(token)
    return match[1] if match else ""


def epoch_order(epoch: str) -> tuple[int, str]:
    """The total order of epochs: by sequence, then by commitment, so that concurrent rotations order alike everywhere."""
    if not epoch:
        return (0, "")
    sequence, _, commitment = epoch.partition("-")
    return (int(sequence), commitment)


def oldest_epoch(data: bytes) -> tuple[int, str]:
    """The order of the oldest epoch that a value in a record's bytes is sealed in; beyond all others where none is sealed."""
    epochs = {match[1] for match in TOKEN.finditer(data.decode("utf-8", "replace"))}
    return min(map(epoch_order, epochs), default=(1 << 30, ""))
