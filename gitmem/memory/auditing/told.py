"""What the events tell of that changed no record: reads, denials, exports, keys put to use; for who can open the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from gitmem.core.auditing.parse import parse_segment
from gitmem.core.nearest import counted
from gitmem.errors import GitmemError, NoKey, Tampered
from gitmem.memory.auditing import acts
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.auditing.log import LogEntry, Wanted
from gitmem.memory.committing.events import every_batch, read_events
from gitmem.memory.context import Context
from gitmem.memory.locate import locate
from gitmem.store.layout import parse_record_path

_WORDS = {
    acts.READ: "read",
    acts.DENIED: "was refused",
    acts.REFUSED: "had no right to",
    acts.EXPORT: "exported",
    acts.OPENED: "first used the key",
    acts.BACKUP: "made or rotated the backup",
    acts.DRILL: "drilled with the backup",
    acts.RESTORE: "restored records to what they were at",
}
ACTS: Final = frozenset(_WORDS)
"""The words for what changes nothing, as `audit log --acts` knows them."""
_TIMES = "\N{MULTIPLICATION SIGN}"


def told_acts(context: Context, **wanted: str | None) -> list[LogEntry]:
    """The acts in all batches of events, newest first, asked for as in the log. Of batches sealed to others it warns."""
    members, wanted_lists = _members(context), _lists_with(context, wanted.get("target"))
    asked = Wanted.of(**wanted)
    of_lists = replace(asked, target=None)
    found = [entry for writer, event in _events(context) if (entry := _entry(members.get(writer, writer), writer, event))]
    fitting = (one for one in found if asked.fits(one) or (one.object in wanted_lists and of_lists.fits(one)))
    return sorted(fitting, key=lambda entry: entry.time, reverse=True)


def _lists_with(context: Context, target: str | None) -> set[str]:
    """The lists that a record was in if it was in any: who asks who has read it is told of them as well."""
    try:
        scope, kind, _ = parse_record_path(locate(context, target or ""))
    except GitmemError:
        return set()
    return acts.lists_with(scope, kind)


def _events(context: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    sealed = list[str]()

    def read(context: Context, path: str, data: bytes) -> list[dict[str, Any]]:
        try:
            return read_events(context, path, data)
        except NoKey:
            sealed.append(path)
        except (GitmemError, ValueError):
            pass  # no batch, which `audit verify` names
        return []

    for writer, events in every_batch(context, read):
        yield from ((writer, event) for event in events if event.get("op") in _WORDS)
    if sealed:
        context.warn(f"not shown: {counted(len(sealed), 'file')} of events, sealed with keys that you do not have")


def _members(context: Context) -> dict[str, str]:
    """Who signs each chain, by its first segment."""
    found: dict[str, str] = {}
    for path, file in segment_files(context.store.root):
        writer = path.split("/")[2]
        if writer not in found:
            try:
                found[writer] = parse_segment(file.read_bytes(), path).entries[0].subject
            except Tampered:
                found[writer] = writer
    return found


def _entry(member: str, writer: str, event: dict[str, Any]) -> LogEntry | None:
    at, one, op, times = (event.get(name) for name in ("at", "id", "op", "times"))
    if not (isinstance(at, str) and isinstance(one, str) and isinstance(op, str) and isinstance(times, int)):
        return None
    is_list = op == acts.READ and "/" in one
    record = one if op in (acts.READ, acts.DENIED) and not is_list else None
    words = f"{_WORDS[op]}{' a list of' if is_list else ''} {one}" + (f" {times}{_TIMES}" if times > 1 else "")
    return LogEntry(at, member, op, one, record, None, None, {op: times}, writer, 0, words)
