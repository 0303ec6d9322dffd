"""Bringing records back to what they were at a moment: all of them, or those of a scope or kind, or one.

By default nothing is taken away: what was lost since is written anew, and what was written since stands, and is told of. What
is restored is written as everything else is, and signed for; a snapshot comes first. What was erased stays erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitmem.core.collected import bury
from gitmem.core.erasure import Rule, erased_at
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.errors import NoKey, UsageError
from gitmem.memory.auditing import acts
from gitmem.memory.backups import snapshots
from gitmem.memory.backups.moments import NEWEST, Moment, moment_of, paths_at, records_at
from gitmem.memory.backups.putting_back import Difference, compare, put_back, take_out
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.members.scopes import known_scope
from gitmem.memory.privacy.erasures import rules
from gitmem.memory.privacy.purge import replay_erasures
from gitmem.store.layout import MEMORY, is_record_path, parse_record_path
from gitmem.store.opened import Opened, open_state
from gitmem.store.store import Write

BACK, MERGED, REPLACED, FORGOTTEN = "brought back", "completed", "put back", "forgotten"
NEWER, SEALED, ERASED = "newer, kept", "sealed to you", "erased"
"""What becomes of a record: the first four change it, the others leave it as it is."""

_CHANGES = (BACK, MERGED, REPLACED, FORGOTTEN)


@dataclass(frozen=True, slots=True)
class Restored:
    """One record: what becomes of it, and its values line by line (`-` is what is, `+` what will be; `!` what stays newer)."""

    id: str
    kind: str
    scope: str
    what: str
    lines: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether it is written to."""
        return self.what in _CHANGES


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored (or, when `dry_run`, would be), to which moment: as it was named, and the commits that hold it."""

    dry_run: bool
    at: str
    moment: list[str]
    records: list[Restored]
    snapshot: str | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: those of a scope, of a kind, or whose id begins so; all of them, without any of these."""

    scope: str | None = None
    kind: str | None = None
    id: str | None = None

    def takes(self, path: str) -> bool:
        """Whether the record at a path is among them."""
        scope, kind, record = parse_record_path(path)
        return self.scope in (None, scope) and self.kind in (None, kind) and record.startswith(self.id or "")


ALL: Final = Selection()


@dataclass(frozen=True, slots=True)
class _Step:
    told: Restored
    path: str
    then: Opened | None = None
    different: Difference | None = None


def restore(  # noqa: PLR0913 (by name)
    context: Context,
    at: str | None = None,
    some: Selection = ALL,
    *,
    where: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
) -> RestoreReport:
    """Bring records back to what they were `at` a moment (see `moments`; the newest backup `where` they are, by default).

    With `replace` what was written since goes too, and records that came since are forgotten. Nothing is changed with
    `dry_run`. Raises UsageError for what names no moment, and what `commit` and reading a backup raise.
    """
    store = context.store
    with store.lock:
        store.refresh()
        if not dry_run:
            need_role(context)
            commit(context)
            replay_erasures(context)
        moment = moment_of(context, NEWEST if at is None else at, where)
        _require_any(context, moment, some)
        steps = [*_steps(context, moment, some, replace=replace)]
        told = [step.told for step in steps]
        if dry_run or not any(one.changes for one in told):
            return RestoreReport(dry_run, moment.at, moment.commits, told)
        snapshot = snapshots.before(context, "restore")
        store.write([_write(context, step, replace=replace) for step in steps if step.told.changes])
        acts.note(context, acts.RESTORE, [moment.at])
        changed = sum(one.changes for one in told)
        made = commit(context, f"gitmem: {changed} restored")
        return RestoreReport(False, moment.at, moment.commits, told, snapshot.ref, made.commit if made else None)


def _require_any(context: Context, moment: Moment, some: Selection) -> None:
    """Raise UsageError or InvalidRecord for a misspelt selection, of which it must not be said that nothing was lost."""
    if any(map(some.takes, paths_at(context, moment))):
        return
    if some.kind is not None:
        context.kinds.get(some.kind)
    if some.scope is not None:
        known_scope(context, some.scope)
    head = context.store.repo.head()
    now = {*paths_at(context, Moment("HEAD", [head] if head else [])), *filter(is_record_path, context.store.pending.paths())}
    if some.id is not None and not any(map(some.takes, now)):
        raise UsageError(f"no record of that moment begins with {some.id[:60]!r}", "leave --id out: --dry-run shows them all")


