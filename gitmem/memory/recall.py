"""Finding: the answer to an error, and records by words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmem.core.kinds.schema import unknown_kind
from gitmem.core.usage import usage_from
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.auditing import acts
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context
from gitmem.memory.members.noted import allows
from gitmem.memory.members.own_role import may_write
from gitmem.memory.members.scopes import known_scope, opens
from gitmem.memory.privacy.consent import READS
from gitmem.memory.results import Hit, Match

if TYPE_CHECKING:
    from gitmem.store.index import Entry


def match(
    context: Context, text: str, limit: int = 5, where: Mapping[str, str] | None = None, scope: str | None = None
) -> list[Match]:
    """The records that answer an error, best first; empty when nothing is close enough to be right.

    Each record that is returned counts as matched. That is a note on a read: it is journalled without waiting for the disk, and
    a store that cannot be written to still answers. Raises UsageError for a scope there is not.
    """
    from gitmem.store.recall import recall

    _check_scope(context, scope)
    found = recall(current_index(context), text, limit, where or {}, context.clock(), scope)
    matches = [
        Match(
            id=scored.entry.id,
            kind=scored.entry.kind,
            score=scored.score,
            confidence=scored.confidence,
            fields=_nested(context, scored.entry),
            usage=usage_from(scored.entry.usage, scored.entry.last),
            why=list(scored.why),
            conflicts=scored.entry.conflicts,
        )
        for scored in found
    ]
    acts.note_reads(context, [one.entry for one in found])
    _count_matches(context, [scored.entry.path for scored in found])
    return matches


def search(context: Context, text: str, kind: str | None = None, limit: int = 10, scope: str | None = None) -> list[Hit]:
    """Records that hold the words, best first. Raises InvalidRecord for a kind there is not, UsageError for a scope."""
    from gitmem.store.recall import search as search_index

    if kind is not None:
        context.kinds.get(kind)
    _check_scope(context, scope)

    found = search_index(current_index(context), text, kind, limit, scope)
    acts.note_reads(context, [one.entry for one in found])
    return [Hit(s.entry.id, s.entry.kind, s.score, _nested(context, s.entry)) for s in found]


def _check_scope(context: Context, scope: str | None) -> None:
    """Raise for a scope that an answer cannot come from: silence would be taken for an answer."""
    if scope is not None and not opens(context, known_scope(context, scope)):
        context.store.vault.current(scope)


def _nested(context: Context, entry: Entry) -> dict[str, Any]:
    try:
        kind = context.kinds.get(entry.kind)
    except InvalidRecord:
        kind = unknown_kind(entry.kind, 1)
    return kind.join(entry.fields, entry.sets)


def _count_matches(context: Context, paths: list[str]) -> None:
    if not paths or not allows(context, READS) or not may_write(context):
        return
    from gitmem.memory.recording.counting import count

    try:
        count(context, [(path, {"matched": 1}, "matched", []) for path in paths], sync=False)
    except GitmemError as error:
        context.warn(f"the answer stands, but that it was given could not be counted: {error.message}")
