"""Letting somebody go, or giving them another role: a signed entry, their file, and new keys for all they could read.

What they have read they have read. So removal ends with an honest list of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.core.auditing.audit import REMOVE, ROLE
from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.membership.members import RECOVERY, ROLES, Members, Rank, remove_detail, role_detail
from gitmem.core.record import State
from gitmem.errors import GitmemError, UsageError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.memory.members.folded import members_of, segments_here
from gitmem.memory.members.leaving import Taken, taken
from gitmem.memory.members.noted import note_role
from gitmem.memory.members.own_role import need_rank
from gitmem.memory.members.roster import my_name, read_member
from gitmem.memory.members.rotation import epoch_extras, finish
from gitmem.store.layout import member_path


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal did or (`dry_run`) would do.

    `read` are the records that the leaver could read, ids by scope; `secrets` the fields of those that hold what looks like a
    secret, by id: each must be changed where it opens something. `epochs` are the new keys by scope, `resealed` how many
    records were sealed with them.
    """

    member: str
    dry_run: bool
    read: dict[str, list[str]]
    secrets: dict[str, list[str]] = field(default_factory=dict)
    epochs: dict[str, str] = field(default_factory=dict)
    resealed: int = 0
    problems: list[str] = field(default_factory=list)


def taken_by(context: Context, name: str) -> Taken:
    """What a member would take with them. Raises as `remove` does."""
    with context.store.lock:
        _check(context, members_of(context), name)
        return taken(context, readable(context, name))


def remove(context: Context, name: str, *, dry_run: bool = False, shown: Taken | None = None) -> Removed:
    """Remove a member: they sign nothing more that counts, and open nothing that is written from here on.

    What was `shown` before (`taken_by`) is not looked for again.
    Killed anywhere, it was done or not; what is sealed in older keys then is sealed anew by running `rotate`, or a sync.
    Raises GitmemError for one who may not, and for the last admin.
    """
    store = context.store
    with store.lock:
        members = members_of(context)
        _check(context, members, name)
        scopes = readable(context, name)
        found = taken(context, scopes, shown)
        if dry_run:
            return Removed(name, dry_run, found.read, found.secrets)
        commit(context)
        members = members_of(context)
        ours = [scope for scope in scopes if store.vault.opens(scope)]
        keys = [extra for scope in ours for extra in epoch_extras(context, members, scope, without=name)]
        commit(context, f"gitmem: {name} is no member any more", [_leaving(context, members, name), *keys])
    done = finish(context, ours)
    others = [_not_ours(context, scope, name) for scope in scopes if scope not in ours]
    return Removed(name, dry_run, found.read, found.secrets, done.epochs, done.resealed, [*done.problems, *others])


def set_role(context: Context, name: str, role: str) -> Members:
    """Give a member another role. Raises GitmemError for one who may not, UsageError for a role that there is not."""
    if role not in ROLES:
        raise UsageError(f"there is no role {role[:40]!r}", f"the roles are: {', '.join(ROLES)}")
    with context.store.lock:
        commit(context)
        members = members_of(context)
        need_rank(context, members, Rank.ADMIN, "give somebody another role")
        _known(members, name)
        if members.admins() == [name] and role != "admin":
            raise GitmemError(f"{name} is the last admin", "make somebody else an admin first: gitmem member role NAME admin")
        pen = _pen(context, name)
        pen.set("role", unsealed(role))
        pen.live()
        extra = Extra(member_path(name), emit(pen.state), ROLE, role_detail(name, role))
        commit(context, f"gitmem: {name} is {role}", [extra])
        note_role(context)
        return members_of(context)


def readable(context: Context, name: str) -> list[str]:
    """The scopes whose newest key is wrapped to somebody."""
    vault = context.store.vault
    return [scope for scope in vault.scopes() if name in vault.holders(scope, vault.newest_epoch(scope))]


def _not_ours(context: Context, scope: str, name: str) -> str:
    """What is left to do for a scope whose key we lack ourselves, and so cannot replace."""
    vault = context.store.vault
    left = [each for each in vault.holders(scope, vault.newest_epoch(scope)) if each not in (name, RECOVERY)]
    if not left:
        return f"{scope} has nobody left who opens it"
    return (
        f"{scope} still has the key that {name} knows; one of {', '.join(left)} has to run: gitmem key rotate --scope {scope}"
    )


def _check(context: Context, members: Members, name: str) -> None:
    if name != my_name(context):
        need_rank(context, members, Rank.ADMIN, "remove a member")
    _known(members, name)
    if members.admins() == [name]:
        raise GitmemError(f"{name} is the last admin", "make somebody else an admin first: gitmem member role NAME admin")


def _known(members: Members, name: str) -> None:
    if name not in members.by_name:
        gone = " any more" if name in members.removed else ""
        raise UsageError(f"{name[:63]!r} is no member{gone}", "`gitmem member list`")


def _leaving(context: Context, members: Members, name: str) -> Extra:
    ends: dict[str, int] = {}
    for segment in segments_here(context):
        if members.holder(segment.key) == name:
            ends[segment.writer] = max(segment.head.seq, ends.get(segment.writer, 0))
    pen = _pen(context, name)
    pen.die()
    return Extra(member_path(name), emit(pen.state), REMOVE, remove_detail(name, ends))


def _pen(context: Context, name: str) -> Pen:
    store, path = context.store, member_path(name)
    state = read_member(context, name) or State("member", 1, "store", f"m-{name}")
    return Pen(state, store.writer_for(path, state))