def _steps(context: Context, moment: Moment, some: Selection, *, replace: bool) -> Iterator[_Step]:
    """What is to be done about each record, by path; nothing for one that is as it was."""
    erased = rules(context)
    past = records_at(context, moment)
    for path in sorted(filter(some.takes, past)):
        step = _step(context, path, past[path], erased, replace=replace)
        if step is not None:
            yield step
    if replace:
        yield from _since(context, moment, some)


def _step(context: Context, path: str, old: State, erased: Mapping[str, Rule], *, replace: bool) -> _Step | None:
    store = context.store
    left = _unerased(context, path, old, erased)
    now = store.read(path)
    if left is None:
        return _Step(_told(path, ERASED), path) if now is None else None
    if not left.alive:
        return _Step(_told(path, FORGOTTEN), path) if replace and now is not None and now.alive else None
    try:
        then, today = open_state(store.vault, left), None if now is None else open_state(store.vault, now)
    except NoKey as error:
        return _Step(_told(path, SEALED, [f"! {error.message}"]), path)
    different = compare(then, today)
    what = _what(different, replace=replace)
    if what in (None, NEWER) and now is not None and merge(now, left) != now:
        what = MERGED  # counts, and writes that are in no value: HEAD does not descend from what holds them
    if what is None:
        return None
    return _Step(_told(path, what, _lines(then, today, different, replace=replace)), path, then, different)


def _unerased(context: Context, path: str, old: State, erased: Mapping[str, Rule]) -> State | None:
    """What may stand of an earlier state: nothing that was erased since, by the record's grave or by the log."""
    rule, grave = erased.get(path), context.store.graves.of(path)
    left = old if rule is None else rule.cleaned(old)
    if left is not None and grave is not None and erased_at(grave):
        left = bury(left, grave)
    return left


def _what(different: Difference, *, replace: bool) -> str | None:
    if different.gone:
        return BACK
    if different.writes(replace=replace):
        return REPLACED if replace else MERGED
    return NEWER if different.newer else None


def _lines(then: Opened, now: Opened | None, different: Difference, *, replace: bool) -> list[str]:
    """The values that a write changes, and in a merge those that it leaves."""
    from gitmem.core.diff import changes, set_changes

    fields, sets = (now.fields, now.sets) if now and not different.gone else ({}, {})
    if replace or different.gone:
        wanted, elements = then.fields, then.sets
    else:
        wanted = {**fields, **different.lost}
        names = sets.keys() | {name for name, _ in different.lost_elements}
        elements = {name: [*sets.get(name, []), *(v for n, v in different.lost_elements if n == name)] for name in names}
    newer = [] if replace else [f"! {name} was written since, and stays" for name in sorted(different.newer)]
    written = different.lost.keys() | (different.newer.keys() if replace else set())
    several = [
        f"! {name} had {len(then.conflicts[name])} values then; this is the one shown"
        for name in sorted(written & then.conflicts.keys())
    ]
    return [*changes(fields, wanted), *set_changes(sets, elements), *newer, *several]


def _since(context: Context, moment: Moment, some: Selection) -> Iterator[_Step]:
    """The records that stand today and were not there: with `replace` they go."""
    then = paths_at(context, moment)
    files = (context.store.root / MEMORY).rglob("*.yaml") if (context.store.root / MEMORY).is_dir() else ()
    for path in sorted({file.relative_to(context.store.root).as_posix() for file in files}):
        if is_record_path(path) and path not in then and some.takes(path):
            now = context.store.read(path)
            if now is not None and now.alive:
                yield _Step(_told(path, FORGOTTEN), path)


def _write(context: Context, step: _Step, *, replace: bool) -> Write:
    if step.then is None or step.different is None:
        now = context.store.read(step.path)
        assert now is not None  # noqa: S101 (it stood a moment ago, and we hold the lock)
        return take_out(context, step.path, now)
    return put_back(context, step.path, step.then, step.different, replace=replace)


def _told(path: str, what: str, lines: list[str] | None = None) -> Restored:
    scope, kind, record = parse_record_path(path)
    return Restored(record, kind, scope, what, lines or [])
