"""What git's history says about the store's own files: every content each of them ever had, and when one went away."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gitmem.git.repo import ABSENT_MODE, Entry, Repo
from gitmem.store.layout import ATTRIBUTES, OWN_PREFIXES

OWN: Final = (*OWN_PREFIXES, ATTRIBUTES)
"""What of a repository is the store's."""
_PLAIN: Final = "100"  # what the modes of files begin with


@dataclass(slots=True)
class History:
    """The store's files in the commits that HEAD reaches; paths are below the store's root, ids are git's.

    `states` holds, by path, each blob a file ever was with the first commit that brought it; `removals` the commits in which it
    went; `odd` what was once no plain file, and where; `tree` the plain files that HEAD holds.
    """

    tree: dict[str, Entry] = field(default_factory=dict)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    removals: dict[str, list[str]] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    shallow: bool = False
    replaced: bool = False


def read_history(
    repo: Repo, prefix: str, tip: str | None = None, since: str | None = None, paths: Sequence[str] = OWN
) -> History:
    """Read it up to `tip` (None: HEAD), from two git processes over the whole history. Empty on an unborn branch.

    With `since` only the steps of the commits that this one does not reach. Only files that are one of `paths` or below it.
    """
    history = History()
    tip = tip or repo.head()
    if tip is None:
        return history
    wanted = [prefix + name for name in paths]
    tree = repo.ls_tree(tip, wanted) if since is None else {}
    history.tree = {_shown(path.removeprefix(prefix)): entry for path, entry in tree.items() if entry.mode.startswith(_PLAIN)}
    for commit, path, mode, new in _steps(repo, tip, wanted, since):
        name = _shown(path.removeprefix(prefix))
        if mode == ABSENT_MODE:
            history.removals.setdefault(name, []).append(commit)
        elif mode.startswith(_PLAIN):
            history.states.setdefault(name, {}).setdefault(new, commit)
        else:
            history.odd.setdefault(name, commit)
    history.shallow = (repo.common_dir / "shallow").exists()
    history.replaced = is_replaced(repo)
    return history


def is_replaced(repo: Repo) -> bool:
    """Whether this clone is set up to show other commits than it has."""
    grafted = (repo.common_dir / "info" / "grafts").exists()
    return grafted or bool(repo.run("for-each-ref", "--count=1", "refs/replace/"))


def _shown(path: str) -> str:
    """A path that can be printed. No entry can be about another one, so what is renamed here is reported in any case."""
    return path if path.isprintable() else path.encode("unicode_escape").decode()


def _steps(repo: Repo, tip: str, wanted: list[str], since: str | None) -> Iterator[tuple[str, str, str, str]]:
    """(commit, path, new mode, new blob) of every difference between a commit and each of its parents, oldest first.

    Each parent counts: a merge that drops one side's file, or writes a content neither side had, shows in no other way.
    """
    span = [tip, *([f"^{since}"] if since else [])]
    commits = repo.run("--no-replace-objects", "rev-list", "--topo-order", "--reverse", *span, "--")
    args = ("diff-tree", "--stdin", "-m", "-r", "--root", "-z", "--raw", "--no-renames", "--no-abbrev", "--", *wanted)
    fields = iter(os.fsdecode(repo.run("--no-replace-objects", *args, input=commits)).split("\0"))
    commit = ""
    for text in fields:
        if not text.startswith(":"):
            commit = text
            continue
        _, mode, _, new, _ = text.split(" ")
        yield commit, next(fields), mode, new
