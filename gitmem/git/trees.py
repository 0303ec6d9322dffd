"""Merging two commits whole: the store's paths by its own algebra, all others by git.

git sees trees in which the store's directories are already the merged ones on every side, so that it finds no change in them:
no conflict, no rename, no driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.git import process
from gitmem.git.merge import OWN, Difference, StoreMerge, differences, settle
from gitmem.git.objects import DURABLE, Draft, Written, write_commits
from gitmem.git.repo import Entry, Repo

_WHO: Final = "gitmem <gitmem@localhost> 0 +0000"


class TreeMerge(NamedTuple):
    """A merge of whole trees. Nothing outside git's object database has been touched.

    `tree` is the result, or None if paths outside the store are in conflict: `clashes` names them. Where both sides changed
    such paths, `stand_ins` are the commits (the bases, ours, theirs) that git's own merge starts from.
    """

    store: StoreMerge
    tree: str | None
    clashes: list[str]
    stand_ins: list[Written]


def merge_trees(repo: Repo, bases: Sequence[str], ours: str, theirs: str, prefix: str = "") -> TreeMerge:
    """Merge tree-ish `theirs` into `ours`, all paths. `bases` says what both come from; it may be empty."""
    *before, mine, other = repo.trees([*bases, ours, theirs])
    own = [prefix + name for name in OWN]
    differing = list(differences(repo, before, mine, other))
    foreign = [one for one in differing if not _below(one.path, own)]
    store = settle(repo, [one for one in differing if _below(one.path, own)], prefix, mine)
    if not any(_changed(one, one.theirs) for one in foreign):
        return TreeMerge(store, _write(repo, [mine], mine, own, store)[0].tree, [], [])
    if not any(_changed(one, one.ours) for one in foreign):
        return TreeMerge(store, _write(repo, [other], mine, own, store)[0].tree, [], [])
    stand_ins = _write(repo, [*before, mine, other], mine, own, store)
    return TreeMerge(store, *_merge_foreign(repo, stand_ins), stand_ins)


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _changed(one: Difference, side: Entry | None) -> bool:
    return not one.bases or any(base != side for base in one.bases)


def _write(repo: Repo, roots: Sequence[str], ours: str, own: Sequence[str], store: StoreMerge) -> list[Written]:
    """For each tree of `roots` a commit of it with the merged store in it; the last two descend from those before them."""
    top = repo.entries(ours, own) if any(root != ours for root in roots) else {}
    parents = [f":{n}" for n in range(1, len(roots) - 1)]
    drafts = [
        Draft(
            "", _WHO, _WHO, parents if number >= len(roots) - 2 else (), root,
            {path: top.get(path) for path in own} if root != ours else {}, store.changes,
        )
        for number, root in enumerate(roots)
    ]  # fmt: skip
    return write_commits(repo, drafts)


def _merge_foreign(repo: Repo, stand_ins: Sequence[Written]) -> tuple[str | None, list[str]]:
    """The tree of git's merge of the last two; None and the paths in conflict if there are any."""
    sides = (written.commit for written in stand_ins[-2:])
    args = (*DURABLE, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories", *sides)
    done = repo.call(*args)
    if done.code not in (0, 1):
        raise process.failure(args, repo.root, done)
    tree, *clashes = done.out.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return (tree, []) if done.code == 0 else (None, clashes)
