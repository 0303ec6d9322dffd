"""Becoming a member: a request made by one side, accepted by the other.

A request is one line of text without secrets: who asks, the age recipient that keys are to be wrapped to, and the key that will
sign. Whoever accepts it must have got it from that person; its fingerprint is shown on both sides to be compared.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem.core.members import Members, Rank
from gitmem.errors import NoKey, UsageError
from gitmem.memory.commit import Extra, commit
from gitmem.memory.context import TEAM, Context
from gitmem.memory.members.enrolment import member_file, wrapped_keys
from gitmem.memory.members.folded import members_of, need_rank
from gitmem.memory.members.roster import check_name, members, remember_name
from gitmem.memory.reports import Committed, Member

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity
    from gitmem.memory.members.inviting import Invitation

_PREFIX = "gitmem-join:"
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
        return _PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the invitation leads into besides the team's. Raises UsageError for an invitation that is none."""
        from gitmem.memory.members.inviting import parse_invitation

        return parse_invitation(self.invitation).scopes if self.invitation else ()

    @property
    def fingerprint(self) -> str:
        """What both sides compare: the signing key's SHA-256 as ssh prints it."""
        from gitmem.crypto.signing import fingerprint

        return fingerprint(self.key)


def parse_request(line: str) -> Request:
    """Read a request. Raises UsageError for anything that is none."""
    line = line.strip()
    try:
        if not line.startswith(_PREFIX) or len(line) > _MAX:
            raise ValueError
        body = line.removeprefix(_PREFIX)
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


def request(context: Context, identity: Identity, name: str, invitation: str = "") -> Request:
    """The request of this clone's owner to become member `name`."""
    from gitmem.crypto.signing import SigningKey

    remember_name(context, check_name(name))
    key = SigningKey.derive(identity.secret_bytes(), context.store.id)
    return Request(context.store.id, name, identity.recipient, key.public, invitation)


def ask(context: Context, name: str, invitation: str = "") -> Request:
    """The request of whoever has the first identity that is found, invited or not.

    Raises NoKey without an identity, UsageError for an invitation of another name, and what `inviting.accept` raises.
    """
    from gitmem.memory.members.inviting import accept, parse_invitation

    identity = next(iter(context.store.vault.identities), None)
    if identity is None:
        raise NoKey("there is no identity to join with", "`gitmem join` makes one")
    if not invitation:
        return request(context, identity, name)
    found = parse_invitation(invitation)
    if found.name != name:
        raise UsageError(f"this invitation is for {found.name}, not for {name[:63]}", "join under the name that it says")
    return accept(context, found, identity)


def add_member(context: Context, asked: Request, role: str = "member") -> tuple[Member, Committed | None]:
    """Accept a request: enrol the member and wrap the team's newest key to them, and those of the scopes that an invitation
    names, as one signed commit.

    Such a key opens those before it. Raises UsageError for another store's request or a name that stands for someone else,
    NoKey without the keys to pass on, GitmemError for one who may not.
    """
    from gitmem.memory.members.granting import letting_in

    if asked.store != context.store.id:
        raise UsageError(f"this request is for another store ({asked.store})", "run it in a clone of that store")
    with context.store.lock:
        commit(context)
        known = members_of(context)
        need_rank(context, known, Rank.ADMIN if known.strict else Rank.MEMBER, "let others in")
        _check_free(known, asked)
        invited = _invited(context, asked, known)
        role = invited.role if invited else role
        earlier = known.by_name[asked.name].recipients if asked.name in known.by_name else set()
        recipients = sorted({asked.recipient, *earlier})
        extras = [
            member_file(context, asked.name, [asked.recipient], [asked.key], role, invited.number if invited else None),
            *key_files(context, asked.name, recipients),
        ]
        for scope in invited.scopes if invited else ():
            extras += letting_in(context, known, scope, asked.name, recipients)
        made = commit(context, f"gitmem: {asked.name} becomes a member", extras)
    return next(member for member in members(context) if member.name == asked.name), made


def _invited(context: Context, asked: Request, known: Members) -> Invitation | None:
    """The invitation that a request answers. Raises UsageError for one that does not hold, or names somebody else."""
    from gitmem.memory.members.inviting import check, parse_invitation

    if not asked.invitation:
        return None
    found = parse_invitation(asked.invitation)
    if (found.name, found.pin.store) != (asked.name, context.store.id):
        raise UsageError(f"this invitation is for {found.name}, not for {asked.name}", "`gitmem member invite NAME`")
    check(context, found, known)
    return found


def _check_free(known: Members, asked: Request) -> None:
    """Raise UsageError where a request's key is somebody else's."""
    holder = known.holder(asked.key)
    if holder not in (None, asked.name):
        raise UsageError(f"this key is enrolled already, as {holder}", "`gitmem member list`")


def key_files(context: Context, name: str, recipients: list[str]) -> list[Extra]:
    """The newest key of the team, and any that it does not open, wrapped to somebody."""
    vault = context.store.vault
    keys = [] if vault.plain else [vault.key(TEAM, epoch) for epoch in vault.tips(TEAM)]
    return wrapped_keys(keys, name, recipients)
