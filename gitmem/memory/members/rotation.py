"""New keys: an epoch for a scope, wrapped to whom it belongs, and what stands sealed anew with it.

One commit brings the epoch; from there on all that is written is sealed with it. What stands follows in commits of their own,
and wherever that is cut short, the next rotation or anybody's sync goes on (`keeping`): a value says which epoch it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitmem.core.auditing.audit import ROTATE
from gitmem.core.codec import emit
from gitmem.core.membership.members import RECOVERY, Members, Rank, rotate_detail
from gitmem.core.record import Json
from gitmem.core.token import epoch_order
from gitmem.errors import GitmemError, InvalidRecord, NoKey, UsageError
from gitmem.memory.auditing.floors import behind
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.own_role import need_rank
from gitmem.store.layout import MEMORY, key_path, link_path
from gitmem.store.opened import resealed

RESEAL = "reseal"
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the new epoch by scope, how many records were sealed anew, and what could not be."""

    epochs: dict[str, str]
    resealed: int
    problems: list[str] = field(default_factory=list)


def rotate(context: Context, scopes: Iterable[str] = ()) -> Rotated:
    """Make a new key for scopes (all that we open), and seal with it what stands.

    Raises GitmemError for one who may not, NoKey without the key that is to be replaced.
    """
    store = context.store
    with store.lock:
        commit(context)
        members = members_of(context)
        wanted = list(scopes) or [scope for scope in store.vault.scopes() if store.vault.opens(scope)]
        if store.vault.plain:
            raise UsageError("this store is open: it has no keys", "`gitmem status`")
        for scope in wanted:
            owners = members.scopes[scope].admins if scope in members.scopes else set[str]()
            need_rank(context, members, Rank.ADMIN, f"make a new key for {scope}", among=owners)
        snapshots.before(context, "rotate")
        extras = [extra for scope in wanted for extra in epoch_extras(context, members, scope)]
        commit(context, f"gitmem: a new key for {', '.join(wanted)}", extras)
    done = finish(context, wanted)
    left = [] if scopes else sorted({*store.vault.scopes()} - {*wanted})
    told = [f"{scope} has the key it had: {_held(context, scope)}" for scope in left]
    return Rotated(done.epochs, done.resealed, [*done.problems, *told])


def _held(context: Context, scope: str) -> str:
    """Who could make a new key for a scope that we do not open."""
    holders = context.store.vault.holders(scope, context.store.vault.newest_epoch(scope))
    return f"only who opens it makes a new one: {', '.join(name for name in holders if name != RECOVERY) or 'nobody'}"


def finish(context: Context, scopes: Iterable[str]) -> Rotated:
    """Seal anew what stands in older epochs of the scopes."""
    scopes = list(scopes)
    count, problems = reseal(context, waiting(context, scopes))
    if scopes and members_of(context).recovery is None:
        problems.append("this store was founded before it could name its recovery identity, which does not open new keys")
    return Rotated({scope: context.store.vault.newest_epoch(scope) for scope in scopes}, count, problems)


def epoch_extras(context: Context, members: Members, scope: str, without: str | None = None) -> list[Extra]:
    """The files of a scope's next epoch, for all whom it belongs to but one; it is in use from here on."""
    from gitmem.crypto.keys import new_epoch, wrap, wrap_before

    vault = context.store.vault
    newest = vault.current(scope)
    key = new_epoch(scope, epoch_order(newest.epoch)[0] + 1, newest.id_key)
    told = rotate_detail(scope, key.epoch, key.commitment)
    links = [(link_path(scope, key.epoch, tip), wrap_before(key, vault.key(scope, tip))) for tip in vault.tips(scope)]
    to = readers(members, scope, without)
    vault.adopt(key, vault.identity)
    passed: dict[str, dict[str, Json]] = {name: {"member": name, "commitment": key.commitment} for name in to}
    return [
        *(Extra(path, data, "key" if number else ROTATE, told) for number, (path, data) in enumerate(links)),
        *(Extra(key_path(scope, key.epoch, name), wrap(key, *who), "key", passed[name]) for name, who in to.items()),
    ]


def readers(members: Members, scope: str, without: str | None = None) -> Mapping[str, list[str]]:
    """Whom a scope's key is wrapped to, by name with their recipients: its members, and the recovery recipient."""
    found = {member.name: sorted(member.recipients) for member in members.readers(scope) if member.name != without}
    recovery = members.recovery
    return found | ({RECOVERY: sorted(recovery.recipients)} if recovery else {})


def waiting(context: Context, scopes: Iterable[str]) -> list[str]:
    """The records at HEAD that hold values of an older epoch than their scope's newest."""
    store, head = context.store, context.store.repo.head()
    tree = store.repo.ls_tree(head, [f"{store.prefix}{MEMORY}/{scope}/" for scope in scopes]) if head and scopes else {}
    return older(context, {path.removeprefix(store.prefix): entry.id for path, entry in tree.items()})


def older(context: Context, blobs: Mapping[str, str]) -> list[str]:
    """Those of some records (path -> blob) that hold values of an older epoch than their scope's newest, if we have its key."""
    vault = context.store.vault
    newest = {
        scope: vault.newest_epoch(scope) for scope in vault.scopes() if len(vault.epochs(scope)) > 1 and vault.opens(scope)
    }
    return list(behind(context.store.repo, newest, blobs))


def strangers(context: Context, members: Members) -> dict[str, list[str]]:
    """Whom the newest keys are wrapped to although they may not read, by scope: a key that one admin made while another
    removed somebody wins if its name sorts higher."""
    vault, found = context.store.vault, dict[str, list[str]]()
    for scope in [] if vault.plain else vault.scopes():
        entitled = {RECOVERY, *(member.name for member in members.readers(scope))}
        if some := sorted(set(vault.holders(scope, vault.newest_epoch(scope))) - entitled):
            found[scope] = some
    return found


def reseal(context: Context, todo: list[str]) -> tuple[int, list[str]]:
    """Seal what records hold in older epochs with the newest; (how many records, what could not be)."""
    done, problems = 0, list[str]()
    for start in range(0, len(todo), _AT_ONCE):
        paths = todo[start : start + _AT_ONCE]
        context.progress("sealing anew", done, len(todo))
        with context.store.lock:
            commit(context)
            held = contents_at(context, context.store.repo.head(), paths)
            extras = [extra for path in held if (extra := _again(context, path, held[path], problems))]
            if extras:
                commit(context, f"gitmem: {len(extras)} sealed anew", extras)
        done += len(paths)
    return len(todo) - len(problems), problems


def _again(context: Context, path: str, data: bytes, problems: list[str]) -> Extra | None:
    from gitmem.memory.soundness import sound_state

    try:
        state = sound_state(path, data)
        return Extra(path, emit(resealed(context.store.vault, state)), RESEAL)
    except (NoKey, InvalidRecord) as error:
        problems.append(f"{path} is as it was: {error.message}")
    except GitmemError as error:
        problems.append(f"{path} cannot be read and is as it was: {error.message}")
    return None
