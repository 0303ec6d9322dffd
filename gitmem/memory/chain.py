"""This replica's place in the audit log: which chain it continues, and when it must begin a new one."""

from __future__ import annotations

import json
from collections.abc import Callable

from gitmem.core.audit import Change, Head, closing
from gitmem.memory.audit import heads
from gitmem.memory.context import Context

Chain = tuple[Head | None, list[Change]]
"""The head of the audit chain to continue (None: begin one), and the entries to open with."""


def own_chain(context: Context) -> Chain:
    """The chain to continue. Called under the lock, before anything is gathered.

    If the tree holds less of our chain than we wrote, history went back (a reset, another branch). To go on from there would
    fork the chain, so the writer is changed and the first entry of the new one says where the old one ends here.
    """
    store = context.store
    store.confirm()
    told = json.loads(store.marks.note("audit", "null"))
    if told is None:
        return heads(store.root).get(store.replica.writer), []  # one is there if we were killed before we noted our first
    written = Head(*told)
    held = heads(store.root).get(written.writer)
    if written.writer == store.replica.writer:
        if held is not None and held.seq >= written.seq:
            return held, []  # ahead of our note: the pre-commit hook wrote it, and git then committed
        store.rotate()
    return None, [closing(written.writer, held)]


def note_head(context: Context, head: Head) -> None:
    """Remember, durably, how far our chain goes."""
    context.store.marks.set_note("audit", json.dumps([head.writer, head.segment, head.seq, head.hash]))


def news(context: Context, *, everything: bool) -> tuple[dict[str, Head], Callable[[], None]]:
    """The heads of other chains that came in since our last segment, and how to note that we have told of them.

    The first segment of a chain tells of `everything`.
    """
    store = context.store
    told = {} if everything else json.loads(store.marks.note("told", "{}"))
    others = {name: head for name, head in heads(store.root).items() if name != store.replica.writer}
    now = {name: [head.seq, head.hash] for name, head in others.items()}
    fresh = {name: head for name, head in others.items() if told.get(name) != now[name]}
    return fresh, lambda: store.marks.set_note("told", json.dumps(now))
