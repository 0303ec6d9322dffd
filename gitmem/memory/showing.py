"""Showing records: one, a list, those in conflict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from gitmem.errors import DamagedKey, GitmemError, NoKey
from gitmem.memory.auditing import acts
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context, kind_to_show
from gitmem.memory.locate import gone, locate
from gitmem.memory.members.scopes import known_scope
from gitmem.memory.results import Record
from gitmem.memory.view import record_of, sealed_record
from gitmem.store.opened import open_state


def get(context: Context, beginning: str) -> Record:
    """One record by its id or the beginning of it, with who wrote each of its concurrent values."""
    context.store.refresh()

    def author(path: str, dot: str) -> tuple[str, str] | None:
        from gitmem.memory.auditing.log import who_wrote  # few records need it

        return who_wrote(context.store.root, path, dot)

    record = _whole(context, locate(context, beginning), author)
    acts.note(context, acts.READ, [record.id])
    return record


def those_at_hand(context: Context, ids: Iterable[str]) -> dict[str, Record]:
    """These records by id, as far as they stand and can be opened."""
    context.store.refresh()
    found: dict[str, Record] = {}
    for one in ids:
        try:
            record = _record(context, locate(context, one))
        except GitmemError:
            continue  # collected, erased, damaged: whoever asks for it by name is told
        if record is not None and not record.sealed:
            found[one] = record
    acts.note_reads(context, found.values())
    return found


def _whole(context: Context, path: str, author: Callable[[str, str], tuple[str, str] | None]) -> Record:
    """The record at `path`; `author` tells who wrote a dot of a path. Raises GitmemError for none, NoKey for a sealed one."""
    state = context.store.read(path)
    if state is None:
        raise gone(context, path)
    try:
        opened = open_state(context.store.vault, state)
    except NoKey:
        acts.note(context, acts.DENIED, [state.id])
        raise
    return record_of(opened, kind_to_show(context, state), author=partial(author, path))


def listing(
    context: Context, kind: str | None = None, tag: str | None = None, scope: str | None = None, limit: int = 50
) -> list[Record]:
    """Records that stand, the latest changed first; those that are sealed to us are told of, too."""
    if scope is not None:
        known_scope(context, scope)
    entries = current_index(context).list(kind=kind, scope=scope, tag=tag, limit=limit)
    found = [record for record in (_record(context, entry.path) for entry in entries) if record is not None]
    acts.note_reads(context, [record for record in found if not record.sealed])
    return found


def conflicts(context: Context, scope: str | None = None) -> list[Record]:
    """Records with concurrent values that wait for a person."""
    from gitmem.memory.auditing.log import who_wrote_each

    if scope is not None:
        known_scope(context, scope)
    ids = current_index(context).conflicted(scope)
    context.store.refresh()
    paths = [locate(context, one) for one in ids]
    author = who_wrote_each(context.store.root, paths)
    found = [_whole(context, path, author) for path in paths]
    acts.note_reads(context, found)
    return found


def _record(context: Context, path: str) -> Record | None:
    state = context.store.read(path)
    if state is None:
        return None
    try:
        return record_of(open_state(context.store.vault, state), kind_to_show(context, state))
    except (NoKey, DamagedKey):
        return sealed_record(state)
