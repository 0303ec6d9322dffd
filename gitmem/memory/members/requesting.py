"""Requests to become a member, as lines to send.

A request is one line of text without secrets: who asks, the age recipient that keys are to be wrapped to, and the key that will
sign. Whoever accepts it must have got it from that person; its fingerprint is shown on both sides to be compared.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem.errors import UsageError
from gitmem.memory.context import Context
from gitmem.memory.members.roster import check_name, remember_name

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity

PREFIX = "gitmem-join:"
_MAX = 256 * 1024  # an RSA recipient is under 2 KiB, an invitation rarely more


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody who wants to become a member tells: their name, recipient and signing key (OpenSSH form), and the store.

    `invitation` is the line that they were invited with, empty without one.
    """

    store: str
    name: str
    recipient: str
    key: str
    invitation: str = ""

    def line(self) -> str:
        """The request as one line to send."""
        parts = [2 if self.invitation else 1, self.store, self.name, self.recipient, self.key]
        text = json.dumps([*parts, *([self.invitation] if self.invitation else [])], separators=(",", ":"))
        return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def fingerprint(self) -> str:
        """What both sides compare: the signing key's SHA-256 as ssh prints it."""
        from gitmem.crypto.signing import fingerprint

        return fingerprint(self.key)


def parse_request(line: str) -> Request:
    """Read a request. Raises UsageError for anything that is none."""
    line = line.strip()
    try:
        if not line.startswith(PREFIX) or len(line) > _MAX:
            raise ValueError
        body = line.removeprefix(PREFIX)
        version, *parts = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if version != len(parts) - 3 or version not in (1, 2) or not all(isinstance(part, str) for part in parts):
            raise ValueError
        store, name, recipient, key, *invitation = parts
    except (ValueError, TypeError, RecursionError):
        raise UsageError("this is no join request, or it was cut off", "the other side prints it with `gitmem join`") from None
    return request_of(store, name, recipient, key, "".join(invitation))


def request_of(store: str, name: str, recipient: str, key: str, invitation: str = "") -> Request:
    """The request of somebody whose recipient and signing key (OpenSSH form) are known. Raises UsageError for what is none."""
    from gitmem.crypto.keys import check_recipient
    from gitmem.crypto.signing import fingerprint

    fingerprint(key)
    return Request(store, check_name(name), check_recipient(recipient), key, invitation)


def enrolled_as(context: Context, identity: Identity) -> str | None:
    """The name that an identity's key was enrolled under, once and for all; None if it never was."""
    from gitmem.crypto.signing import SigningKey
    from gitmem.memory.members.folded import standing_here

    return standing_here(context).holder(SigningKey.derive(identity.secret_bytes(), context.store.id).public)


def request(context: Context, identity: Identity, name: str, invitation: str = "") -> Request:
    """The request of this clone's owner to become member `name`."""
    from gitmem.crypto.signing import SigningKey

    remember_name(context, check_name(name))
    key = SigningKey.derive(identity.secret_bytes(), context.store.id)
    return Request(context.store.id, name, identity.recipient, key.public, invitation)
