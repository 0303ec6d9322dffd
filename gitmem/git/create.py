"""Making repositories."""

from __future__ import annotations

from pathlib import Path

from gitmem.errors import NoStore
from gitmem.git import process
from gitmem.git.repo import Repo


def repository_around(path: Path) -> Repo | None:
    """The repository that `path` (which need not exist) lies in, None if in none.

    Raises NoStore inside a bare repository or a git directory, and without git.
    """
    process.require_git()
    try:
        return Repo.find(path)
    except NoStore:
        there = next(folder for folder in (path, *path.parents) if folder.is_dir())
        if process.call(("rev-parse", "--git-dir"), there).code == 0:
            raise
        return None


def create(path: Path) -> Repo:
    """A new repository at `path`, which is made if need be. Raises GitmemError with git's reason."""
    path.mkdir(parents=True, exist_ok=True)
    args = ("init", "--quiet")
    done = process.call(args, path)
    if done.code:
        raise process.failure(args, path, done)
    return Repo.find(path)
