"""A founding that was cut short: it left files, and no commit that makes them a store. Nothing could be recorded in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git.attributes import with_own_lines
from gitmem.git.repo import Repo
from gitmem.store.files import inside
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG
from gitmem.store.store import Store

_OWN = ".gitmem"


def is_founded(repo: Repo) -> bool:
    """Whether a commit holds the store's configuration: the last step of a founding."""
    head = repo.head()
    return head is not None and CONFIG in repo.ls_tree(head, [CONFIG])


def clear_unfinished(root: Path, repo: Repo) -> None:
    """Remove what a founding left that was cut short. Raises GitmemError if there is something of worth after all."""
    writers: list[str] = []
    if (root / CONFIG).exists():
        writers = _writers(root, repo)
    shutil.rmtree(inside(root, _OWN), ignore_errors=True)
    shutil.rmtree(repo.git_dir / "gitmem", ignore_errors=True)
    for writer in writers:
        shutil.rmtree(inside(root, f"{AUDIT}/{writer}"), ignore_errors=True)
    for folder in (AUDIT, AUDIT.rpartition("/")[0]):
        if (root / folder).is_dir() and not any((root / folder).iterdir()):
            (root / folder).rmdir()
    attributes = inside(root, ATTRIBUTES)
    if attributes.is_file() and attributes.read_bytes() == with_own_lines(b""):
        attributes.unlink()


def _writers(root: Path, repo: Repo) -> list[str]:
    """The writers of the unfinished store's log."""
    try:
        store = Store(root, repo, [])
    except InvalidRecord:
        return []
    try:
        store.refresh()
        if len(store.pending):
            raise GitmemError(
                f"{root} holds records of a store that was never founded", "move .gitmem away, then run this again"
            )
        return [store.replica.writer]
    finally:
        store.close()
