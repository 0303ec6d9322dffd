"""Erasing records from HEAD and from this clone, at once and signed for: see `core.erasure`.

It does not wait for other replicas, as `gc` does. A record's grave says which writes it had seen: whatever turns up of them
later, in an old clone, a backup or a side ref, is buried by every merge and every read. What somebody wrote to the record
without having heard of the erasure stands by itself and is contested, as with any deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from gitmem.core.auditing.audit import ERASE
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit
from gitmem.core.collected import empty_list, grave_in, list_of, with_graves
from gitmem.core.dots import dot_of
from gitmem.core.erasure import erased, erased_at, erased_detail
from gitmem.core.membership.members import Rank
from gitmem.core.merge import merge
from gitmem.core.record import Json, State
from gitmem.errors import GitmemError, UsageError
from gitmem.git import remote
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.branch import require_branch
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.committing.own_log import own_names
from gitmem.memory.context import Context
from gitmem.memory.locate import buried, gone, locate
from gitmem.memory.members.own_role import may_write, need_role
from gitmem.memory.privacy.purge import purge, replayed
from gitmem.memory.privacy.redaction import in_the_clear
from gitmem.memory.privacy.remains import Remaining, remains
from gitmem.memory.results import Redaction
from gitmem.store.files import inside

_MAX_BASIS = 200


@dataclass(frozen=True, slots=True)
class Erased:
    """One record: its id, kind and scope, and how many values of it were erased, in `registers` or (empty) in all."""

    id: str
    kind: str
    scope: str
    values: int
    registers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EraseReport:
    """What was erased (or, when `dry_run`, would be), and where copies may remain. `notes` say what was out of reach,
    `redacted` what was replaced in the grounds that were given."""

    dry_run: bool
    erased: list[Erased]
    remains: list[Remaining]
    commit: str | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    redacted: tuple[Redaction, ...] = ()


def erase(context: Context, ids: Sequence[str], *, basis: str | None = None, dry_run: bool = False) -> EraseReport:
    """Erase records, each named by its id or a unique beginning. One commit; nothing is changed with `dry_run`.

    `basis` says on what grounds; it stands in the log, in the clear, redacted as a record is.
    Raises GitmemError for a record that is not there or was erased before, NoKey without the identity that signs, and for a
    scope that is sealed to a member who is no admin.
    """
    check_basis(basis)
    basis, found = in_the_clear(context, "basis", basis)
    store = context.store
    with store.lock:
        store.refresh()
        paths = sorted({_find(context, one) for one in ids})
        states = {path: _state(context, path) for path in paths}
        for one in states.values():
            _need_right(context, one)
        gone = [Erased(one.id, one.kind, one.scope, _values(one)) for one in states.values()]
        if dry_run:
            return EraseReport(True, gone, remains(context, paths), redacted=found)
        made = bury(context, states, {} if basis is None else {"basis": basis})
        return EraseReport(False, gone, remains(context, paths), *made, redacted=found)


def undone(context: Context) -> dict[str, State]:
    """The graves of records that were erased, and that neither HEAD nor the remote's branch as of the last fetch knows to be,
    by the path of the record's file.

    A `git reset` went back behind a commit of this clone's before anybody else had it, or a restore of an older backup behind
    any. What stands here again is not read, but is shared.
    """
    store, own, told = context.store, own_names(context), replayed(context)
    graves = {path: grave for path, grave in store.graves.noted().items() if path in told or _is_by(own, grave)}
    source = remote.upstream(store.repo, store.repo.branch()) if graves else None
    for known in (store.repo.head(), source and store.repo.ref(source.tracking)):
        lists = contents_at(context, known, sorted({list_of(path) for path in graves}))
        graves = {path: grave for path, grave in graves.items() if not _says(lists.get(list_of(path)), path, grave)}
    return graves


def _is_by(names: tuple[str, ...], grave: State) -> bool:
    return any(dot_of(key).writer.rpartition("-")[0] in names for key in grave.life)


def _says(listing: bytes | None, path: str, grave: State) -> bool:
    """Whether a list of collected records has a grave of the record that says no less."""
    state = parse_or_none(listing, list_of(path))
    known = None if state is None else grave_in(state, path)
    return known is not None and merge(known, grave) == known


def erase_again(context: Context) -> list[str]:
    """Sign once more for what was erased, where a reset or a restore took that back (see `undone`); the ids of what it was.

    To be called under the store's lock, with nothing recorded that is not committed. Without the right to it nothing is done.
    """
    graves = {path: grave for path, grave in undone(context).items() if _is_entitled(context, grave)}
    held = contents_at(context, context.store.repo.head(), sorted(graves))
    entries = [_entry_again(context, path, held.get(path), grave) for path, grave in graves.items()]
    if entries:
        commit(context, f"gitmem: {len(entries)} erased again", [*entries, *_lists(context, graves)])
        purge(context, graves.keys())
    return sorted(grave.id for grave in graves.values())


def _is_entitled(context: Context, state: State) -> bool:
    try:
        need_role(context)
        _need_right(context, state)
    except GitmemError:
        return False
    return True


def _need_right(context: Context, state: State) -> None:
    """Raise NoKey for one who is no admin and lacks the scope's key: they can take nothing out of it."""
    if not may_write(context, Rank.ADMIN):
        context.store.sealing(state)


