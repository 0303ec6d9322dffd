"""What changed since the last commit, in the values people wrote rather than in the files that hold them sealed."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.core.codec import parse
from gitmem.core.merge import normalise
from gitmem.core.record import State
from gitmem.core.usage import totals
from gitmem.errors import InvalidRecord, NoKey
from gitmem.memory.auditing import acts
from gitmem.memory.committing.held import contents_at, own_changes
from gitmem.memory.context import Context
from gitmem.memory.locate import locate
from gitmem.store.layout import is_record_path, parse_record_path
from gitmem.store.opened import Opened, open_state

_USE = ("matched", "fixed", "failed")


@dataclass(frozen=True, slots=True)
class RecordDiff:
    """One record that differs from the last commit: `what` is new, edited, used, forgotten or removed by hand."""

    id: str
    kind: str
    scope: str
    what: str
    lines: list[str] = field(default_factory=list)


def diff(context: Context, beginning: str | None = None) -> list[RecordDiff]:
    """The records that differ from HEAD, or the one that is named if it does; of sealed ones only that they do."""
    if beginning is not None:
        paths = [locate(context, beginning)]
    else:
        paths = sorted(filter(is_record_path, {*own_changes(context), *context.store.pending.paths()}))
    committed = contents_at(context, context.store.repo.head(), paths)
    found, shown = list[RecordDiff](), list[RecordDiff]()
    for path in paths:
        try:
            _compare(context, path, committed.get(path), found, shown)
        except InvalidRecord as error:
            if beginning is not None:
                raise
            context.warn(error.message)
    acts.note_reads(context, shown)
    return found


def _compare(context: Context, path: str, before: bytes | None, found: list[RecordDiff], shown: list[RecordDiff]) -> None:
    """Add how a record differs to `found` if it does, and to `shown` if that tells of its values."""
    old = None if before is None else normalise(parse(before, path))
    new = context.store.read(path)
    if old == new:
        return
    scope, kind, record_id = parse_record_path(path)
    if new is None:
        found.append(RecordDiff(record_id, kind, scope, "removed by hand; `gitmem commit` puts it back"))
        return
    opens = True
    try:
        lines = value_lines(context, old, new)
    except NoKey as error:
        opens = False
        lines = [f"! {error.message}"] if old is None or (old.fields, old.sets) != (new.fields, new.sets) else []
    found.append(RecordDiff(record_id, kind, scope, _what(old, new, lines), [*lines, *use_lines(old, new)]))
    shown += found[-1:] if opens and lines else []


def _what(old: State | None, new: State, lines: list[str]) -> str:
    if not new.alive:
        return "forgotten"
    if old is None or not old.alive:
        return "new"
    return "edited" if lines or old.life != new.life else "used"


def value_lines(context: Context, old: State | None, new: State) -> list[str]:
    """What became of a record's values, line by line; nothing for one that was forgotten. Raises NoKey."""
    from gitmem.core.diff import changes, set_changes

    was, now = _opened(context, old), _opened(context, new)
    if now is None or not new.alive:
        return []
    waiting = [f"! {name}: {len(values)} values wait for a choice" for name, values in now.conflicts.items()]
    old_fields, old_sets = (was.fields, was.sets) if was else ({}, {})
    return [*changes(old_fields, now.fields), *set_changes(old_sets, now.sets), *waiting]


def _opened(context: Context, state: State | None) -> Opened | None:
    return None if state is None else open_state(context.store.vault, state)


def use_lines(old: State | None, new: State) -> list[str]:
    """How often a record was used meanwhile, line by line."""
    before, after = totals(old) if old else {}, totals(new)
    rose = {name: after.get(name, 0) - before.get(name, 0) for name in _USE}
    return [f"+ {name}: {by} more, {after[name]} in all" for name, by in rose.items() if by]
