"""Signatures that OpenSSH can check: Ed25519 in the SSHSIG envelope (OpenSSH, PROTOCOL.sshsig).

A signature covers the exact bytes it was made over, in the namespace `gitmem`; `ssh-keygen -Y verify -n gitmem` accepts it.
There is one spelling of a signature: what does not re-serialise to the same bytes is refused.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final, NoReturn

from gitmem.crypto.derive import length_prefixed, signing_seed
from gitmem.errors import Tampered, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAMESPACE: Final = "gitmem"

_KEY_TYPE: Final = b"ssh-ed25519"
_MAGIC: Final = b"SSHSIG"
_VERSION: Final = (1).to_bytes(4, "big")
_HASH: Final = b"sha512"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----\n"
_END: Final = "-----END SSH SIGNATURE-----\n"
_WIDTH: Final = 70  # characters a line, as ssh-keygen writes them


class SigningKey:
    """A member's Ed25519 key for one store."""

    __slots__ = ("_key", "public")

    public: str
    """The public key as OpenSSH spells it, without a comment: `ssh-ed25519 AAAA…`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = _spell_public(key.public_key().public_bytes_raw())

    @classmethod
    def derive(cls, secret: bytes, store: str) -> SigningKey:
        """The key of whoever holds the identity `secret`, for the store with id `store`; nothing of it is stored."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.from_private_bytes(signing_seed(secret, store)))

    def __repr__(self) -> str:
        return f"SigningKey({fingerprint(self.public)})"

    def sign(self, data: bytes) -> str:
        """The armored signature over exactly `data`."""
        signature = self._key.sign(_signed_bytes(data))
        return _armor(_envelope(self.public, signature))


def verify(public: str, data: bytes, armored: str) -> None:
    """Check that the holder of `public` signed exactly `data`.

    Raises Tampered when not, also for a signature by another key, in another namespace or in another spelling, and
    UsageError when `public` is no Ed25519 key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    blob = _public_blob(public)
    signature = _signature_in(armored)
    if _armor(_envelope(public, signature)) != armored:
        _refuse(public, "it is by another key, or of another form")
    try:
        Ed25519PublicKey.from_public_bytes(blob[-32:]).verify(signature, _signed_bytes(data))
    except (InvalidSignature, ValueError):
        _refuse(public, "the data or the signature were changed")


def fingerprint(public: str) -> str:
    """The key's fingerprint as `ssh-keygen -l` prints it: `SHA256:…`. Raises UsageError when it is no Ed25519 key."""
    digest = hashlib.sha256(_public_blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _refuse(public: str, why: str) -> NoReturn:
    raise Tampered(f"a signature by {fingerprint(public)} does not hold: {why}", "gitmem audit verify") from None


def _spell_public(raw: bytes) -> str:
    return f"ssh-ed25519 {base64.b64encode(length_prefixed(_KEY_TYPE, raw)).decode()}"


def _public_blob(public: str) -> bytes:
    """The wire form of an Ed25519 public key (RFC 8709); a comment after it is ignored."""
    words = public.split(maxsplit=2)
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
    except ValueError:  # binascii.Error, or text that is not ASCII
        blob = b""
    if words[:1] != ["ssh-ed25519"] or len(blob) != 51 or blob != length_prefixed(_KEY_TYPE, blob[-32:]):
        raise UsageError(f"not an Ed25519 public key: {public[:40]!r}", "give a line that starts with ssh-ed25519")
    return blob


def _signed_bytes(data: bytes) -> bytes:
    """What the Ed25519 signature covers: the hash of the data, bound to the namespace."""
    return _MAGIC + length_prefixed(NAMESPACE.encode(), b"", _HASH, hashlib.sha512(data).digest())


def _envelope(public: str, signature: bytes) -> bytes:
    inner = length_prefixed(_KEY_TYPE, signature)
    return _MAGIC + _VERSION + length_prefixed(_public_blob(public), NAMESPACE.encode(), b"", _HASH, inner)


def _armor(envelope: bytes) -> str:
    text = base64.b64encode(envelope).decode()
    lines = [text[start : start + _WIDTH] + "\n" for start in range(0, len(text), _WIDTH)]
    return _BEGIN + "".join(lines) + _END


def _signature_in(armored: str) -> bytes:
    """The last 64 bytes of an armored envelope, where an Ed25519 signature stands; the caller checks all the rest."""
    text = armored.removeprefix(_BEGIN).removesuffix(_END).replace("\n", "")
    try:
        return base64.b64decode(text, validate=True)[-64:]
    except ValueError:
        return b""
