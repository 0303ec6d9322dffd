"""Bringing back what was pruned: see `prune` for what an archive is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gitmem.core.auditing.audit import PRUNE, RESTORE, Entry, segment_path
from gitmem.core.edit import Pen
from gitmem.core.erasure import erased_at
from gitmem.core.record import State
from gitmem.core.retention import KEPT
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.auditing.vouched import entries_in
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import commit
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.recording.learn import bring_back
from gitmem.memory.recording.together import commit_together
from gitmem.store.layout import id_at, is_record_path
from gitmem.store.opened import Opened, open_state

LAST = "last"
_NAME = re.compile(r"([a-z0-9]{1,16}-[a-z0-9]{1,16})\.([1-9][0-9]{0,8})")
_PROGRESS_STEP = 500
_LIST = "`gitmem prune --list` shows the archives"


@dataclass(frozen=True, slots=True)
class Archive:
    """One pruning: its name, when (RFC 3339, UTC) and by whom it was signed, and the paths of what went."""

    name: str
    time: str
    member: str
    paths: list[str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that was not brought back, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What was brought back (or, when `dry_run`, would be) from an archive."""

    dry_run: bool
    archive: str
    restored: list[str]
    skipped: list[Skipped] = field(default_factory=list)
    commit: str | None = None
    snapshot: str | None = None


def archives(context: Context) -> list[Archive]:
    """Every pruning that the log tells of, the latest first."""
    found = []
    for _, file in segment_files(context.store.root):
        data = file.read_bytes()
        if f'"op":"{PRUNE}"'.encode() in data:
            entries = [entry for entry in entries_in(data) if entry.op == PRUNE and is_record_path(entry.object)]
            found += [_archive(entries, int(file.stem))] if entries else []
    return sorted(found, key=lambda one: (one.time, one.name), reverse=True)


def undo(context: Context, name: str, *, dry_run: bool = False) -> UndoReport:
    """Bring back the records of an archive (`last`: the latest), in one commit after a snapshot.

    What stands already is left alone; what was erased since, or cannot be read, is named. Raises GitmemError for an archive
    there is not.
    """
    store = context.store
    with store.lock:
        store.refresh()
        if not dry_run:
            need_role(context)
            commit(context)
        archive = _find(context, name)
        skipped: list[Skipped] = []
        states = dict(_restorable(context, archive, skipped))
        ids = [known.id for known, _ in states.values()]
        if dry_run or not states:
            return UndoReport(dry_run, archive.name, ids, skipped)
        snapshot = snapshots.before(context, "prune undo").ref
        again = {path: _again(context, path, *found) for path, found in states.items()}
        made = commit_together(context, f"gitmem: brought back {len(states):,}", RESTORE, again)
        return UndoReport(False, archive.name, ids, skipped, made, snapshot)


def _archive(entries: list[Entry], number: int) -> Archive:
    first = entries[0]
    return Archive(f"{first.writer}.{number}", first.time, first.subject, [entry.object for entry in entries])


def _find(context: Context, name: str) -> Archive:
    known = archives(context)
    if name == LAST and known:
        return known[0]
    found = [one for one in known if one.name == name]
    if not found:
        what = "nothing was pruned in this store" if name == LAST else f"there is no archive {name[:60]!r}"
        raise GitmemError(what, _LIST)
    return found[0]


def _restorable(context: Context, archive: Archive, skipped: list[Skipped]) -> Iterator[tuple[str, tuple[State, Opened]]]:
    """Of each record that can be brought back what is known of it, and its values; the others are noted."""
    before = _before(context, archive)
    for number, path in enumerate(archive.paths):
        if number % _PROGRESS_STEP == 0:
            context.progress("looking up", number, len(archive.paths))
        try:
            yield path, _found(context, path, before.get(path))
        except NoKey:
            skipped.append(Skipped(id_at(path), "it is sealed to you"))
        except GitmemError as error:
            skipped.append(Skipped(id_at(path), error.message))


def _found(context: Context, path: str, before: bytes | None) -> tuple[State, Opened]:
    store = context.store
    state, grave = store.read(path), store.graves.of(path)
    if state is not None and state.alive:
        raise GitmemError("it stands")
    if grave is not None and (when := erased_at(grave)):
        raise GitmemError(f"it was erased on {when[:10]}")
    whole = state if state is not None and (state.fields or state.sets) else parse_or_none(before, path)
    if whole is None:
        raise GitmemError("its values are not in this clone's history any more")
    return state or grave or whole, open_state(store.vault, whole)


def _again(context: Context, path: str, known: State, opened: Opened) -> State:
    """The record as it is to stand again: with its values, its counters, and a word that it is wanted."""
    pen = Pen(known, context.store.writer_for(path, known))
    bring_back(context, pen, opened)
    pen.state.schema = max(pen.state.schema, opened.state.schema)
    pen.live()
    pen.touch(KEPT, context.now())
    return pen.state


def _before(context: Context, archive: Archive) -> dict[str, bytes]:
    """What stood at the archive's paths before: in the parent of the commit that brought its segment, as far as it is known."""
    repo, match = context.store.repo, _NAME.fullmatch(archive.name)
    if match is None:
        return {}
    segment = context.store.prefix + segment_path(match[1], int(match[2]))
    commits = repo.run("log", "--diff-filter=A", "--format=%H %P", "HEAD", "--", segment).decode().split("\n")
    parents = commits[0].split()[1:]
    return contents_at(context, parents[0], archive.paths) if parents else {}
