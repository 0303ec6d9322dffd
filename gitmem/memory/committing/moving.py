"""Moving the branch with index and work tree behind it, so that what a killed process left half done is finished by the next.

Git moves a branch, writes its index and writes the work tree one after the other. Before the first step the intent is noted,
durably; it is taken back after the last one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from gitmem.core.auditing.audit import Head, segment_path
from gitmem.git.commits import refresh_index
from gitmem.git.repo import Repo
from gitmem.git.worktree import write_worktree
from gitmem.memory.auditing.chain import note_head, spelled
from gitmem.memory.committing.own_log import was_committed
from gitmem.memory.context import Context

_NOTE = "moving"


@contextmanager
def moving(context: Context, old: str | None, target: str = "", segment: Head | None = None) -> Iterator[None]:
    """Note that the branch is about to leave the commit `old` (None: unborn), for the tree of `target` if that is known yet.

    In the block index and work tree follow. An error in it leaves the note, and the next command puts things right. `segment`
    is the end of our chain as the branch gets it: that place is taken, should git take it out again before we look.
    """
    context.store.marks.set_note(_NOTE, f"{old or ''} {target} {spelled(segment) if segment else ''}")
    yield
    context.store.marks.set_note(_NOTE, "")


def finish_move(context: Context) -> None:
    """Finish what a killed process began: where the branch has moved, index and work tree follow, else they go back.

    Files that somebody edited meanwhile are left alone. So are all of them where somebody began an orphan branch meanwhile,
    which is to begin with what index and work tree hold: no move of ours goes from a commit to none. Called under the
    store's lock.
    """
    note = context.store.marks.note(_NOTE)
    if not note:
        return
    repo = context.store.repo
    old, target, *segment = note.split(" ", 2)
    if segment and segment[0]:
        wrote = Head(*json.loads(segment[0]))
        if was_committed(context, segment_path(wrote.writer, wrote.segment)):
            note_head(context, wrote)
    head = repo.head() or ""
    start = (target or head) if head == old else old
    orphan = bool(old) and not head
    if not orphan and start != head and all(not name or _has(repo, name) for name in (start, head)):
        changes = repo.diff(start or None, head or None)
        refresh_index(repo, changes)  # first: it fails while a git that was left behind is still at work
        write_worktree(repo, changes)
    context.store.marks.set_note(_NOTE, "")


def _has(repo: Repo, name: str) -> bool:
    return repo.call("cat-file", "-e", name).code == 0
