"""Making scopes, letting members into them and out again: each is one signed commit of a few key files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmem.core.auditing.audit import SCOPE
from gitmem.core.membership.members import RECOVERY, Member, Members, Rank, own_scope, scope_detail
from gitmem.core.nearest import meant, shown
from gitmem.core.record import Json
from gitmem.core.token import EPOCH
from gitmem.errors import NoKey, UsageError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import TEAM, Context
from gitmem.memory.members.enrolment import wrapped_keys
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.leaving import Taken, taken
from gitmem.memory.members.own_role import need_rank
from gitmem.memory.members.roster import my_name
from gitmem.memory.members.scopes import check_scope, known_scope
from gitmem.store.layout import STORE_SCOPE

if TYPE_CHECKING:
    from gitmem.crypto.keys import EpochKey


@dataclass(frozen=True, slots=True)
class Granted:
    """A scope as it stands after a change: who holds its newest key, the key's epoch, and the commit that says so."""

    scope: str
    members: list[str]
    epoch: str
    commit: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """What leaving a scope did or (`dry_run`) would do: who is left, the new epoch, and how many records were sealed with it.

    `read` are the ids of the records that could be read, `secrets` the fields of those that hold what looks like a secret.
    """

    scope: str
    members: list[str]
    epoch: str
    resealed: int
    problems: list[str] = field(default_factory=list)
    dry_run: bool = False
    read: list[str] = field(default_factory=list)
    secrets: dict[str, list[str]] = field(default_factory=dict)


def add_scope(context: Context, name: str, names: Iterable[str] = ()) -> Granted:
    """Make a scope with a key of its own for these members and ourselves, who say from here on who belongs to it.

    Raises UsageError for a name that is taken or no scope's, or for somebody who is no member; GitmemError without the right.
    """
    store = context.store
    with store.lock:
        store.refresh()
        _check_new(context, name)
        who, me = members_of(context), my_name(context)
        need_rank(context, who, Rank.ADMIN, f"make the scope {name}", among=_who_may(who, name, [me]))
        wanted = sorted({me, *names})
        people = [_member(who, each) for each in wanted]
        from gitmem.crypto.keys import new_epoch

        key = new_epoch(name, 1)
        extras = [*_key_files(key, people), *_recovery_file(key, who)]
        extras[0] = _telling(extras[0], scope_detail(name, wanted))
        store.vault.adopt(key, store.vault.identity)
        return _committed(context, key, wanted, extras, f"gitmem: the scope {name} for {', '.join(wanted)}")


def make_own(context: Context, scope: str) -> None:
    """Make the scope that an agent's records go to, if there is none: for us, and for the agent where it is a member itself."""
    vault = context.store.vault
    if not vault.plain and not vault.epochs(scope):
        agent = scope.partition("/")[2]
        add_scope(context, scope, [agent] if agent in members_of(context).by_name else [])


def grant(context: Context, scope: str, name: str) -> Granted:
    """Let a member into a scope: all that was ever recorded in it, and all that will be.

    Raises UsageError for a scope or member there is not, NoKey without the scope's key, GitmemError without the right.
    """
    store = context.store
    with store.lock:
        store.refresh()
        _require_keys(context)
        known_scope(context, scope)
        who = members_of(context)
        member = _member(who, name)
        _need_right(context, who, scope)
        vault = store.vault
        keys = [vault.key(scope, epoch) for epoch in vault.tips(scope)]
        lacking = [key for key in keys if not vault.reaches(scope, key.epoch, name, member.recipients)]
        held = {*vault.holders(scope, keys[-1].epoch)} - {RECOVERY}
        if not lacking:
            raise UsageError(f"{name} holds the key of {scope} already", "`gitmem key status` shows who holds what")
        extras = wrapped_keys(lacking, name, member.recipients)
        if scope in who.scopes:
            extras[0] = _telling(extras[0], scope_detail(scope, [name]))
        return _committed(context, keys[-1], sorted({*held, name}), extras, f"gitmem: {name} is let into the scope {scope}")


def letting_in(context: Context, who: Members, scope: str, name: str, recipients: Iterable[str]) -> list[Extra]:
    """The files by which somebody who becomes a member in the same commit is let into a scope: one, for its newest key.

    Raises what `check_passing` raises.
    """
    check_passing(context, who, scope)
    vault = context.store.vault
    extras = wrapped_keys([vault.key(scope, epoch) for epoch in vault.tips(scope)], name, recipients)
    return [_telling(extras[0], scope_detail(scope, [name])), *extras[1:]]


def check_passing(context: Context, who: Members, scope: str) -> None:
    """Raise unless we can let a newcomer into a scope: UsageError for one that has no members of its own, GitmemError without
    the right, NoKey without its key."""
    _require_keys(context)
    known_scope(context, scope)
    if scope not in who.scopes:
        raise UsageError(f"{scope} is every member's", "leave it out: whoever joins can read it")
    _need_right(context, who, scope)
    vault = context.store.vault
    if all(vault.has(scope, epoch) for epoch in vault.tips(scope)):
        return
    held = " or ".join(each for each in vault.holders(scope, vault.newest_epoch(scope)) if each != RECOVERY) or "nobody"
    raise NoKey(
        f"none of your keys opens {scope}, so you can let nobody into it", f"an admin who holds its key can; held by {held}"
    )


