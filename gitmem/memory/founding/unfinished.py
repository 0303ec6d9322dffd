"""A founding that was cut short: it left files, and no commit that makes them a store. Nothing could be recorded in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from gitmem.errors import GitmemError, NoStore
from gitmem.git.attributes import with_own_lines
from gitmem.git.repo import Repo
from gitmem.store.config import load_config
from gitmem.store.files import inside
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG
from gitmem.store.place import local_of
from gitmem.store.store import Store

_OWN = ".gitmem"
_OTHERS = "worktrees"  # what belongs to linked work trees, see `local_of`


def is_founded(repo: Repo, prefix: str = "") -> bool:
    """Whether a commit holds the store's configuration: the last step of a founding."""
    head = repo.head()
    return head is not None and prefix + CONFIG in repo.ls_tree(head, [prefix + CONFIG])


def clear_unfinished(root: Path, repo: Repo) -> None:
    """Remove what a founding left that was cut short, and nothing else. Raises GitmemError if it is of worth after all."""
    local = local_of(repo)
    if not local.exists():
        return
    if (root / CONFIG).exists():
        _clear_store(root, repo)
    for entry in local.iterdir():
        if entry.name != _OTHERS:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    if not any(local.iterdir()):
        local.rmdir()


def _clear_store(root: Path, repo: Repo) -> None:
    try:
        load_config(root)
    except (GitmemError, NoStore):
        return  # whatever this is, it is not ours
    writers = _writers(root, repo)
    shutil.rmtree(inside(root, _OWN), ignore_errors=True)
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
    store = Store(root, repo, [])
    try:
        store.refresh()
        if len(store.pending):
            raise GitmemError(
                f"{root} holds records of a store that was never founded", "move .gitmem away, then run this again"
            )
        return [store.replica.writer]
    finally:
        store.close()