def _entry_again(context: Context, path: str, held: bytes | None, grave: State) -> Extra:
    """The entry that `bury` made, and the record as its grave leaves it: what was written since, not having heard, stands."""
    before = parse_or_none(held, path)
    left = None if before is None else context.store.graves.bury(path, before)
    told = erased_detail(_before(grave)) | {"values": _values(before) if before else 0}
    if left is None:
        return Extra(path, None, ERASE, record_detail(before, grave) | told, complete=held is None)
    if left != before:
        return Extra(path, emit(left), ERASE, told)
    return Extra(path, held, ERASE, record_detail(_before(grave), grave) | told, complete=True)


def _before(grave: State) -> State:
    """The record as it was erased, without its values: what had been seen before its death was written."""
    state = grave.copy()
    state.life = {}
    for dot in map(dot_of, grave.life):
        state.seen[dot.writer] = dot.n - 1
    return state


def check_basis(basis: str | None) -> None:
    """Raise UsageError for words that cannot stand in the log."""
    if basis is not None and (not basis.isprintable() or len(basis) > _MAX_BASIS):
        raise UsageError("the basis is one line of at most 200 characters", "--basis 'request 4711'")


def _find(context: Context, beginning: str) -> str:
    try:
        return locate(context, beginning)
    except UsageError:
        raise
    except GitmemError:
        collected = buried(context, beginning)
        if len(collected) != 1:
            raise
        return collected[0]


def _state(context: Context, path: str) -> State:
    """All that is known of a record, or its grave if it was collected. Raises GitmemError where it was erased before."""
    state, grave = context.store.read(path), context.store.graves.of(path)
    if state is not None:
        return state
    if grave is None:
        raise gone(context, path)
    if when := erased_at(grave):
        raise GitmemError(f"{grave.id} was erased on {when[:10]}", "`gitmem erase --history` takes it out of git's history")
    return grave


def _values(state: State) -> int:
    return sum(len(register) for _, register in state.registers())


def bury(
    context: Context,
    states: Mapping[str, State],
    told: dict[str, Json],
    redacted: Mapping[str, State] = MappingProxyType({}),
    extras: Iterable[Extra] = (),
) -> tuple[str | None, list[str]]:
    """Write the graves, remove the files, sign for it; then purge this clone. The commit, and what it left out.

    `redacted` are records that stay, as they are to stand, and `extras` their entries. Called under the store's lock.
    """
    store = context.store
    require_branch(context)
    need_role(context)
    store.vault.signing_key()  # before anything is gone
    snapshots.before(context, "erase", without=[*states, *redacted])
    held = contents_at(context, store.repo.head(), list(states))
    graves = {path: erased(state, store.writer_for(path, state), context.now()) for path, state in states.items()}
    entries = [_entry(path, states[path], held.get(path), grave, told) for path, grave in graves.items()]
    store.expunge({**graves, **redacted})
    purge(context, redacted)  # and again below: killed between the two, nothing would tell this clone of its own redaction
    for path in states.keys() - held.keys():
        inside(store.root, path).unlink(missing_ok=True)  # no commit ever held it, and none will
    made = commit(context, _message(states, redacted), [*entries, *_lists(context, graves), *extras])
    store.graves.note(graves.values())
    purge(context, states.keys() | redacted.keys())
    return (made.commit, made.skipped) if made else (None, [])


def _message(states: Mapping[str, State], redacted: Mapping[str, State]) -> str:
    parts = [f"{len(some)} {what}" for some, what in ((states, "erased"), (redacted, "redacted")) if some]
    return f"gitmem: {', '.join(parts) or 'erased from what was'}"


def _entry(path: str, state: State, held: bytes | None, grave: State, told: dict[str, Json]) -> Extra:
    """The file's removal with its evidence: what HEAD held by its hash, each value by its write, and how many there were."""
    before = parse_or_none(held, path)
    detail = record_detail(before, grave) | erased_detail(state) | {"values": _values(state)} | told
    return Extra(path, None, ERASE, detail, complete=held is None)


def _lists(context: Context, graves: Mapping[str, State]) -> Iterable[Extra]:
    store, known = context.store, context.store.graves.lists()
    by_list: dict[str, list[State]] = {}
    for path, grave in graves.items():
        by_list.setdefault(list_of(path), []).append(grave)
    for path, some in sorted(by_list.items()):
        listing = known.get(path) or empty_list(path)
        yield Extra(path, emit(with_graves(listing, store.writer_for(path, listing), some)), ERASE)
