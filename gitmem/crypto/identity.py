"""An identity: the secret half of a member's recipient, as age knows it (X25519, or an SSH key the member already has).

This file says what one is and makes new ones. `keyfile` reads them from text, `sshkey` what is peculiar to SSH keys, and where
the text is looked for is in `lookup`. Nothing here prints, logs or puts a secret into a message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from gitmem.errors import GitmemError, UsageError

Ask: TypeAlias = "Callable[[str], str | None]"
"""Asks a person for a passphrase: takes the prompt, gives the answer, None when the person declines."""


class Unusable(Exception):
    """A place holds no usable identity; the text says why, without a secret in it. Never leaves the crypto layer."""


class Identity:
    """One usable identity. Its representation hides everything that is secret."""

    __slots__ = ("_pyrage", "_secret", "_text", "recipient", "source")

    source: str
    """Where it was found, such as `~/.config/gitmem/identity.txt`."""
    recipient: str
    """The public half: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`."""

    def __init__(self, source: str, recipient: str, opener: Any, text: str, secret: bytes) -> None:
        self.source = source
        self.recipient = recipient
        self._pyrage = opener
        self._text = text
        self._secret = secret

    def __repr__(self) -> str:
        return f"Identity({self.recipient[:32]!r} from {self.source!r})"

    def opener(self) -> Any:
        """The pyrage identity that decrypts."""
        return self._pyrage

    def secret_bytes(self) -> bytes:
        """Stable secret bytes for deriving other keys, the same whatever file format or passphrase wraps the key."""
        return self._secret

    def reveal(self) -> str:
        """The secret itself as `age -i` reads it, for showing a recovery key once."""
        return self._text


def new_identity(source: str) -> Identity:
    """A fresh X25519 identity, in memory only."""
    from pyrage import x25519

    return from_age(x25519.Identity.generate(), source)


def new_recovery() -> Identity:
    """The identity of a recovery recipient: made in memory, shown once, kept by a person."""
    return new_identity("recovery")


def create_identity(path: Path, created: str) -> Identity:
    """Write a fresh identity to `path`, in the form `age-keygen` writes, readable by its owner only.

    `created` is the time for the comment (RFC 3339). The file is durable on return. Raises UsageError when `path`
    exists: an identity is never overwritten.
    """
    identity = new_identity(str(path))
    text = f"# created: {created}\n# public key: {identity.recipient}\n{identity.reveal()}\n"
    if path.exists():
        hint = f"use it with --identity {path}, or name another file"
        raise UsageError(f"{path} exists and is never overwritten", hint)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, text.encode())
    except OSError as error:
        raise GitmemError(f"cannot write {path}: {error.strerror}", "name another file") from None
    return identity


def from_age(key: Any, source: str) -> Identity:
    """The identity that a pyrage X25519 identity is."""
    text = str(key)
    return Identity(source, str(key.to_public()), key, text, text.encode())


def _write_new(path: Path, data: bytes) -> None:
    """Create `path` durably; it never exists with other permissions, and not at all if the data do not reach the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
