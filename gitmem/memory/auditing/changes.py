"""What entries about records changed, in the values people wrote: the contents are found in git by their hashes."""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.core.codec import parse
from gitmem.core.merge import normalise
from gitmem.core.record import State
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.auditing import acts
from gitmem.memory.auditing.contents import Contents
from gitmem.memory.auditing.history import read_history
from gitmem.memory.auditing.log import LogEntry
from gitmem.memory.context import Context
from gitmem.memory.diff import use_lines, value_lines


def entry_diffs(context: Context, entries: Iterable[LogEntry]) -> list[list[str]]:
    """For each entry the lines that changed; why not, where a content is not in this history or its key is not ours."""
    entries = list(entries)
    paths = sorted({entry.object for entry in entries if entry.record})
    if not paths:
        return [[] for _ in entries]
    contents = Contents(context.store.repo, read_history(context.store.repo, context.store.prefix, paths=paths))
    wanted = {digest for entry in entries if entry.record for digest in (entry.before, entry.after) if digest in contents.ids}
    loaded = contents.load(digest for digest in wanted if digest is not None)
    shown: dict[str, State] = {}
    lines = [_lines(context, entry, loaded, shown) if entry.record else [] for entry in entries]
    acts.note_reads(context, shown.values())
    return lines


def _lines(context: Context, entry: LogEntry, loaded: dict[str, bytes], shown: dict[str, State]) -> list[str]:
    """The lines for one entry; a record whose values they tell is added to `shown`."""
    missing = [digest for digest in (entry.before, entry.after) if digest is not None and digest not in loaded]
    if missing:
        return ["! a merge or a rewritten history left no such content: it was joined with other changes on the way"]
    try:
        before, after = (_state(entry.object, loaded.get(digest or "")) for digest in (entry.before, entry.after))
        values = [] if after is None else value_lines(context, before, after)
    except NoKey:
        return ["! its values are sealed with a key that you do not have"]
    except GitmemError as error:
        return [f"! {error.message}"]
    if after is None:
        return []
    if values:
        shown[after.id] = after
    return [*values, *use_lines(before, after)]


def _state(path: str, data: bytes | None) -> State | None:
    return None if data is None else normalise(parse(data, path))
