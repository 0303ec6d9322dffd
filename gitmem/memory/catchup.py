"""Bringing the index up to what the store holds: one mechanism for our own writes, other processes' and what sync brought.

The index knows a commit and a place in the journal. What changed since is what git names between that commit and HEAD, and what
the journal holds beyond that place; only those records are read again. Without a usable index everything is.

A file that somebody has changed by hand, or checked out as it once was, is indexed as it lies there. It may go back to what
HEAD holds, and neither HEAD nor the journal tells of that: such files are remembered with what HEAD has in their place, and
read again each time until they hold that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.core.usage import totals
from gitmem.errors import DamagedKey, GitmemError, Locked, NoKey
from gitmem.memory.context import Context
from gitmem.store.layout import KEYS, MEMORY, id_at, is_record_path
from gitmem.store.opened import Opened, open_state

if TYPE_CHECKING:
    from gitmem.core.record import State
    from gitmem.store.index import Entry, Index
    from gitmem.store.journal import Position

FILE = "index.db"
_BATCH = 500  # records a transaction


def current_index(context: Context) -> Index:
    """The index, opened and caught up.

    A damaged one is made anew. On a disk that is read-only or full a copy of it (sealed as it is) serves this process alone.
    """
    context.store.refresh()
    folder = context.store.local
    try:
        return _current(context, folder)
    except (NoKey, Locked):
        raise
    except GitmemError as error:
        for again in (folder, None):
            _close(context)
            with suppress(GitmemError, OSError):
                return _current(context, again or _copied(folder))
        raise error


def indexed_position(context: Context) -> Position | None:
    """The place in the journal up to which the index was brought when it was last used; None without a usable one."""
    folder = context.store.local
    if context.index is None and (folder / FILE).exists():
        with suppress(GitmemError):
            context.index = _index_in(context, folder)
    told = None
    with suppress(GitmemError):  # it was found damaged meanwhile
        told = context.index.get_meta("journal") if context.index else None
    return _position(told) if told else None


def _current(context: Context, folder: Path) -> Index:
    if context.index is None:
        context.index = _index_in(context, folder)
    _catch_up(context, context.index)
    return context.index


def _index_in(context: Context, folder: Path) -> Index:
    from gitmem.store.index import Index

    return Index.open(folder / FILE, context.store.vault.index_key(context.store.replica.name))


def _close(context: Context) -> None:
    if context.index is not None:
        context.index.close()
        context.index = None


def drop_index(context: Context) -> bool:
    """Remove the index with all it holds, if there is one; the next read builds it again."""
    _close(context)
    there = (context.store.local / FILE).exists()
    for file in context.store.local.glob(f"{FILE}*"):
        file.unlink(missing_ok=True)
    return there


def _copied(folder: Path) -> Path:
    """A directory with a copy of the index, which goes when this process ends."""
    import atexit
    import shutil
    import tempfile

    copy = Path(tempfile.mkdtemp(prefix="gitmem-index-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for file in folder.glob(f"{FILE}*"):
        shutil.copy(file, copy)
    return copy


def _catch_up(context: Context, index: Index) -> None:
    store = context.store
    head, position = store.repo.head() or "", list(store.journal.position)
    known = index.get_meta("commit")
    told = index.get_meta("journal")
    unlike: dict[str, str | None] = json.loads(index.get_meta("unlike") or "{}")
    if known == head and told == _spell(position) and not unlike:
        return
    whole, counted = _journalled(context, told)
    paths = whole | unlike.keys()
    if known != head:
        changed, doubtful = _changed(context, known, head)
        paths |= changed
        unlike |= doubtful
        paths |= _unsealed(context, index.sealed(), known, head)
    unlike = _unlike(context, unlike)
    _reindex(context, index, sorted(paths))
    with index.transaction():
        _recount(context, index, counted - paths)
        index.set_meta("unlike", json.dumps(unlike))
        index.set_meta("commit", head)
        index.set_meta("journal", _spell(position))


def _spell(position: Iterable[int]) -> str:
    return ":".join(map(str, position))


def _position(spelt: str) -> Position:
    number, _, offset = spelt.partition(":")
    return int(number), int(offset)


def _journalled(context: Context, told: str | None) -> tuple[set[str], set[str]]:
    """The records with states, and those with counters only, that were journalled after `told`."""
    journal = context.store.journal
    entries = journal.since(_position(told or "0:0"))
    return {e.path for e in entries if e.whole}, {e.path for e in entries if not e.whole}


def _changed(context: Context, known: str | None, head: str) -> tuple[set[str], dict[str, str | None]]:
    """Record paths that differ between two commits (all there are where the first is not known any more).

    With them those whose files may be unlike what HEAD holds, and what that is.
    """
    store = context.store
    below = [store.prefix + MEMORY]
    if known and store.repo.resolve(known):
        unlike = _records(store.prefix, ((change.path, change.new) for change in store.repo.diff(known, head or None, below)))
        return set(unlike), unlike
    edited = store.repo.edited(head, below) if head else []
    return set(filter(is_record_path, _walk(store.root))), _records(store.prefix, ((each.path, each.old) for each in edited))


def _unsealed(context: Context, sealed: Iterable[str], known: str | None, head: str) -> set[str]:
    """Those of the sealed records that may open now: all, if key files came between two commits."""
    store, waiting = context.store, {*sealed}
    if not waiting or not known or not store.repo.resolve(known):
        return set()
    return waiting if store.repo.diff(known, head or None, [store.prefix + KEYS]) else set()


def _records(prefix: str, blobs: Iterable[tuple[str, str | None]]) -> dict[str, str | None]:
    inside = ((path.removeprefix(prefix), blob) for path, blob in blobs)
    return {path: blob for path, blob in inside if is_record_path(path)}


def _unlike(context: Context, blobs: Mapping[str, str | None]) -> dict[str, str | None]:
    """Those of the paths whose files do not hold these blobs."""
    if not blobs:
        return {}
    from gitmem.git.worktree import holds

    store = context.store
    return {path: blob for path, blob in blobs.items() if not holds(store.repo, store.prefix + path, blob)}


def _walk(root: Path) -> Iterator[str]:
    for file in (root / MEMORY).rglob("*.yaml"):
        yield file.relative_to(root).as_posix()


def _reindex(context: Context, index: Index, paths: list[str]) -> None:
    remaining = iter(paths)
    done = 0
    while batch := list(islice(remaining, _BATCH)):
        with index.transaction():
            entries = [entry for entry in (_entry(context, path) for path in batch) if entry is not None]
            kept = {entry.id for entry in entries}
            index.remove(id_at(path) for path in batch if id_at(path) not in kept)
            for kind in {entry.kind for entry in entries}:
                index.put([entry for entry in entries if entry.kind == kind], _weights(context, kind))
        done += len(batch)
        if len(paths) > _BATCH:
            context.progress("indexing", done, len(paths))


def _recount(context: Context, index: Index, paths: Iterable[str]) -> None:
    for path in paths:
        try:
            state = context.store.read(path)
        except GitmemError as error:  # its file was damaged since; what the index knows of it stands
            context.warn(f"not indexed: {error.message}")
            continue
        if state is not None:
            index.set_usage(state.id, totals(state), state.last)


def _weights(context: Context, kind: str) -> dict[str, float]:
    try:
        return context.kinds.get(kind).weights()
    except GitmemError:
        return {}  # a kind of a newer gitmem: its records can be listed and merged, not searched


def _entry(context: Context, path: str) -> Entry | None:
    from gitmem.store.index import Entry

    store = context.store
    try:
        state = store.read(path)
        if state is None:
            return None
        opened = _opened(context, state)
    except GitmemError as error:
        context.warn(f"not indexed: {error.message}")
        return None
    return Entry(
        id=state.id,
        kind=state.kind,
        scope=state.scope,
        path=path,
        alive=state.alive,
        conflicts=len(opened.conflicts) + state.contested if opened else 0,
        fields=opened.fields if opened else {},
        sets=opened.sets if opened else {},
        usage=totals(state),
        last=dict(state.last),
        sealed=opened is None,
    )


def _opened(context: Context, state: State) -> Opened | None:
    """The values of a record, None if it is sealed to us: that it is there can be told all the same."""
    try:
        return open_state(context.store.vault, state)
    except (NoKey, DamagedKey):
        return None
