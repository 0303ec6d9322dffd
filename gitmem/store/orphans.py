"""What was acknowledged in a linked work tree that is no more (`git worktree remove`, `prune`) is taken over by the others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from gitmem.core.merge import merge
from gitmem.errors import GitmemError
from gitmem.store.journal import REACH, Journal
from gitmem.store.layout import DAMAGED
from gitmem.store.lock import Lock
from gitmem.store.pending import Pending
from gitmem.store.store import Store, Write


def adopt(store: Store, left: Path) -> None:
    """Write what the journal below `left` holds into the journal of `store`, then remove it.

    Killed in between, it is done again, which changes nothing. On a disk that takes no writes it is left for another time:
    a read must work there. Its marks go as well, so that a work tree that takes the old one's place writes under a new name.
    A journal with damaged lines is kept, in the store's `damaged` directory: somebody may still make something of them.
    """
    lock = Lock(left / "lock")
    with suppress(GitmemError, OSError), store.lock, lock:
        journal = Journal(left / "journal")
        pending = Pending()
        pending.take(journal.refresh()[1])
        store.refresh()
        store.write(_writes(store, pending))
        journal.close()
        for name in ("marks", "replica.yaml", REACH):
            (left / name).unlink(missing_ok=True)
        if journal.damaged:
            _keep(left / "journal", store.local / DAMAGED, left.name)
        shutil.rmtree(left / "journal")
    lock.close()


def _keep(journal: Path, folder: Path, name: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = next(path for number in count() if not (path := folder / f"journal-of-{name}.{number}").exists())
    shutil.copytree(journal, kept)


def _writes(store: Store, pending: Pending) -> Iterator[Write]:
    """Each record that waits, joined with what this work tree knows of it; the events go with the first."""
    events = list(pending.events)
    for path in pending.paths():
        left, here = pending.get(path), store.read(path)
        if left is not None:
            joined = left if here is None else merge(here, left)
            yield Write(path, joined, whole=bool(joined.life), events=events)
            events = []
