"""Bringing records to the newest version of their kind, and back: see `core.migrations` for what a step is.

All records go in one commit, which is made only when every one of them was worked out and fits: a step that fails leaves
everything as it was. Stores of mixed versions keep working, so that nobody has to wait for anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitmem.core.migrations import open_steps, roll_back, steps_of
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, NoKey
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.recording.together import commit_together
from gitmem.memory.upkeep.migrating import brought_to
from gitmem.store.layout import MEMORY, is_record_path

MIGRATE: Final = "migrate"
_SHOWN: Final = 3
_PROGRESS_STEP: Final = 500


@dataclass(frozen=True, slots=True)
class KindVersions:
    """How the records of one kind stand: by version how many there are, and how many wait to be brought to the newest."""

    kind: str
    newest: int
    versions: dict[int, int]
    waiting: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """One record that is (or would be) brought from version `schema` to `to`, and the fields that are written by it."""

    id: str
    kind: str
    scope: str
    schema: int
    to: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a migration did (or, when `dry_run`, would do). `problems` say which records stay as they are, and why."""

    dry_run: bool
    records: list[Migrated]
    sealed: int
    problems: list[str] = field(default_factory=list)
    commit: str | None = None
    snapshot: str | None = None


def detect(context: Context, kind: str | None = None) -> list[KindVersions]:
    """How the records stand of each kind that has more than one version, or of one kind. Needs no key."""
    context.store.refresh()
    return [_versions(context, name, newest) for name, newest in _kinds(context, kind).items()]


def plan(context: Context, kind: str | None = None) -> MigrationReport:
    """What `run` would do, with nothing changed."""
    context.store.refresh()
    return _report(_Work(context, kind, _forward(context)), dry_run=True)


def run(context: Context, kind: str | None = None) -> MigrationReport:
    """Bring the records (of one kind) to its newest version, all or none, after a snapshot. Those sealed to us stay.

    Raises InvalidRecord for a record that the newest version does not take, and GitmemError as `commit` does; nothing has
    changed then.
    """
    return _carry_out(context, kind, "migrate", lambda: _forward(context))


def rollback(context: Context, kind: str | None = None, *, dry_run: bool = False) -> MigrationReport:
    """Take back what migrations worked out, all or none, after a snapshot; what people wrote since stays.

    A record keeps its version number, as merging demands: the fields are what counts.
    """
    if dry_run:
        context.store.refresh()
        return _report(_Work(context, kind, _backward), dry_run=True)
    return _carry_out(context, kind, "migrate rollback", lambda: _backward)


_Step = Callable[[State], State]


class _Work:
    """Every record that a step changes, worked out in memory."""

    def __init__(self, context: Context, kind: str | None, step: _Step) -> None:
        self.states: dict[str, tuple[State, State]] = {}
        self.sealed = 0
        self.problems: list[str] = []
        for path, state in _records(context, _kinds(context, kind)):
            try:
                new = step(state)
            except NoKey:
                self.sealed += 1
            except InvalidRecord as error:
                self.problems.append(f"{state.id} stays at version {state.schema}: {error.message}")
            else:
                if new is not state:
                    self.states[path] = state, new


def _forward(context: Context) -> _Step:
    return lambda state: brought_to(context, state, context.kinds.get(state.kind), again=True) if state.alive else state


def _backward(state: State) -> State:
    return roll_back(state, steps_of(state.kind))


def _report(work: _Work, *, dry_run: bool, made: str | None = None, snapshot: str | None = None) -> MigrationReport:
    records = [_told(old, new) for old, new in work.states.values()]
    return MigrationReport(dry_run, records, work.sealed, work.problems, made, snapshot)


def _told(old: State, new: State) -> Migrated:
    names = sorted(name for name in old.fields.keys() | new.fields.keys() if old.fields.get(name) != new.fields.get(name))
    return Migrated(old.id, old.kind, old.scope, old.schema, new.schema, names)


def _carry_out(context: Context, kind: str | None, what: str, step: Callable[[], _Step]) -> MigrationReport:
    store = context.store
    with store.lock:
        store.refresh()
        need_role(context)
        commit(context)
        work = _Work(context, kind, step())
        if work.problems:
            some = "; ".join(work.problems[:_SHOWN])
            raise InvalidRecord(
                f"nothing was migrated: {some}", "`gitmem edit ID` mends a record; `gitmem migrate plan` lists them"
            )
        if not work.states:
            return _report(work, dry_run=False)
        snapshot = snapshots.before(context, what).ref
        count = f"{len(work.states):,} record{'s' if len(work.states) > 1 else ''}"
        new = {path: state for path, (_, state) in work.states.items()}
        made = commit_together(context, f"gitmem: {what}: {count}", MIGRATE, new)
        return _report(work, dry_run=False, made=made, snapshot=snapshot)


def _versions(context: Context, kind: str, newest: int) -> KindVersions:
    versions: dict[int, int] = {}
    waiting = 0
    for _, state in _records(context, [kind]):
        if state.alive:
            versions[state.schema] = versions.get(state.schema, 0) + 1
            waiting += state.schema < newest or bool(open_steps(state, steps_of(kind), again=True))
    return KindVersions(kind, newest, dict(sorted(versions.items())), waiting)


def _kinds(context: Context, only: str | None) -> dict[str, int]:
    """The kinds that have more than one version, or the one that is named, each with its newest. Raises InvalidRecord."""
    if only is not None:
        return {only: context.kinds.get(only).version}
    found: dict[str, int] = {}
    for name in context.kinds.names():
        try:
            found[name] = context.kinds.get(name).version
        except GitmemError as error:
            context.warn(f"passed over: {error.message}")
    return {name: version for name, version in found.items() if version > 1}


def _records(context: Context, kinds: Iterable[str]) -> Iterator[tuple[str, State]]:
    """The records of these kinds in the order of their paths; what is none is passed over, and `gitmem doctor` tells of it."""
    store, kinds = context.store, set(kinds)
    files = {path for kind in kinds for path in _files(store.root, kind)}
    files |= {path for path in store.pending.paths() if is_record_path(path) and path.split("/")[-3] in kinds}
    for number, path in enumerate(sorted(files)):
        if number % _PROGRESS_STEP == 0:
            context.progress("reading", number, len(files))
        try:
            state = store.read(path)
        except InvalidRecord as error:
            context.warn(f"passed over: {error.message}")
            continue
        if state is not None:
            yield path, state


def _files(root: Path, kind: str) -> Iterator[str]:
    for scope in ("*", "*/*"):
        for file in (root / MEMORY).glob(f"{scope}/{kind}/*/*.yaml"):
            path = file.relative_to(root).as_posix()
            if is_record_path(path):
                yield path
