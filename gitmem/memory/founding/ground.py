"""Whether a store may be founded at a place: nobody else's files there, no other store, nothing of the user's slips in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError
from gitmem.git.places import chosen, stores_below
from gitmem.git.repo import Repo
from gitmem.store.layout import ATTRIBUTES, CONFIG, OWN_PREFIXES
from gitmem.store.place import local_of

WAYS_OUT: Final = (
    "`gitmem init DIR` makes the store in a directory of its own, `gitmem init --branch NAME` on a branch beside the code"
)
_SHOWN: Final = 3


def check_empty(root: Path) -> None:
    """Raise GitmemError where files lie in the directories that a store has for itself."""
    found = [name for name in OWN_PREFIXES if _holds_files(root / name)]
    if found:
        raise _in_the_way(root, [f"{name}{'/' if (root / name).is_dir() else ''}" for name in found])


def check_ground(repo: Repo, prefix: str) -> None:
    """Raise GitmemError if what is checked out, staged or edited stands in the way of a store at `prefix`."""
    check_empty(repo.root / prefix)
    own = [prefix + name for name in OWN_PREFIXES]
    head = repo.head()
    tracked = [*(repo.ls_tree(head, own) if head else ()), *_names(repo, "ls-files", "-z", "--", *own)]
    if tracked:
        raise _in_the_way(repo.root / prefix, sorted(set(tracked))[:_SHOWN])
    if repo.branch() is None:
        raise GitmemError("HEAD is detached: the store would belong to no branch", "`git switch BRANCH`, then run this again")
    attributes = prefix + ATTRIBUTES
    if _names(repo, "status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--", attributes):
        raise GitmemError(
            f"{attributes} has changes of yours that are not committed, and a store adds lines to it",
            f"`git add {attributes} && git commit`, or stash it, then run this again",
        )
    if prefix and repo.call("check-ignore", "--quiet", f"{prefix}x", env={"GIT_LITERAL_PATHSPECS": "0"}).code == 0:
        raise GitmemError(f"{prefix} is ignored by git (.gitignore), and a store is there to be shared", WAYS_OUT)


def check_other_store(repo: Repo, prefix: str) -> None:
    """Raise GitmemError if the repository has a store elsewhere: hooks, strategy and all commands are told of one place."""
    said, head = chosen(repo), repo.head()
    others = {*stores_below(repo), *(stores_below(repo, head) if head else ())} - {prefix}
    if others:
        where = min(others).rstrip("/") or "at its top"
        raise GitmemError(f"the repository {repo.root} has a store already: {where}", "`gitmem status` shows it; one is enough")
    if said.branch:
        why = f"the repository {repo.root} has a store already, on the branch {said.branch}"
        raise GitmemError(why, "`gitmem status` shows it; one is enough")
    if said.prefix is not None and (local_of(repo) / "replica.yaml").exists() and not (repo.root / prefix / CONFIG).exists():
        raise GitmemError(
            f"this clone has a store already, at {said.prefix or 'its top'}, on a branch that is not checked out",
            "`git switch` to that branch; if that store is of no use any more: `git config --unset gitmem.prefix`",
        )


def _in_the_way(root: Path, names: list[str]) -> GitmemError:
    return GitmemError(f"{root} holds files that are not gitmem's where a store has its own: {', '.join(names)}", WAYS_OUT)


def _holds_files(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return os.path.lexists(path)
    return any(files for _, _, files in os.walk(path))


def _names(repo: Repo, *args: str) -> list[str]:
    return os.fsdecode(repo.run(*args)).split("\0")[:-1]