def taken_from(context: Context, scope: str, name: str) -> Taken:
    """What a member who leaves a scope would take with them. Raises as `revoke` does."""
    with context.store.lock:
        _leaving(context, scope, name)
        return taken(context, [scope])


def revoke(context: Context, scope: str, name: str, *, dry_run: bool = False, shown: Taken | None = None) -> Revoked:
    """Take a member out of a scope: a new key for the others, and what stands sealed with it. What was read stays read.

    What was `shown` before (`taken_from`) is not looked for again.
    Raises UsageError for who is not in it, and where nobody would be left; NoKey and GitmemError as `grant` does.
    """
    from gitmem.memory.members.rotation import epoch_extras, finish

    store = context.store
    with store.lock:
        who, left = _leaving(context, scope, name)
        found = taken(context, [scope], shown)
        read, secrets = found.read[scope], found.secrets
        if dry_run:
            return Revoked(scope, left, store.vault.newest_epoch(scope), 0, [], dry_run, read, secrets)
        commit(context)
        heirs = left if who.scopes[scope].admins <= {name} else []
        extras = epoch_extras(context, who, scope, without=name)
        extras[-1] = _telling(extras[-1], scope_detail(scope, drop=[name], admins=heirs))
        commit(context, f"gitmem: {name} leaves the scope {scope}", extras)
    done = finish(context, [scope])
    return Revoked(scope, left, done.epochs[scope], done.resealed, done.problems, dry_run, read, secrets)


def _leaving(context: Context, scope: str, name: str) -> tuple[Members, list[str]]:
    """The members, and who is left in a scope without one of them. Raises unless they can be taken out of it, by us."""
    from gitmem.memory.members.rotation import readers

    context.store.refresh()
    _require_keys(context)
    known_scope(context, scope)
    who = members_of(context)
    _need_right(context, who, scope)
    left = sorted({*readers(who, scope, name)} - {RECOVERY})
    _check_leaving(context, who, scope, name, left)
    return who, left


def _check_leaving(context: Context, who: Members, scope: str, name: str, left: list[str]) -> None:
    if scope not in who.scopes:
        raise UsageError(f"{scope} is every member's", f"`gitmem member remove {name}` lets somebody go altogether")
    held = context.store.vault.holders(scope, context.store.vault.newest_epoch(scope))
    if name == RECOVERY or name not in {*who.scopes[scope].members, *held}:
        raise UsageError(f"{shown(name)} is not in the scope {scope}", "`gitmem scope list` shows who is")
    if not left:
        raise UsageError(f"nobody would be left in {scope}", f"let somebody else in first: `gitmem scope grant {scope} MEMBER`")


def _committed(context: Context, key: EpochKey, members: list[str], extras: list[Extra], message: str) -> Granted:
    made = commit(context, message, extras)
    return Granted(key.scope, members, key.epoch, made.commit if made else "")


def _key_files(key: EpochKey, members: Iterable[Member]) -> list[Extra]:
    """The epoch's key, wrapped to every recipient of each member."""
    return [file for member in members for file in wrapped_keys([key], member.name, member.recipients)]


def _recovery_file(key: EpochKey, who: Members) -> list[Extra]:
    """The same for the recovery identity, where the log says what its recipient is."""
    return _key_files(key, [who.recovery] if who.recovery else [])


def _telling(file: Extra, told: dict[str, Json]) -> Extra:
    """A key file whose entry says who belongs to the scope, too."""
    return Extra(file.path, file.data, SCOPE, file.detail | told)


def _check_new(context: Context, name: str) -> None:
    _require_keys(context)
    second = check_scope(name).partition("/")[2]
    if name in (TEAM, STORE_SCOPE) or EPOCH.fullmatch(second):
        raise UsageError(f"{shown(name)} is reserved", "give the scope another name, such as: ops")
    if context.store.vault.epochs(name):
        hint = f"`gitmem scope grant {name} MEMBER` lets somebody in, `gitmem scope list` shows who is"
        raise UsageError(f"there is a scope {shown(name)} already", hint)


def _require_keys(context: Context) -> None:
    if context.store.vault.plain:
        raise UsageError("a plain store has no keys, and all can read all of it", "a scope is made by its first record there")


def _need_right(context: Context, who: Members, scope: str) -> None:
    """Raise unless we say who belongs to the scope: an admin of it, or of the store."""
    owners = who.scopes[scope].admins if scope in who.scopes else ()
    need_rank(context, who, Rank.ADMIN, f"say who belongs to {scope}", among=_who_may(who, scope, owners))


def _who_may(who: Members, scope: str, names: Iterable[str]) -> list[str]:
    """Those of the names whose rank lets them have a say in a scope of theirs."""
    standing = [who.by_name[name] for name in names if name in who.by_name]
    return [each.name for each in standing if each.rank >= (Rank.SERVICE if scope == own_scope(each.name) else Rank.MEMBER)]


def _member(who: Members, name: str) -> Member:
    found = who.by_name.get(name)
    if found is None:
        why = f"there is no member {shown(name)}{meant(name, who.by_name)}"
        raise UsageError(why, f"the members are: {', '.join(sorted(who.by_name))}")
    return found
