"""Writes and uses in a record's file that nobody made: the traces of a bit that flipped on the disk.

A value that was damaged does not open. The rest of a file is in the clear and has no seal: a counter that reads 3 instead of 1
would be merged into every clone, and stay there, for counters only grow.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.core.dots import dot_of
from gitmem.core.merge import merge
from gitmem.core.record import State


def unwritten(state: State, known: State) -> str | None:
    """What `state` claims beyond `known` without bringing a write that would account for it, in words; None if nothing.

    `known` is all that is known of the record. A write changes a value or takes one away, and a file that somebody brought from
    elsewhere holds such writes; a file with the very values that are known, and more in its bookkeeping, was written by nobody.
    """
    for key in state.life.keys() - known.life.keys():  # no seal holds it to its place, as one holds a value
        if (dot := dot_of(key)).n <= known.seen.get(dot.writer, 0):
            return f"a life by write {dot.n} of {dot.writer}"
    joined = merge(known, state)
    return next(_claims(joined, known), None) if _same_values(joined, known) else None


def forgotten(state: State, committed: State) -> str | None:
    """What `state` lacks of a committed state although it holds the very same values, in words; None if nothing."""
    if not _same_values(state, committed):
        return None
    return next(_claims(merge(committed, state), state), None)


def _same_values(a: State, b: State) -> bool:
    return (a.fields, a.sets, a.life) == (b.fields, b.sets, b.life)


def _claims(joined: State, known: State) -> Iterator[str]:
    if joined.schema > known.schema:
        yield f"version {joined.schema} of its kind"
    for writer, number in joined.seen.items():
        if number > known.seen.get(writer, 0):
            yield f"write {number} of {writer}"
    for name, by_writer in joined.counts.items():
        for writer, count in by_writer.items():
            if count > known.counts.get(name, {}).get(writer, 0):
                yield f"`{name}` {count:,} times by {writer}"
    for name, time in joined.last.items():
        if time > known.last.get(name, ""):
            yield f"`{name}` at {time}"
