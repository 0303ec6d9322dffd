"""Finding the store, for everything that needs one: commands, the Python API, the MCP server, completion, hooks, textconv.

In a clone that has been set up, the clone's own configuration says where its store is: in a directory (`gitmem.prefix`), or on
a branch of its own with a work tree of its own (`gitmem.branch`). What is checked out cannot change that: a branch that brings
another store with it must not have the next `learn` written into it. Elsewhere the nearest directory upwards that holds one
counts.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from gitmem.errors import GitmemError, NoStore
from gitmem.git.own_files import read_file
from gitmem.git.places import branch_at_work, branches_with_store, chosen, own_tree, rejoin, stores_below, worktree_of
from gitmem.git.repo import BareRepository, Repo
from gitmem.store.layout import CONFIG, LOCAL


class Place(NamedTuple):
    """A store's root, and the work tree it lies in."""

    root: Path
    repo: Repo


def find_place(start: Path) -> Place:
    """The store that belongs to the directory `start`. Raises NoStore where there is none, or none in a git repository."""
    root, repo = _find(start)
    return Place(root, repo or Repo.find(root))


def find_root(start: Path) -> Path:
    """The root of the store that belongs to the directory `start`. Raises NoStore."""
    return _find(start)[0]


def place_at_work(repo: Repo) -> Place | None:
    """The store in the very work tree that git is at work in, for its hooks; None if that work tree holds none."""
    said = chosen(repo)
    if said.branch and branch_at_work(repo) != said.branch:
        return None
    prefixes = [said.prefix] if said.prefix is not None else _unconfigured(repo)
    root = repo.root / prefixes[0] if len(prefixes) == 1 else None
    return Place(root, repo) if root is not None and (root / CONFIG).is_file() else None


def local_of(repo: Repo) -> Path:
    """The directory of what belongs to one work tree and is never committed: the journal, the marks, the index.

    That of a linked work tree does not lie in the directory that git keeps for it, which `git worktree remove` and `prune`
    delete: what was acknowledged there is found when the tree comes back, or taken over by another (`gitmem.store.orphans`).
    """
    local = repo.common_dir / LOCAL
    return local if repo.git_dir == repo.common_dir else local / "worktrees" / repo.git_dir.name


def left_behind(repo: Repo) -> list[Path]:
    """The local directories of linked work trees that are no more, where they hold a journal still."""
    folder = repo.common_dir / LOCAL / "worktrees"
    try:
        locals_ = list(folder.iterdir())
    except OSError:
        return []
    trees = repo.common_dir / "worktrees"
    return [local for local in locals_ if not (trees / local.name).exists() and (local / "journal").is_dir()]


def _find(start: Path) -> tuple[Path, Repo | None]:
    start = Path(os.path.realpath(start))
    nearest: Path | None = None
    for folder in (start, *start.parents):
        if nearest is None and _holds(folder):
            nearest = folder
        repo = Repo.at(folder) if os.path.lexists(folder / ".git") else None
        if repo is not None and (place := _configured(repo)) is not None:
            return place
        if nearest is not None and repo is not None:
            return nearest, repo
        if repo is not None and _tracks_a_store(repo):
            break  # beyond the top of a repository with a store of its own lies another's
    if nearest is not None:
        return nearest, None
    raise _nothing(start)


def _holds(root: Path) -> bool:
    """Whether a store is there; something else in the place of its configuration is told of when that is read."""
    return os.path.lexists(root / CONFIG)


def _tracks_a_store(repo: Repo) -> bool:
    """Whether a clone that nobody has set up holds a store in a directory. git is asked only if its index may name one."""
    return b"config.yaml" in (read_file(repo.index_file) or b"") and bool(stores_below(repo))


def _configured(repo: Repo) -> Place | None:
    """The store that the clone's configuration names. Raises NoStore if it is not where it is said to be."""
    said = chosen(repo)
    if said.branch:
        return _on_branch(repo, said.branch)
    if said.prefix is None:
        return None
    root = repo.root / said.prefix
    if _holds(root):
        return Place(root, repo)
    where = said.prefix.rstrip("/") or "the top"
    raise NoStore(
        f"{repo.root} holds no gitmem store: this clone's is at {where}, and what is checked out has none there",
        "`git switch` to a branch that has it; if it was removed or reverted: `gitmem sync`; "
        "if it was moved: `git config gitmem.prefix NEW/DIRECTORY/`",
    )


def _on_branch(repo: Repo, branch: str) -> Place:
    tree = worktree_of(repo, branch) or rejoin(repo, branch)
    if tree is None and (other := own_tree(repo)):
        raise NoStore(
            f"the store of {repo.root} is on the branch {branch}, and its work tree is not on it",
            f"git -C {shlex.quote(str(other.root))} switch {shlex.quote(branch)}",
        )
    again = f"`gitmem -C {shlex.quote(str(repo.root))} init --branch {shlex.quote(branch)}`"
    if tree is None:
        raise NoStore(
            f"the store of {repo.root} is on the branch {branch}, whose work tree is gone",
            f"{again} brings it back; nothing that was recorded is lost",
        )
    if not _holds(tree.root):
        raise NoStore(
            f"the branch {branch} holds no gitmem store in {tree.root}",
            f"if its files were removed: `git -C {shlex.quote(str(tree.root))} checkout -- .`; "
            f"if it was reverted: `gitmem sync`; if it was only begun: {again}",
        )
    return Place(tree.root, tree)


def _unconfigured(repo: Repo) -> list[str]:
    """Where a clone that nobody has set up holds stores: at its top, else anywhere."""
    return [""] if (repo.root / CONFIG).is_file() else stores_below(repo)


def _nothing(start: Path) -> NoStore:
    nothing = f"there is no gitmem store in {start} or above it"
    plain = NoStore(nothing, "`gitmem init` makes one, `gitmem clone URL` fetches the team's, `gitmem -C DIR …` names one")
    try:
        hint = _elsewhere(Repo.find(start))
    except BareRepository as error:
        return error
    except GitmemError:
        return plain
    return NoStore(nothing, hint) if hint else plain


def _elsewhere(repo: Repo) -> str | None:
    """How to set a clone up whose store lies in a directory of it, or on a branch that the remote has."""
    if below := stores_below(repo):
        folder = shlex.quote(str(repo.root / below[0]))
        return f"there is one in {below[0]}: `gitmem -C {folder} hooks install` sets this clone up for it"
    if branches := branches_with_store(repo):
        return f"the remote's branch {branches[0]} holds one: `gitmem init --branch {shlex.quote(branches[0])}` takes it up"
    return None
