"""What goes into the next commit: journalled writes, events, hand edits, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from contextlib import suppress

from gitmem.core.auditing.audit import ATTEST, COLLECT, PRUNE, RESTORE, Change
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit, parse
from gitmem.core.collected import is_list_path
from gitmem.core.merge import merge_all, normalise
from gitmem.core.record import Json, State
from gitmem.core.retention import is_pruned
from gitmem.errors import InvalidRecord, NoKey
from gitmem.git.commits import refresh_index
from gitmem.memory.auditing import acts
from gitmem.memory.committing.batch import Batch, digest, operation
from gitmem.memory.committing.events import event_files, uncommitted_events
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.committing.own_log import Again, committed_once, leaving
from gitmem.memory.context import Context
from gitmem.memory.plaintext import refuse_plaintext
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import ATTRIBUTES, MAX_FILE, SCHEMAS, is_record_path
from gitmem.store.opened import resealed

_PROGRESS_STEP = 500


def gather(context: Context, head: str | None, changed: Iterable[str], dropped: Mapping[str, bytes]) -> Batch:
    """Collect the batch under the store's lock; `changed` are the store's paths that differ from HEAD in the work tree.

    `dropped` are log files that are neither in HEAD nor in the work tree, and are to be.
    Work-tree files of pending records are brought up to date on the way.
    """
    store = context.store
    batch = Batch()
    dirty = set(changed)
    paths = sorted(dirty | set(store.pending.paths()))
    records = [path for path in paths if is_record_path(path)]
    restored = _restored(store.pending.events)
    committed = contents_at(context, head, paths)
    again = committed_once(context, [path for path in dirty.difference(committed) if path.startswith("log/")])
    batch.again = Again.of({**again, **dropped})
    going = leaving(context, batch.again, head)
    records = [path for path in records if path not in going]
    for number, path in enumerate(records):
        if number % _PROGRESS_STEP == 0:
            context.progress("records", number, len(records))
        try:
            _gather_record(context, batch, path, committed.get(path), restored)
        except InvalidRecord as error:
            batch.skipped.append(error.message)
            batch.left.add(path)
    batch.records = len(batch.files)
    unchanged = (dirty & committed.keys() & set(records)) - batch.files.keys() - batch.left
    _stage_as_committed(context, head, sorted(unchanged))
    batch.files |= {**again, **dropped, **dict.fromkeys(going)}
    dirty -= going
    for path in sorted(dirty.difference(records, again, _as_committed(context, head, dirty, committed))):
        _gather_other(context, batch, path, committed.get(path))
    events = uncommitted_events(context, head)
    batch.acts = acts.waiting(context, anyway=bool(events or batch.changes))
    for path, data in event_files(context, [*events, *batch.acts]).items():
        batch.put(path, data, None, "events")
        batch.events = path
    return batch


def _gather_record(context: Context, batch: Batch, path: str, before: bytes | None, restored: Container[str]) -> None:
    store = context.store
    old = parse_or_none(before, path)
    on_disk = store.read_file(path)
    pending = store.pending.get(path)
    # What HEAD holds is joined in as well: a file that is older (a merge that was killed, a checkout) takes nothing back.
    parts = [state for state in (on_disk, pending, old) if state is not None]
    if not parts:
        return
    _refuse_damage(context, path, on_disk, parts[on_disk is not None :])
    state = store.graves.bury(path, merge_all(parts))
    if state is None:
        inside(store.root, path).unlink(missing_ok=True)  # collected, and brought back by a hand or a merge without gitmem
        grave = store.graves.of(path)
        batch.take(path, None, before, COLLECT, batch.again.detail(path, old, grave) if old and grave else {})
        return
    if on_disk is None and old is not None:  # a record's file goes only by `gc`: one that was removed by hand comes back
        batch.skipped.append(f"{path} had been removed by hand and was put back; `gitmem forget` deletes a record")
    old = old or store.graves.of(path)
    refuse_plaintext(context, state, path)
    with suppress(NoKey):  # who cannot read it leaves it sealed as it is
        state = resealed(store.vault, state)
    data = emit(state)
    if read_bounded(inside(store.root, path), MAX_FILE) != data:
        store.put_file(path, data)
    if data == before and pending is not None:
        _vouch(context, batch, path, state, data)
    op = _operation(batch.again.stood(path, old, state), state, restored, by_hand=pending is None)
    batch.take(path, data, before, op, batch.again.detail(path, old, state))


def _refuse_damage(context: Context, path: str, on_disk: State | None, known: list[State]) -> None:
    """Raise InvalidRecord if a file says what nobody can have written."""
    if on_disk is not None and on_disk not in known:
        from gitmem.memory.checkup.bitrot import refuse_damage  # which needs what needs this

        refuse_damage(context, path, on_disk, known)


def _restored(events: Iterable[Json]) -> set[str]:
    """The ids of the records that a restore wrote, by what the journal tells."""
    restores = (event for event in events if isinstance(event, dict) and event.get("op") == RESTORE)
    return {one for event in restores if isinstance(one := event.get("id"), str)}


def _operation(before: State | None, after: State, restored: Container[str], *, by_hand: bool) -> str:
    """What a change was. A pruning that was killed before its commit is one all the same, and can be undone as one; a restore
    as well, but for what it let go."""
    if before is not None and before.alive and is_pruned(after):
        return PRUNE
    if after.alive and after.id in restored:
        return RESTORE
    return "hand" if by_hand else operation(before, after)


def _vouch(context: Context, batch: Batch, path: str, state: State, data: bytes) -> None:
    """Sign for a write of ours that a plain `git commit` without our hook has taken into the history unsigned."""
    from gitmem.memory.auditing.log import is_signed

    held = digest(data)
    if held is not None and not is_signed(context.store.root, path, held):
        batch.changes.append(Change(ATTEST, path, held, held, record_detail(None, state, outside=True)))


def _as_committed(context: Context, head: str | None, dirty: Iterable[str], committed: Mapping[str, bytes]) -> list[str]:
    """Log files that are gone, or are as HEAD has them and not in the index, as a `git commit` leaves it that ran beside ours.

    They stand again, in the index as well.
    """
    store = context.store
    logs = [path for path in sorted(dirty) if path.startswith("log/") and path in committed]
    found = [p for p in logs if read_bounded(inside(store.root, p), MAX_FILE) in (None, committed[p])]
    for path in found:
        write_atomic(inside(store.root, path), committed[path])
    _stage_as_committed(context, head, found)
    return found


def _stage_as_committed(context: Context, head: str | None, paths: list[str]) -> None:
    """Have git's index hold what HEAD holds of paths of the store, whatever a checkout or a hand had staged."""
    repo, prefix = context.store.repo, context.store.prefix
    if paths:
        refresh_index(repo, repo.diff(None, head, [prefix + path for path in paths]), force=True)


