"""Finding: match, search, list, show and conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmem.core.schema import Kind
from gitmem.core.usage import usage_from
from gitmem.errors import GitmemError
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context
from gitmem.memory.learn import count
from gitmem.memory.locate import locate
from gitmem.memory.results import Hit, Match, Record
from gitmem.memory.view import record_of
from gitmem.store.opened import open_state

if TYPE_CHECKING:
    from gitmem.store.index import Entry


def match(context: Context, text: str, limit: int = 5, where: Mapping[str, str] | None = None) -> list[Match]:
    """The records that answer an error, best first; empty when nothing is close enough to be right.

    Each record that is returned counts as matched. That is a note on a read: it is journalled without waiting for the disk, and
    a store that cannot be written to still answers.
    """
    from gitmem.store.recall import recall

    found = recall(current_index(context), text, limit, where or {}, context.clock())
    matches = [
        Match(
            id=scored.entry.id,
            kind=scored.entry.kind,
            score=scored.score,
            confidence=scored.confidence,
            fields=_nested(context, scored.entry),
            usage=usage_from(scored.entry.usage, scored.entry.last),
            why=list(scored.why),
        )
        for scored in found
    ]
    _count_matches(context, [scored.entry.path for scored in found])
    return matches


def search(context: Context, text: str, kind: str | None = None, limit: int = 10) -> list[Hit]:
    """Records that hold the words, best first."""
    from gitmem.store.recall import search as search_index

    found = search_index(current_index(context), text, kind, limit)
    return [Hit(s.entry.id, s.entry.kind, s.score, _nested(context, s.entry)) for s in found]


def get(context: Context, beginning: str) -> Record:
    """One record by its id or the beginning of it, with who wrote each of its concurrent values."""
    path = locate(context, beginning)
    state = context.store.read(path)
    if state is None:
        raise GitmemError(f"{path} is gone", "`gitmem doctor` tells what happened to the file")
    opened = open_state(context.store.vault, state)

    def author(key: str) -> tuple[str, str] | None:
        from gitmem.memory.audit import who_wrote

        return who_wrote(context.store.root, path, key)

    return record_of(opened, context.kinds.get(state.kind, state.schema), author=author)


def listing(
    context: Context, kind: str | None = None, tag: str | None = None, scope: str | None = None, limit: int = 50
) -> list[Record]:
    """Records that stand, the latest changed first."""
    entries = current_index(context).list(kind=kind, scope=scope, tag=tag, limit=limit)
    return [record for record in (_record(context, entry) for entry in entries) if record is not None]


def conflicts(context: Context) -> list[Record]:
    """Records with concurrent values that wait for a person."""
    return [get(context, record_id) for record_id in current_index(context).conflicted()]


def headline(context: Context, kind: str, fields: Mapping[str, Any]) -> str:
    """The one line a record is known by: its kind's headline field, first line."""
    name = context.kinds.get(kind).headline
    value: Any = fields
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    lines = str(value).strip().splitlines()
    return lines[0] if lines else ""


def _record(context: Context, entry: Entry) -> Record | None:
    state = context.store.read(entry.path)
    if state is None:
        return None
    return record_of(open_state(context.store.vault, state), context.kinds.get(state.kind, state.schema))


def _nested(context: Context, entry: Entry) -> dict[str, Any]:
    kind: Kind = context.kinds.get(entry.kind)
    return kind.join(entry.fields, entry.sets)


def _count_matches(context: Context, paths: list[str]) -> None:
    if not paths:
        return
    try:
        count(context, [(path, {"matched": 1}, "matched", []) for path in paths], sync=False)
    except GitmemError as error:
        context.warn(f"the answer stands, but that it was given could not be counted: {error.message}")
