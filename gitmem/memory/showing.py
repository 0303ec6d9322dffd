"""Showing records: one, a list, those in conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.errors import NoKey
from gitmem.memory import acts
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context, kind_to_show
from gitmem.memory.locate import gone, locate
from gitmem.memory.results import Record
from gitmem.memory.scopes import known_scope
from gitmem.memory.view import record_of, sealed_record
from gitmem.store.opened import open_state

if TYPE_CHECKING:
    from gitmem.store.index import Entry


def get(context: Context, beginning: str) -> Record:
    """One record by its id or the beginning of it, with who wrote each of its concurrent values."""
    context.store.refresh()
    path = locate(context, beginning)
    state = context.store.read(path)
    if state is None:
        raise gone(context, path)
    try:
        opened = open_state(context.store.vault, state)
    except NoKey:
        acts.note(context, acts.DENIED, [state.id])
        raise
    acts.note(context, acts.READ, [state.id])

    def author(key: str) -> tuple[str, str] | None:
        from gitmem.memory.audit import who_wrote

        return who_wrote(context.store.root, path, key)

    return record_of(opened, kind_to_show(context, state), author=author)


def listing(
    context: Context, kind: str | None = None, tag: str | None = None, scope: str | None = None, limit: int = 50
) -> list[Record]:
    """Records that stand, the latest changed first; those that are sealed to us are told of, too."""
    if scope is not None:
        known_scope(context, scope)
    entries = current_index(context).list(kind=kind, scope=scope, tag=tag, limit=limit)
    return [record for record in (_record(context, entry) for entry in entries) if record is not None]


def conflicts(context: Context, scope: str | None = None) -> list[Record]:
    """Records with concurrent values that wait for a person."""
    if scope is not None:
        known_scope(context, scope)
    return [get(context, record_id) for record_id in current_index(context).conflicted(scope)]


def _record(context: Context, entry: Entry) -> Record | None:
    state = context.store.read(entry.path)
    if state is None:
        return None
    try:
        return record_of(open_state(context.store.vault, state), kind_to_show(context, state))
    except NoKey:
        return sealed_record(state)
