"""Keys from keys: HKDF-SHA256 (RFC 5869) and the length-prefixed contexts that keep one use apart from another."""

from __future__ import annotations

from typing import Final

KEY_BYTES: Final = 32


def length_prefixed(*parts: bytes) -> bytes:
    """`parts` joined so that no other list of parts gives the same bytes: each after its length (4 bytes, big-endian)."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes from `secret`, independent for every other `salt` or `info` (HKDF-SHA256, RFC 5869).

    Extract, then one block of expand, which is all that 32 bytes take: two HMACs of the standard library. Loading
    `cryptography` for them would cost a cold `gitmem match`, which opens no value, a tenth of its time.
    """
    from hmac import digest

    return digest(digest(salt or bytes(KEY_BYTES), secret, "sha256"), info + b"\x01", "sha256")


def signing_seed(secret: bytes, store: str) -> bytes:
    """The Ed25519 seed with which the holder of `secret` signs in `store`: the same in every clone, kept in none."""
    return hkdf(secret, store.encode(), length_prefixed(b"gitmem signing key 1"))


def position_key(secret: bytes, store: str) -> bytes:
    """The key that authenticates what the holder of `secret` has verified of `store` (32 bytes)."""
    return hkdf(secret, store.encode(), length_prefixed(b"gitmem verified position 1"))


def index_key(secret: bytes, store: str, replica: str) -> bytes:
    """The key of one replica's local index (32 bytes): what lies beside the index does not open it."""
    return hkdf(secret, store.encode(), length_prefixed(b"gitmem index key 1", replica.encode()))
