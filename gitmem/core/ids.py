"""Ids of records and of set elements.

A kind with identity fields gets a keyed hash of them: two people who learn the same thing get one record, and the git host,
which lacks the key, cannot test a guess. Other kinds get a random id that sorts by time after its two shard characters; those
two are random because they name the directory, and time there would put years of records into one.
"""

from __future__ import annotations

from base64 import b32encode
from typing import Final

from gitmem.core.dots import json_line
from gitmem.core.record import Json

_LENGTH: Final = 26  # base32 characters: 130 bits
# RFC 4648 base32 does not sort like the bytes it encodes; base32hex does, and ids should sort by time.
_SORTABLE: Final = "0123456789abcdefghijklmnopqrstuv"


def identity_id(prefix: str, id_key: bytes, kind: str, identity: str) -> str:
    """The id of the record with this normalised identity: `<prefix>-` + base32(HMAC-SHA256(id key, kind, identity))."""
    return f"{prefix}-{_keyed(id_key, kind, identity)[:_LENGTH]}"


def random_id(prefix: str, millis: int, entropy: bytes) -> str:
    """A new id from the time in milliseconds since 1970 and at least 10 random bytes."""
    bits = int.from_bytes(entropy[:10])
    tail = "".join(_SORTABLE[(bits >> shift) & 31] for shift in range(75, -5, -5))
    stamp = "".join(_SORTABLE[(millis >> shift) & 31] for shift in range(45, -5, -5))
    return f"{prefix}-{tail[:2]}{stamp}{tail[2:]}"


def element_key(id_key: bytes, place: str, value: Json) -> str:
    """The key of a set element: the same value gets the same key in `place` (record id and field) and nowhere else."""
    return "e" + _keyed(id_key, place, json_line(value))[: _LENGTH - 1]


def pseudonym(id_key: bytes, name: str) -> str:
    """What a member is called in commits that name nobody: the same each time, and no way back without the members' names."""
    return f"member-{_keyed(id_key, 'pseudonym', name)[:10]}"


def shard(record_id: str) -> str:
    """The directory a record lies in, two characters of its id."""
    return record_id[2:4]


def _keyed(key: bytes, *parts: str) -> str:
    import hmac  # OpenSSL takes 3 ms to load, and reading by id needs none of it

    message = b"".join(len(data).to_bytes(8) + data for data in (p.encode("utf-8", "surrogatepass") for p in parts))
    return b32encode(hmac.digest(key, message, "sha256")).decode().lower().rstrip("=")
