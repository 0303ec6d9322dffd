"""A store on a branch of its own in a code repository: founded, taken up where somebody has founded it, or brought back."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.errors import GitmemError, InvalidRecord, NoStore
from gitmem.git import beside
from gitmem.git.places import chosen, worktree_of
from gitmem.git.repo import Repo
from gitmem.memory.founding.found import Founded, found, prepare_clone
from gitmem.memory.founding.unfinished import is_founded
from gitmem.memory.members.person import Person
from gitmem.store.config import load_config
from gitmem.store.layout import CONFIG
from gitmem.store.place import find_place


def init_branch(  # noqa: PLR0913 (what `gitmem init` is told; by name)
    start: Path, branch: str, person: Person, *, place: Path | None = None, plain: bool = False, name: str | None = None
) -> Founded:
    """Make the branch `branch` of the repository around `start` a store, with a work tree of its own, by default out of sight.

    If the branch is there already, here or on the remote, its store is taken up instead of founded. Raises GitmemError where
    the repository has another store or the branch is something else, RemoteError where the remote cannot be asked.
    """
    repo = Repo.find(start)
    beside.check_branch_name(repo, branch)
    _check_only_store(repo, branch)
    tree = worktree_of(repo, branch)
    commit = beside.known_branch(repo, branch)
    if commit is not None:
        return _take_up(repo, branch, commit, tree, place)
    fresh = tree is None
    tree = tree or beside.add_worktree(repo, branch, place and Path(os.path.realpath(place)))
    try:
        beside.settle_on(repo, branch, tree)
        beside.share_with(repo, branch)
        made = found(tree.root, tree, person, plain=plain, name=name)
    except BaseException:
        if fresh and not is_founded(tree):
            beside.remove_worktree(repo, tree)
        raise
    return replace(made, branch=branch)


def _take_up(repo: Repo, branch: str, commit: str, tree: Repo | None, place: Path | None) -> Founded:
    data = repo.read_paths(commit, [CONFIG]).get(CONFIG)
    if data is None:
        raise GitmemError(f"the branch {branch} is there already and holds no gitmem store", "name another: --branch NAME")
    parse(data, f"{branch}:{CONFIG}")
    if tree is not None and chosen(repo).branch == branch and (tree.root / CONFIG).is_file():
        raise GitmemError(f"the branch {branch} holds a gitmem store already, in {tree.root}", "`gitmem status` shows it")
    tree = tree or beside.add_worktree(repo, branch, place and Path(os.path.realpath(place)))
    beside.settle_on(repo, branch, tree)
    beside.share_with(repo, branch)
    store = load_config(tree.root).store
    return Founded(str(tree.root), store, "", "", False, None, commit, prepare_clone(tree, tree.root), branch, taken_up=True)


def _check_only_store(repo: Repo, branch: str) -> None:
    """Raise GitmemError if the repository has a store that is not on `branch`."""
    said = chosen(repo)
    if said.branch == branch or repo.branch() == branch:
        return
    where = f"on the branch {said.branch}" if said.branch and repo.ref(f"refs/heads/{said.branch}") else None
    if not said.branch:
        with suppress(NoStore, InvalidRecord):
            place = find_place(repo.root)
            load_config(place.root)
            where = str(place.root) if place.repo.common_dir == repo.common_dir else None
    if where:
        raise GitmemError(f"the repository {repo.root} has a store already, {where}", "`gitmem status` shows it; one is enough")