def _gather_other(context: Context, batch: Batch, path: str, before: bytes | None) -> None:
    """Configuration, members, keys, schemas and attributes are taken as they lie; a log file that changed is not.

    What is gone of them is written again, but for a schema: whoever removes a member or a key says so to `commit`.
    """
    if not path.startswith(("log/", ".gitmem/")) and path != ATTRIBUTES:
        batch.skipped.append(f"{path} is no record and was left out")
        return
    data = read_bounded(inside(context.store.root, path), MAX_FILE)
    if data is None and before is not None and not path.startswith(f"{SCHEMAS}/") and not is_list_path(path):
        write_atomic(inside(context.store.root, path), before)  # a checkout that was killed, or a hand that slipped
        return
    if path.startswith("log/"):
        batch.skipped.append(
            f"{path} was changed by hand; logs are only added to: {context.store.git_hint('checkout HEAD --', path)}"
        )
        return
    detail: dict[str, Json] = {}
    if is_list_path(path) and before is not None:
        data = _grown(context, path, before, data)
    if path.endswith(".yaml") and data is not None:
        state = normalise(parse(data, path))
        data, detail = emit(state), batch.again.detail(path, parse_or_none(before, path), state)
    batch.take(path, data, before, "config", detail)


def _grown(context: Context, path: str, before: bytes, data: bytes | None) -> bytes:
    """A list of collected records that was changed by hand: it never says less than it did."""
    states = [state for version in (before, data) if (state := parse_or_none(version, path))]
    grown = emit(merge_all(states)) if states else before
    if grown != data:
        write_atomic(inside(context.store.root, path), grown)
    return grown
