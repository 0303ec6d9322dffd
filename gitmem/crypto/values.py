"""Sealed values: AES-256-GCM under a key of the record, bound to the one place where the value stands.

A token is `ENC[<epoch>,<base64url of nonce ‖ ciphertext ‖ tag>]`. The associated data name the format, the store, the
record, the path, the dot and the epoch, so a token that is copied anywhere else does not open. Short values are padded
(ISO/IEC 7816-4, to fixed sizes): a token's length tells a size class, not a length.
"""

from __future__ import annotations

import binascii
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from gitmem.core.token import TOKEN
from gitmem.crypto.derive import hkdf, length_prefixed
from gitmem.errors import InvalidRecord, NoKey, Tampered

if TYPE_CHECKING:
    from gitmem.crypto.keys import EpochKey

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_FORMAT: Final = b"1"
_NONCE: Final = 12  # bytes; 96 random bits under a key of one record (NIST SP 800-38D, 8.2.2)
_TAG: Final = 16
_BUCKETS: Final = (32, 64, 128)  # bytes; above them, multiples of the step
_STEP: Final = 256
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class Place:
    """Where sealed values stand: a record, or one segment of a log (`kind` and `id` then name the log and the segment)."""

    store: str
    scope: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.scope}/{self.kind}/{self.id}"


def record_key(epoch_key: bytes, place: Place) -> bytes:
    """The key (32 bytes) of the values of one record in one epoch. Costs 5 µs; a `Sealer` derives it once."""
    info = length_prefixed(place.scope.encode(), place.kind.encode(), place.id.encode())
    return hkdf(epoch_key, place.store.encode(), info)


