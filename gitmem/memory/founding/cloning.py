"""Making a clone of a team's store."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitmem.errors import GitmemError, NoStore, UsageError
from gitmem.git.places import branches_with_store, stores_below
from gitmem.git.remote import clone as git_clone
from gitmem.git.repo import Repo
from gitmem.memory.founding.found import prepare_clone
from gitmem.store.config import load_config


@dataclass(frozen=True, slots=True)
class Cloned:
    """A clone that is set up: where it lies, which store it holds, and what a person should know."""

    root: str
    store: str
    notes: list[str]


def clone(url: str, directory: str | None = None, branch: str | None = None) -> Cloned:
    """Clone the store at `url` into `directory` (named after the URL by default) and set git up in it.

    The store may lie in a sub-directory, or on a `branch` of its own, which is then all that is cloned.
    Raises RemoteError if the remote cannot be read, NoStore if it holds no store; then nothing is left behind. A clone of
    several stores is left, for a person to choose one.
    """
    with cloned(url, directory, branch) as made:
        return made


@contextmanager
def cloned(url: str, directory: str | None = None, branch: str | None = None) -> Iterator[Cloned]:
    """The same for somebody who does more with the clone: should that fail, nothing is left behind either."""
    target = Path(directory or _named_after(url)).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GitmemError(f"{target} is there already and not empty", "name another directory: gitmem clone URL DIR")
    fresh = not target.exists()
    try:
        repo = git_clone(url, target, branch=branch)
        prefixes = _stores(repo, url)
        root = repo.root / prefixes[0]
        made = Cloned(str(root), load_config(root).store, prepare_clone(repo, root) if len(prefixes) == 1 else [])
        if len(prefixes) == 1:
            yield made
    except BaseException:
        _clear(target, itself=fresh)
        raise
    if len(prefixes) > 1:
        raise _several(repo, prefixes)


def _stores(repo: Repo, url: str) -> list[str]:
    """Where in the clone there are stores; those above all others, for one inside another is a fixture or a mistake."""
    head = repo.head()
    found = stores_below(repo, head) if head else []
    outer = [prefix for prefix in found if not any(prefix != other and prefix.startswith(other) for other in found)]
    if outer:
        return outer
    beside = branches_with_store(repo)
    hint = "`gitmem init` makes a store"
    if beside:
        hint = f"its branch {beside[0]} holds one: gitmem clone {shlex.quote(url)} --branch {shlex.quote(beside[0])}"
    if head is None and beside:
        raise NoStore(f"{url} has nothing on the branch that its HEAD names", hint)
    raise NoStore(f"{url} holds no gitmem store{'' if head else ': it is empty'}", hint)


def _several(repo: Repo, prefixes: list[str]) -> GitmemError:
    places = [shlex.quote(str(repo.root / prefix)) for prefix in prefixes]
    return GitmemError(
        f"{repo.root} is cloned, and holds {len(prefixes)} stores: {', '.join(prefix or 'its top' for prefix in prefixes)}",
        f"choose one, such as: gitmem -C {places[0]} hooks install",
    )


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
