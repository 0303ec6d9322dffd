"""Epoch keys: made here, named by what they commit to, and wrapped by age to one recipient at a time.

A wrapped key is a few readable lines inside an ordinary age file, so `age -d -i KEY FILE` alone opens a store's keys. From the
second epoch on one of the lines is an age identity, the epoch's link: the key before it is wrapped to that, so that who holds
the newest key holds all of them, and a new member needs one file whatever the number of epochs.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gitmem.crypto.derive import KEY_BYTES
from gitmem.errors import DamagedKey, NoKey, UsageError

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity

_LABELS: Final = ("gitmem-epoch", "scope", "epoch", "key", "id-key")
_FORMAT: Final = "1"
_LINKED: Final = "2"
NO_MATCH: Final = "No matching keys found"
"""How age says that a file is for somebody else."""
_VERIFY: Final = "gitmem audit verify"
_SYNC: Final = "`gitmem sync` puts back the one that was signed for; `gitmem audit verify` names what was changed"
_HINT: Final = "give age1…, or an ssh-ed25519 or ssh-rsa (2048 bits or more) public key"


@dataclass(frozen=True)
class EpochKey:
    """One generation of a scope's key."""

    scope: str
    epoch: str
    """`<sequence>-<first 8 hex digits of the key's commitment>`."""
    key: bytes = field(repr=False)
    """32 bytes; every record's key is derived from it."""
    id_key: bytes = field(repr=False)
    """32 bytes; carried over from epoch to epoch, because ids that are derived from it never change."""
    link: str = field(default="", repr=False)
    """The age identity that the keys before are wrapped to; a first epoch has none."""

    @property
    def commitment(self) -> str:
        """The full commitment (64 hex digits), for a signed entry: it tells nothing about the key and fits no other."""
        return commitment(self.key)


@dataclass(frozen=True)
class Opened:
    """What `open_first` found: the key, the identity that opened it, and the name of the file that it opened."""

    key: EpochKey
    identity: Identity
    name: str


def commitment(key: bytes) -> str:
    """SHA-256 over the key, in a domain of its own (64 hex digits)."""
    return hashlib.sha256(b"gitmem epoch key 1\0" + key).hexdigest()


def new_epoch(scope: str, sequence: int, id_key: bytes | None = None) -> EpochKey:
    """A fresh key for `scope`, `sequence` from 1 on; pass the id key of the epoch before, if there was one.

    Raises UsageError for a scope name that does not fit on a line, as one word.
    """
    if not scope.isprintable() or not scope or " " in scope:
        raise UsageError(f"not a scope name: {scope!r}", "use a word, such as: team")
    if sequence < 1:
        raise ValueError(f"epochs count from 1, not from {sequence}")
    from pyrage import x25519

    key = os.urandom(KEY_BYTES)
    link = str(x25519.Identity.generate()) if sequence > 1 else ""
    return EpochKey(scope, f"{sequence}-{commitment(key)[:8]}", key, id_key or os.urandom(KEY_BYTES), link)


def check_recipient(text: str) -> str:
    """`text` as gitmem keeps a recipient: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`, without comment or blanks around.

    Raises UsageError for anything else.
    """
    return parse_recipient(text)[0]


def wrap(key: EpochKey, *recipients: str) -> bytes:
    """The key as an age file that any of a member's recipients opens. Raises UsageError for what `check_recipient` refuses."""
    from pyrage import encrypt

    wrapped: bytes = encrypt(_emit(key), [parse_recipient(recipient)[1] for recipient in recipients])
    return wrapped


def recipients_of(data: bytes) -> int:
    """How many recipients an age file names: a stanza for each, and one that age makes up lest readers know them all."""
    stanzas = (line.split() for line in data.partition(b"\n--- ")[0].splitlines() if line.startswith(b"-> "))
    return sum(not words[1].endswith(b"-grease") for words in stanzas if len(words) > 1)


def wrap_before(key: EpochKey, before: EpochKey) -> bytes:
    """An earlier key as an age file that the link of `key` opens."""
    from pyrage import encrypt, x25519

    wrapped: bytes = encrypt(_emit(before), [x25519.Identity.from_str(key.link).to_public()])
    return wrapped


def unwrap_before(data: bytes, key: EpochKey, epoch: str) -> EpochKey:
    """The earlier key that `wrap_before` wrapped. Raises NoKey where `key` has no link, DamagedKey for another key."""
    from pyrage import x25519

    from gitmem.crypto.identity import from_age

    if not key.link:
        raise NoKey(f"the key of scope {key.scope}, epoch {key.epoch}, links to none before it", _VERIFY)
    return unwrap(data, [from_age(x25519.Identity.from_str(key.link), "link")], key.scope, epoch)


