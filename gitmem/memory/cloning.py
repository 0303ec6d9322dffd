"""Making a clone of a team's store."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gitmem.errors import GitmemError, UsageError
from gitmem.git.remote import clone as git_clone
from gitmem.memory.found import prepare_clone
from gitmem.store.config import load_config


@dataclass(frozen=True, slots=True)
class Cloned:
    """A clone that is set up: where it lies, which store it holds, and what a person should know."""

    root: str
    store: str
    notes: list[str]


def clone(url: str, directory: str | None = None) -> Cloned:
    """Clone the store at `url` into `directory` (named after the URL by default) and set git up in it.

    Raises RemoteError if the remote cannot be read, NoStore if it holds no store; then nothing is left behind.
    """
    target = Path(directory or _named_after(url)).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GitmemError(f"{target} is there already and not empty", "name another directory: gitmem clone URL DIR")
    fresh = not target.exists()
    try:
        repo = git_clone(url, target)
        config = load_config(repo.root)
        return Cloned(str(repo.root), config.store, prepare_clone(repo, repo.root))
    except BaseException:
        _clear(target, itself=fresh)
        raise


def _named_after(url: str) -> str:
    """The last part of a URL without `.git`, as git names clones."""
    name = url.rstrip("/").removesuffix("/.git").removesuffix(".git").replace(":", "/").rpartition("/")[2]
    if not name or name in (".", ".."):
        raise UsageError(f"{url!r} does not name a directory", "name one: gitmem clone URL DIR")
    return name


def _clear(target: Path, *, itself: bool) -> None:
    """Remove what was cloned into `target`, which was empty or absent before."""
    for entry in target.iterdir() if target.is_dir() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if itself and target.is_dir():
        target.rmdir()
