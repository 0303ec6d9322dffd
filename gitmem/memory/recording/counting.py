"""Counting what happened to records: each count is a fragment in the journal that adds and overwrites nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitmem.core.edit import counted
from gitmem.errors import UsageError
from gitmem.memory.context import Context
from gitmem.memory.locate import gone, locate
from gitmem.memory.members.noted import allows
from gitmem.memory.members.own_role import need_role
from gitmem.memory.privacy.consent import USAGE
from gitmem.store.layout import id_at
from gitmem.store.store import Write


def used(context: Context, beginning: str, *, fixed: bool, ms: int | None = None) -> None:
    """Count one try of a record: whether it fixed the problem, and how long that took in milliseconds."""
    names = {"fixed" if fixed else "failed": 1}
    if ms is not None:
        if type(ms) is not int or not 0 <= ms < 1 << 53:  # True or 1.5 would be written as such, and never parsed again
            raise UsageError(f"{ms!r} is no whole number of milliseconds", "give the time the fix took, such as --ms 1500")
        names |= {"ms": ms, "timed": 1}
    need_role(context, keyless=True)
    path = locate(context, beginning)
    event = {"op": "used", "id": id_at(path), "at": context.now(), "fixed": fixed, "ms": ms}
    count(context, [(path, names, "used", [event] if allows(context, USAGE, keyless=True) else [])])


def count(context: Context, counts: Iterable[tuple[str, dict[str, int], str, list[Any]]], *, sync: bool = True) -> None:
    """Raise counters of records, each (path, amounts by counter, the `last` time to touch, events), as one append.

    The events get the writer and what the first of the counters has come to: a name that no other event has.
    """
    store = context.store
    with store.lock:
        store.refresh()
        writes = []
        for path, names, last, events in counts:
            state = store.read(path)
            if state is None:
                raise gone(context, path)
            writer = store.writer_for(path, state)
            fragment = counted(state, writer, names, {last: context.now()})
            n = next(by_writer[writer] for by_writer in fragment.counts.values())
            named = [event | {"by": writer, "n": n} for event in events]
            writes.append(Write(path, fragment, whole=False, events=named))
        store.write(writes, sync=sync)
