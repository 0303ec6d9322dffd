"""Becoming a member: asked for by one side (`requesting`), invited or not, and accepted by the other."""

from __future__ import annotations

from gitmem.core.membership.members import Members, Rank
from gitmem.errors import NoKey, UsageError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import TEAM, Context
from gitmem.memory.members.enrolment import member_file, wrapped_keys
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.inviting import Invitation, accept, check, parse_invitation
from gitmem.memory.members.own_role import need_rank
from gitmem.memory.members.person import first_of
from gitmem.memory.members.requesting import Request, request
from gitmem.memory.members.roster import members
from gitmem.memory.reports import Committed, Member


def ask(context: Context, name: str, invitation: str = "") -> Request:
    """The request of whoever has the first identity that is found, invited or not.

    Raises NoKey without an identity, UsageError for an invitation of another name, and what `inviting.accept` raises.
    """
    identity = first_of(context.store.vault.identities)
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
        check_free(known, asked)
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


def invited_scopes(asked: Request) -> tuple[str, ...]:
    """Where a request's invitation leads besides the team's scope. Raises UsageError for an invitation that is none."""
    return parse_invitation(asked.invitation).scopes if asked.invitation else ()


def _invited(context: Context, asked: Request, known: Members) -> Invitation | None:
    """The invitation that a request answers. Raises UsageError for one that does not hold, or names somebody else."""
    if not asked.invitation:
        return None
    found = parse_invitation(asked.invitation)
    if (found.name, found.pin.store) != (asked.name, context.store.id):
        raise UsageError(f"this invitation is for {found.name}, not for {asked.name}", "`gitmem member invite NAME`")
    check(context, found, known)
    return found


def check_free(known: Members, asked: Request) -> None:
    """Raise UsageError where a request's key is somebody else's."""
    holder = known.holder(asked.key)
    if holder not in (None, asked.name):
        raise UsageError(f"this key is enrolled already, as {holder}", "`gitmem member list`")


def key_files(context: Context, name: str, recipients: list[str]) -> list[Extra]:
    """The newest key of the team, and any that it does not open, wrapped to somebody."""
    vault = context.store.vault
    keys = [] if vault.plain else [vault.key(TEAM, epoch) for epoch in vault.tips(TEAM)]
    return wrapped_keys(keys, name, recipients)
