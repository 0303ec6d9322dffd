"""When this replica's chain is due for a checkpoint, and what that says; see `core.auditing.checkpoint`.

The tree of the last one is noted, so that the next reads only what came since.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from gitmem.core.auditing.audit import Change, Head, segment_path
from gitmem.core.auditing.checkpoint import EVERY, checkpoint, leaves_of
from gitmem.core.auditing.merkle import Subtrees, grown
from gitmem.core.auditing.parse import parse_segment
from gitmem.memory.context import Context

_NOTE: Final = "checkpoint"


class _Noted(NamedTuple):
    """How far the last checkpoint went, and the tree there."""

    writer: str
    segment: int
    seq: int
    trees: Subtrees


class Due(NamedTuple):
    """A checkpoint to be signed, and what to note once a commit holds it."""

    change: Change
    note: str


def due(context: Context, head: Head | None) -> Due | None:
    """The checkpoint that the next segment after `head` is to begin with, if it is time for one.

    None where a file in the work tree is not what `head` follows: it is put back before there is one.
    """
    if head is None:
        return None
    noted = _noted(context, head)
    if head.seq - noted.seq < EVERY:
        return None
    paths = [segment_path(head.writer, number) for number in range(noted.segment + 1, head.segment + 1)]
    segments = [parse_segment((context.store.root / path).read_bytes(), path) for path in paths]
    follow = [*(one.entries[0].prev for one in segments[1:]), head.hash]
    if [one.head.hash for one in segments] != follow:
        return None
    trees = noted.trees
    for segment in segments:
        trees = grown(trees, leaves_of(segment))
    told = [head.writer, head.segment, head.seq, [[size, top.hex()] for size, top in trees]]
    return Due(checkpoint(head.writer, trees), json.dumps(told))


def note(context: Context, made: Due | None) -> None:
    """Remember, durably, that a checkpoint was committed."""
    if made is not None:
        context.store.marks.set_note(_NOTE, made.note)


def _noted(context: Context, head: Head) -> _Noted:
    told = json.loads(context.store.marks.note(_NOTE, "null"))
    if told is None or told[0] != head.writer or told[2] > head.seq:
        return _Noted(head.writer, 0, 0, [])
    return _Noted(told[0], told[1], told[2], [(size, bytes.fromhex(top)) for size, top in told[3]])
