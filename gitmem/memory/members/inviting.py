"""Invitations: one line that an admin signs, by which whoever gets it knows the true store and may ask to join it.

It carries a pin (the founder's key, and how far the log had come), so that a clone made with it is held against what the admin
had seen. It names one member, has an end, and is used once: the enrolment says which invitation it answers. It may name scopes
that whoever accepts it lets the member into as well; inviter and accepter must both belong to them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gitmem.core.auditing.audit import ENROL
from gitmem.core.auditing.pin import Pin, parse_pin
from gitmem.core.codec import is_time
from gitmem.core.membership.members import ROLES, Members, Rank
from gitmem.core.nearest import shown
from gitmem.errors import GitmemError, Tampered, UsageError
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context, timestamp
from gitmem.memory.members.folded import members_of, segments_here
from gitmem.memory.members.own_role import need_rank
from gitmem.memory.members.requesting import Request, request
from gitmem.memory.members.roster import check_name
from gitmem.memory.members.scopes import check_scope

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity

PREFIX = "gitmem-invite:"
DAYS = 7
MOST_DAYS = 365
_MAX = 128 * 1024
_AGAIN = "ask for a new one: gitmem member invite NAME"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom it names with which role, until when, its own number, the pin, the key of the admin who signed it, and into which
    scopes besides the team's it leads."""

    name: str
    role: str
    until: str
    number: str
    pin: Pin
    key: str
    signature: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def body(self) -> bytes:
        """What is signed."""
        parts = [self.name, self.role, self.until, self.number, self.pin.text(), self.key]
        versioned = [2, *parts, ",".join(self.scopes)] if self.scopes else [1, *parts]
        return json.dumps(versioned, separators=(",", ":")).encode()

    def line(self) -> str:
        """The invitation as one line to send."""
        text = json.dumps([self.body.decode(), self.signature], separators=(",", ":"))
        return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_invitation(line: str) -> Invitation:
    """Read an invitation whose signature holds. Raises UsageError for anything else."""
    from gitmem.crypto.signing import verify

    line = line.strip()
    try:
        if not line.startswith(PREFIX) or len(line) > _MAX:
            raise ValueError
        encoded = line.removeprefix(PREFIX)
        body, signature = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        version, *parts = json.loads(body)
        if version != len(parts) - 5 or version not in (1, 2) or not all(isinstance(part, str) for part in (*parts, signature)):
            raise ValueError
        name, role, until, number, pin, key, *scopes = parts
        into = tuple(check_scope(scope) for scope in scopes[0].split(",")) if scopes else ()
        found = Invitation(check_name(name), role, until, number, parse_pin(pin), key, signature, into)
        if not is_time(until):
            raise ValueError
        verify(key, found.body, signature)
    except (ValueError, TypeError, RecursionError, GitmemError):
        raise UsageError("this is no invitation, or it was changed or cut off", _AGAIN) from None
    return found


def invite(context: Context, name: str, role: str = "member", days: int = DAYS, scopes: Iterable[str] = ()) -> Invitation:
    """Invite somebody under a name that nobody has, into the team and these scopes.

    It holds for 1 to 365 `days`. Raises GitmemError for one who may not let others in, UsageError for what no invitation may
    say, and what `granting.check_passing` raises for a scope.
    """
    from gitmem.memory.auditing.pins import pin_of
    from gitmem.memory.members.granting import check_passing

    check_name(name)
    if role not in ROLES:
        raise UsageError(f"there is no role {role[:40]!r}", f"the roles are: {', '.join(ROLES)}")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"an invitation holds for 1 to {MOST_DAYS} days, not {days}", "a week is usual")
    with context.store.lock:
        commit(context)
        members = members_of(context)
        need_rank(context, members, Rank.ADMIN if members.strict else Rank.MEMBER, "invite others")
        if name in members.by_name:
            raise UsageError(f"{name} is a member already", "`gitmem member list`")
        into = tuple(sorted({*scopes}))
        for scope in into:
            check_passing(context, members, scope)
        key = context.store.vault.signing_key()
        until = timestamp(context.clock() + timedelta(days=days))
        draft = Invitation(name, role, until, context.entropy(16).hex(), pin_of(context), key.public, scopes=into)
        return replace(draft, signature=key.sign(draft.body))


def accept(context: Context, invitation: Invitation, identity: Identity) -> Request:
    """Hold this clone against an invitation, keep its pin, and ask to become the member it names.

    Raises UsageError for another store's or one that is over, Tampered where the store lacks what the inviter had seen.
    """
    from gitmem.memory.auditing.pins import check_against, take_pin

    if invitation.pin.store != context.store.id:
        raise UsageError(f"this invitation is for another store ({invitation.pin.store})", "join a clone of that one")
    check(context, invitation, members_of(context))
    if problems := check_against(context, invitation.pin):
        told = "; ".join(f"{one.where}: {one.why}" for one in problems[:3])
        raise Tampered(
            f"this is not the store that the inviter had before them: {told}",
            "do not use it; unless the inviter had not shared all: have them `gitmem sync`, and run this again",
        )
    take_pin(context, invitation.pin)
    return request(context, identity, invitation.name, invitation.line())


def check(context: Context, invitation: Invitation, members: Members) -> None:
    """Raise UsageError for an invitation that is over, was used, or was not signed by one who may let others in and belongs to
    its scopes."""
    holder = members.by_name.get(members.holder(invitation.key) or "")
    if holder is None or holder.rank < (Rank.ADMIN if members.strict else Rank.MEMBER):
        raise UsageError("nobody who may let others in has signed this invitation", _AGAIN)
    for scope in invitation.scopes:
        if scope not in members.scopes or holder.name not in members.scopes[scope].members:
            raise UsageError(f"{holder.name}, who signed this invitation, does not belong to the scope {shown(scope)}", _AGAIN)
    if datetime.fromisoformat(invitation.until) < context.clock():
        raise UsageError(f"this invitation ended on {invitation.until}", _AGAIN)
    if invitation.number in used_invitations(context):
        raise UsageError(f"this invitation of {invitation.name} was used already", _AGAIN)


def used_invitations(context: Context) -> set[str]:
    """The numbers of the invitations that an enrolment answered."""
    entries = (entry for segment in segments_here(context) for entry in segment.entries if entry.op == ENROL)
    return {number for entry in entries if isinstance(number := entry.detail.get("invitation"), str)}
