"""This replica's place in the audit log: which chain it continues, and when it must begin a new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from gitmem.core.auditing.audit import Change, Head, Segment, closing, place_of, segment_path
from gitmem.core.auditing.parse import parse_ends, parse_segment
from gitmem.errors import Tampered
from gitmem.memory.auditing.files import ends_of, heads, last_path
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.members.roster import own_key
from gitmem.store.layout import AUDIT

_SIGNER: Final = "audit signer"

Chain = tuple[Head | None, list[Change]]
"""The head of the audit chain to continue (None: begin one), and the entries to open with."""


def own_chain(context: Context) -> Chain:
    """The chain to continue. Called under the lock, before anything is gathered.

    If the tree holds less of our chain than we wrote, history went back (a reset, another branch). To go on from there would
    fork the chain, so the writer is changed and the first entry of the new one says where the old one ends here.

    A chain is its signer's alone. Where somebody else has signed in this clone (an agent with a key of its own, who lost
    theirs and came back) the writer is changed as well, and nothing is said of a chain that is not ours to close.
    """
    context.store.confirm()
    _step_aside(context)
    end, opening = _chain_here(context)
    if end is not None and not _is_ours(context, end):
        context.store.rotate()
        return None, []
    return end, opening


def _step_aside(context: Context) -> None:
    """Change the writer where git brought a file into our chain that is no segment: there is no going on from it.

    Raises Tampered where it is the work tree alone that holds such a file.
    """
    store = context.store
    path = last_path(store.root, store.replica.writer)
    if path is None:
        return
    try:
        _ends_in(context, path)
    except Tampered:
        if contents_at(context, store.repo.head(), [path]).get(path) != (store.root / path).read_bytes():
            raise
        store.rotate()


def _is_ours(context: Context, end: Head) -> bool:
    """Whether the key in use signed the segment at the end of a chain. Who has no key signs nothing."""
    own = own_key(context)
    return own is None or _ends_in(context, _path_of(end)).key == own


def _ends_in(context: Context, path: str) -> Segment:
    return parse_ends((context.store.root / path).read_bytes(), path)


def _chain_here(context: Context) -> Chain:
    store = context.store
    told = json.loads(store.marks.note("audit", "null"))
    begun = _last_read(context, store.replica.writer)
    if told is None or (begun is not None and told[0] != begun.writer):
        return begun, []  # one is there if we were killed before we noted our first
    written = Head(*told)
    held = _last_read(context, written.writer)
    if written.writer == store.replica.writer:
        if held is not None and held.seq >= written.seq:
            # Ahead of our note: the pre-commit hook wrote it, and git then committed.
            return (held if held.seq > written.seq else written), []
        store.rotate()
    if store.marks.note(_SIGNER) not in ("", own_key(context)):  # not ours to close, however much of it is left
        return None, []
    return None, [closing(written.writer, held and _quotable(context, [held]).get(written.writer, held))]


def _last_read(context: Context, writer: str) -> Head | None:
    """The end of the last file in a chain that is a segment."""
    for end in ends_of(context.store.root, writer):
        with suppress(Tampered):
            _ends_in(context, _path_of(end))
            return end
    return None


def note_head(context: Context, head: Head) -> None:
    """Remember, durably, how far our chain goes, and whose it is."""
    context.store.marks.set_notes({"audit": spelled(head), _SIGNER: own_key(context) or ""})


def spelled(head: Head) -> str:
    """A head as it is noted; `Head(*json.loads(…))` reads it."""
    return json.dumps([head.writer, head.segment, head.seq, head.hash])


def beware(context: Context, ours: str | None, theirs: str) -> str | None:
    """Take a new name if `theirs`, a commit to be taken in, holds more of our own chain than we wrote; returns what to say.

    Somebody else writes under our name then: a machine that was cloned, or this one before it was put back to a snapshot.
    """
    store = context.store
    writer = store.replica.writer
    changes = store.repo.diff(ours, theirs, [f"{store.prefix}{AUDIT}/{writer}"])
    places = [place_of(change.path.removeprefix(store.prefix)) for change in changes if change.new]
    told = json.loads(store.marks.note("audit", "null"))
    known = told[1] if told and told[0] == writer else 0
    if max((number for _, number in filter(None, places)), default=0) <= known:
        return None
    store.begin_anew()
    return (
        f"{writer} has written more than this clone remembers, so there are two of it, or it was put back to an earlier day; "
        f"from here on this one is {store.replica.name}"
    )


def news(
    context: Context, brought: Mapping[str, bytes | None], *, everything: bool
) -> tuple[dict[str, Head], Callable[[], None]]:
    """The heads of other chains that came in since our last segment, and how to note that we have told of them.

    That is what HEAD holds, and what the commit to be made brings itself: who puts a log back has seen it. The first segment
    of a chain tells of `everything`.
    """
    store = context.store
    told = {} if everything else json.loads(store.marks.note("told", "{}"))
    others = {name: head for name, head in heads(store.root).items() if name != store.replica.writer}
    now = {name: [head.seq, head.hash] for name, head in others.items()}
    fresh = {name: head for name, head in others.items() if told.get(name) != now[name]}
    held = _quotable(context, fresh.values())
    known = {name: head for name, head in others.items() if name not in fresh} | held
    held |= {
        end.writer: end for end in _ends(brought, store.replica.writer) if end.segment >= known.get(end.writer, end).segment
    }
    kept = {name: end for name, end in now.items() if name not in fresh}
    now = kept | {name: [head.seq, head.hash] for name, head in held.items()}
    return held, lambda: store.marks.set_note("told", json.dumps(now))


def _ends(files: Mapping[str, bytes | None], own: str) -> Iterator[Head]:
    """Where the segments among `files` end that are not our `own` writer's, of each writer the last one last."""
    segments = ((path, data) for path, data in sorted(files.items()) if data is not None and place_of(path))
    ends = (_end_in(path, data) for path, data in segments)
    return (end for end in ends if end is not None and end.writer != own)


def _quotable(context: Context, ends: Iterable[Head]) -> dict[str, Head]:
    """The ends that HEAD holds; of a chain that goes on with what is no segment there, the last one before that.

    Who quotes what no segment says would have signed for a log with a hole in it.
    """
    found: dict[str, Head] = {}
    waiting = {end.writer: ends_of(context.store.root, end.writer) for end in ends}
    while tried := {writer: end for writer, rest in waiting.items() if (end := next(rest, None))}:
        held = _held(context, tried.values())
        found |= {end.writer: end for end in held.values() if end is not None}
        unread = {writer for writer, end in tried.items() if held.get(_path_of(end), end) is None}
        waiting = {writer: waiting[writer] for writer in unread}
    return found


def _held(context: Context, ends: Iterable[Head]) -> dict[str, Head | None]:
    """By path what HEAD holds of the segments that end so: their ends there, None for one that is no segment.

    A file in the work tree may be damaged, or have the line ends of another system. What only the work tree holds may never be
    seen again: a reset or a backup left it.
    """
    found = contents_at(context, context.store.repo.head(), [_path_of(end) for end in ends])
    return {path: _end_in(path, data) for path, data in found.items()}


def _path_of(end: Head) -> str:
    return segment_path(end.writer, end.segment)


def _end_in(path: str, data: bytes) -> Head | None:
    try:
        return parse_segment(data, path).head
    except Tampered:
        return None