def unwrap(data: bytes, identities: Iterable[Identity], scope: str, epoch: str) -> EpochKey:
    """The key of `scope` and `epoch` in one age file, opened by the first identity that can.

    Raises what `open_first` raises.
    """
    return open_first({"": data}, identities, scope, epoch).key


def open_first(wrapped: Mapping[str, bytes], identities: Iterable[Identity], scope: str, epoch: str) -> Opened:
    """Open the first of several age files (name -> bytes) that one of the identities opens; identities are tried in order.

    Raises NoKey when none opens any, and DamagedKey for a damaged file, or for one that holds another key than the one
    of `scope` and `epoch`.
    """
    damaged: list[str] = []
    for identity in identities:
        for name, data in wrapped.items():
            payload = _decrypt(data, identity, name, damaged)
            if payload is not None:
                return Opened(_expect(payload, scope, epoch), identity, name)
    what = f"scope {scope}, epoch {epoch}"
    if damaged:
        raise DamagedKey(f"the wrapped key of {what} is damaged: {damaged[0]}", _SYNC)
    raise _no_key(identities, what)


def _no_key(identities: Iterable[Identity], what: str) -> NoKey:
    from gitmem.crypto.lookup import Found

    if isinstance(identities, Found):
        return identities.no_key(what)
    return NoKey(f"no identity opens {what}", "name your key file: --identity PATH, or set GITMEM_IDENTITY_FILE")


def _decrypt(data: bytes, identity: Identity, name: str, damaged: list[str]) -> bytes | None:
    """The payload, or None for a file that this identity does not open; what age finds damaged is noted by name."""
    from pyrage import DecryptError, decrypt

    try:
        payload: bytes = decrypt(data, [identity.opener()])
    except DecryptError as error:
        if str(error) != NO_MATCH:
            damaged.append(f"{name}: {error}".removeprefix(": "))
        return None
    return payload


def _emit(key: EpochKey) -> bytes:
    values = [_LINKED if key.link else _FORMAT, key.scope, key.epoch, _base64(key.key), _base64(key.id_key)]
    text = "".join(f"{label}: {value}\n" for label, value in zip(_LABELS, values, strict=True))
    return (text + (f"link: {key.link}\n" if key.link else "")).encode()


def _expect(payload: bytes, scope: str, epoch: str) -> EpochKey:
    """The key in `payload`, if it is the one expected: right scope and epoch, and a key that the epoch's name commits to."""
    what = f"the wrapped key of scope {scope}, epoch {epoch}"
    found = _parse(payload)
    if found is None:
        raise DamagedKey(f"{what} holds nothing that this gitmem can read", _SYNC)
    if (found.scope, found.epoch) != (scope, epoch):
        raise DamagedKey(f"{what} is that of scope {found.scope}, epoch {found.epoch}", _SYNC)
    if found.epoch.partition("-")[2] != found.commitment[:8]:
        raise DamagedKey(f"{what} is another key than its name commits to", _SYNC)
    return found


def _parse(payload: bytes) -> EpochKey | None:
    """The one spelling only: what parses re-serialises to the same bytes."""
    from pyrage import IdentityError, x25519

    try:
        lines = payload.decode().splitlines()
        values = [line.partition(": ")[2] for line in lines]
        _, scope, epoch, key, id_key, *link = values
        found = EpochKey(scope, epoch, base64.b64decode(key), base64.b64decode(id_key), "".join(link))
        if found.link:
            x25519.Identity.from_str(found.link)
    except (ValueError, IdentityError):
        return None
    sound = len(found.key) == len(found.id_key) == KEY_BYTES and _emit(found) == payload
    return found if sound else None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def parse_recipient(text: str) -> tuple[str, Any]:
    """A recipient's one spelling, and what pyrage makes of it. What may be a secret key is not repeated in the error."""
    from pyrage import RecipientError, ssh, x25519

    words = text.split()
    if text.upper().lstrip().startswith(("AGE-SECRET-KEY-", "-----BEGIN")):
        raise UsageError("that is a secret key, not a recipient: keep it, and give its public half", _HINT)
    try:
        if len(words) == 1:
            recipient = x25519.Recipient.from_str(words[0])
            return str(recipient), recipient
        if words and words[0].startswith("ssh-"):
            spelled = " ".join(words[:2])
            return spelled, ssh.Recipient.from_str(spelled)
    except RecipientError as error:
        raise UsageError(f"not a recipient: {text[:40]!r} ({error})", _HINT) from None
    raise UsageError(f"not a recipient: {text[:40]!r}", _HINT)
