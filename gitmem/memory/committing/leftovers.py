"""What a killed process left in the work tree: taken out of the way before anything is committed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from gitmem.memory.checkup.halves import half_written, is_cut_off, set_aside
from gitmem.memory.committing.held import contents_at, own_changes
from gitmem.memory.committing.own_log import committed_once, own_logs
from gitmem.memory.context import Context
from gitmem.store.files import inside, is_abandoned
from gitmem.store.layout import AUDIT, EVENTS, MEMORY

_GROWING = (f"{MEMORY}/", f"{AUDIT}/", f"{EVENTS}/")


def drop_leftovers(context: Context, commits: Iterable[str | None], wanted: Collection[str] = ()) -> list[str]:
    """Remove what a killed process left in the work tree, and return the other paths of the store that were changed there.

    That is half-written files, and log files of ours that none of `commits` (HEAD, and what is being merged) holds, nor one
    that HEAD stood at: a commit was cut short, and the journal still has what they say. Half-written files of others are set
    aside. What is `wanted` stays.
    """
    store = context.store
    store.confirm()  # first: whoever takes a new name knows the old ones, whose files these may be
    changed = list(own_changes(context, merged=True))
    fresh = [path for path in own_logs(context, changed) if path not in wanted]
    unheld = set(fresh) - {path for commit in commits for path in contents_at(context, commit, fresh)}
    gone = unheld - committed_once(context, unheld).keys() | {path for path in changed if is_abandoned(path.rpartition("/")[2])}
    for path in gone:
        inside(store.root, path).unlink(missing_ok=True)
    gone |= _set_aside_halves(context, commits, {*changed} - {*fresh} - gone - {*wanted})
    forget_staged(context, gone)
    return [path for path in changed if path not in gone]


def forget_staged(context: Context, paths: Iterable[str]) -> None:
    """Take paths of the store out of git's index."""
    store = context.store
    names = "".join(f"{store.prefix}{path}\0" for path in sorted(paths))
    if names:
        store.repo.run("update-index", "--force-remove", "-z", "--stdin", input=os.fsencode(names))


def _set_aside_halves(context: Context, commits: Iterable[str | None], changed: Collection[str]) -> set[str]:
    pending = set(context.store.pending.paths())
    others = [
        path for path in sorted(changed) if path.startswith(_GROWING) and (path not in pending or is_cut_off(context, path))
    ]
    halves = set(half_written(context, others)) if others else set()
    halves -= {path for commit in commits for path in contents_at(context, commit, sorted(halves))}
    for path in halves:
        set_aside(context, path)
        context.warn(f"{path} was half written by a git that was killed: it is set aside, and the next sync brings it")
    return halves
