"""Making repositories."""

from __future__ import annotations

from pathlib import Path

from gitmem.errors import NoStore
from gitmem.git import process
from gitmem.git.repo import Repo


def open_or_create(path: Path) -> Repo:
    """The repository around `path`, or a new one at `path`. Raises NoStore inside a bare repository, and without git."""
    process.require_git()
    try:
        return Repo.find(path)
    except NoStore:
        if process.call(("rev-parse", "--git-dir"), path).code == 0:
            raise
    args = ("init", "--quiet")
    done = process.call(args, path)
    if done.code:
        raise process.failure(args, path, done)
    return Repo.find(path)