class Sealer:
    """Seals and opens the values of one record under one epoch. Make one per record and epoch and reuse it.

    `path` names the field (with its element key in a set), `dot` the write; a register key such as `w-1.3#5b0e77aa` counts
    as its dot, because merging adds and moves that suffix without a key.
    """

    __slots__ = ("_aead", "_after", "_before", "_key", "epoch", "place")

    def __init__(self, key: EpochKey, place: Place) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.place = place
        self.epoch = key.epoch
        self._key = record_key(key.key, place)
        self._aead = AESGCM(self._key)
        named = (place.store, place.scope, place.kind, place.id)
        self._before = length_prefixed(_FORMAT, *[name.encode() for name in named])
        self._after = length_prefixed(key.epoch.encode())

    def __repr__(self) -> str:
        return f"Sealer({self.place}, {self.epoch})"

    def seal(self, path: str, dot: str, value: Json) -> str:
        """`value` as a token for `path` and `dot`. Raises InvalidRecord for a number that JSON cannot carry."""
        return self._seal(path, dot, _encode(value, self.place, path), os.urandom(_NONCE))

    def seal_alike(self, path: str, dot: str, value: Json) -> str:
        """The same, and always the same token for the same value: for what several replicas write independently.

        The nonce is a keyed hash of all that is encrypted and authenticated, as in SIV (RFC 5297, 3): it comes twice only where
        the whole token does, and says nothing beyond that. Otherwise it is as good as random, so that one key serves both.
        """
        return self.seal_bytes_alike(path, dot, _encode(value, self.place, path))

    def seal_bytes_alike(self, path: str, dot: str, payload: bytes) -> str:
        """The same for a payload of bytes."""
        from hmac import digest

        nonce_key = hkdf(self._key, b"", length_prefixed(b"gitmem derived nonce 1"))
        nonce = digest(nonce_key, length_prefixed(self._bound_to(path, dot), payload), "sha256")[:_NONCE]
        return self._seal(path, dot, payload, nonce)

    def seal_bytes(self, path: str, dot: str, payload: bytes) -> str:
        """`payload` as a token for `path` and `dot`."""
        return self._seal(path, dot, payload, os.urandom(_NONCE))

    def unseal(self, path: str, dot: str, token: str) -> Json:
        """The value in `token`; raises what `unseal_bytes` raises, and InvalidRecord for what is no JSON."""
        return _decode(self.unseal_bytes(path, dot, token), self.place, path)

    def unseal_bytes(self, path: str, dot: str, token: str) -> bytes:
        """The payload in `token`.

        Raises InvalidRecord for what is no token, NoKey for a token of another epoch, Tampered for one that was changed,
        or sealed for another store, record, path or dot.
        """
        epoch, body = _split(token, self.place, path)
        if epoch != self.epoch:
            raise NoKey(f"{self.place}: {path} is sealed in epoch {epoch}, and the key at hand is of {self.epoch}")
        return _unpad(self._open(path, dot, body), self.place, path)

    def _seal(self, path: str, dot: str, payload: bytes, nonce: bytes) -> str:
        """The only use of a nonce; the frozen test vectors give theirs here."""
        sealed = nonce + self._aead.encrypt(nonce, _pad(payload), self._bound_to(path, dot))
        return f"ENC[{self.epoch},{_to_base64url(sealed)}]"

    def _open(self, path: str, dot: str, body: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(body[:_NONCE], body[_NONCE:], self._bound_to(path, dot))
        except InvalidTag:
            raise Tampered(
                f"{self.place}: {path} ({dot}) does not open: it was changed, or moved here from another place",
                "gitmem audit verify",
            ) from None

    def _bound_to(self, path: str, dot: str) -> bytes:
        write = dot.partition("#")[0]
        return self._before + length_prefixed(path.encode(), write.encode()) + self._after


def could_be_sealed(token: str) -> bool:
    """Whether a token has the length and the spelling of a sealed value; what is in it nobody can tell without the key."""
    match = TOKEN.fullmatch(token)
    body = b"" if match is None else _from_base64url(match[2])
    padded = len(body) - _NONCE - _TAG
    return match is not None and padded > 0 and _padded_size(padded) == padded and _to_base64url(body) == match[2]


def _split(token: str, place: Place, path: str) -> tuple[str, bytes]:
    """Epoch and sealed bytes of a token; the one spelling only, since base64 decoders overlook stray bits."""
    match = TOKEN.fullmatch(token)
    if match is None:
        raise InvalidRecord(f"{place}: {path} is not a sealed value")
    body = _from_base64url(match[2])
    if len(body) < _NONCE + _TAG or _to_base64url(body) != match[2]:
        raise InvalidRecord(f"{place}: {path} is a damaged sealed value", "gitmem audit verify")
    return match[1], body


def _to_base64url(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def _from_base64url(text: str) -> bytes:
    """The bytes of unpadded base64url; empty for a length that no bytes have."""
    if len(text) % 4 == 1:
        return b""
    return binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"=" * (-len(text) % 4))


def _padded_size(size: int) -> int:
    """The size class of `size` bytes: 32, 64, 128, 256, then multiples of 256."""
    for bucket in _BUCKETS:
        if size <= bucket:
            return bucket
    return -(-size // _STEP) * _STEP


def _pad(payload: bytes) -> bytes:
    """ISO/IEC 7816-4: one byte 0x80, then zeros up to the size class."""
    return (payload + b"\x80").ljust(_padded_size(len(payload) + 1), b"\0")


def _unpad(padded: bytes, place: Place, path: str) -> bytes:
    payload = padded.rstrip(b"\0")
    if not payload.endswith(b"\x80") or _padded_size(len(payload)) != len(padded):
        raise InvalidRecord(f"{place}: {path} is padded in a way that gitmem does not write")
    return payload[:-1]


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode
_loads = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _encode(value: Json, place: Place, path: str) -> bytes:
    """The value as UTF-8 JSON; lone surrogates, which only broken input holds, survive the way there and back."""
    try:
        return _dumps(value).encode("utf-8", "surrogatepass")
    except ValueError:
        raise InvalidRecord(f"{place}: {path} holds a number that JSON cannot carry (NaN or infinite)") from None


def _decode(payload: bytes, place: Place, path: str) -> Json:
    try:
        value: Json = _loads(payload.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise InvalidRecord(f"{place}: {path} opens, but holds no JSON value") from None
    return value
