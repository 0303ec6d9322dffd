"""Merging two commits whole: the store's paths by its own algebra, all others by git.

git sees trees in which the store's directories are already the merged ones on every side, so that it finds no change in them:
no conflict, no rename, no driver. Where there is no store at all, that is git's own merge from start to end.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.errors import ConflictsLeft
from gitmem.git import process
from gitmem.git.merge import OWN, Difference, StoreMerge, differences, settle
from gitmem.git.objects import DURABLE, Draft, Written, write_commits
from gitmem.git.places import MARK
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


def holds_store(repo: Repo, revisions: Sequence[str], prefix: str) -> bool:
    """Whether any of the revisions has a store at `prefix` (empty, or ending in a slash)."""
    names = "".join(f"{revision}:{prefix}{MARK}\n" for revision in revisions)
    answers = repo.run("cat-file", "--batch-check", input=os.fsencode(names)).splitlines()
    return any(answer.rpartition(b" ")[0].endswith(b" blob") for answer in answers)


def merge_trees(repo: Repo, bases: Sequence[str], ours: str, theirs: str, prefix: str | None = "") -> TreeMerge:
    """Merge tree-ish `theirs` into `ours`, all paths. `bases` says what both come from; it may be empty.

    The store lies at `prefix`; with None there is none, whatever the directories are called.
    """
    *before, mine, other = repo.trees([*bases, ours, theirs])
    own = [] if prefix is None else [prefix + name for name in OWN]
    _fetch_ahead(repo, mine, other, own)
    differing = list(differences(repo, before, mine, other))
    foreign = [one for one in differing if not _below(one.path, own)]
    store = settle(repo, [one for one in differing if _below(one.path, own)], prefix or "", mine)
    merged = _Merged(mine, own, store)
    if not any(_changed(one, one.theirs) for one in foreign):
        return TreeMerge(store, _write(repo, merged, [mine])[0].tree, [], [])
    if not any(_changed(one, one.ours) for one in foreign):
        return TreeMerge(store, _write(repo, merged, [other])[0].tree, [], [])
    stand_ins = _write(repo, merged, [*before, mine, other], _common(repo, bases))
    return TreeMerge(store, *_merge_foreign(repo, stand_ins), stand_ins)


def merge_many(repo: Repo, ours: str, heads: Sequence[str], prefix: str | None) -> TreeMerge:
    """Merge the commits `heads` into commit `ours`, one after the other.

    Raises ConflictsLeft if files outside the store conflict: which of several merges a person is to settle cannot be shown.
    """
    current, merged = ours, TreeMerge(StoreMerge({}, [], [], []), repo.trees([ours])[0], [], [])
    for head in heads:
        before = merged.store
        merged = merge_trees(repo, repo.merge_bases(current, head), current, head, prefix)
        if merged.tree is None:
            raise ConflictsLeft(
                f"files that are not gitmem's conflict: {', '.join(merged.clashes[:5])}",
                "merge the branches one after the other",
            )
        merged = merged._replace(store=_both(before, merged.store))
        current = write_commits(repo, [Draft("", _WHO, _WHO, (current, head), merged.tree)])[0].commit
    return merged


def _both(first: StoreMerge, second: StoreMerge) -> StoreMerge:
    """What two merges did, one upon the other."""
    return StoreMerge(
        first.changes | second.changes,
        [*first.merged, *second.merged],
        [*first.kept, *second.kept],
        [*first.revived, *second.revived],
    )


def _fetch_ahead(repo: Repo, mine: str, other: str, own: Sequence[str]) -> None:
    """In a partial clone have git fetch what the merge will read: a diff fetches all at once, reading one by one would not."""
    if own and b"promisor" in (repo.common_dir / "config").read_bytes():
        repo.call("diff-tree", "-r", "--numstat", "--no-renames", mine, other, "--", *own)


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _changed(one: Difference, side: Entry | None) -> bool:
    return not one.bases or any(base != side for base in one.bases)


def _common(repo: Repo, bases: Sequence[str]) -> list[str]:
    """What several merge bases come from: git merges them first, and without this it would take all in them for new."""
    if len(bases) < 2:
        return []
    found = repo.merge_bases(bases[0], bases[1])
    return repo.trees(found[:1])


class _Merged(NamedTuple):
    """The merged store, ready to be put into any tree: the directories `own` of `ours`, and what changes in them."""

    ours: str
    own: Sequence[str]
    store: StoreMerge


def _write(repo: Repo, merged: _Merged, roots: Sequence[str], common: Sequence[str] = ()) -> list[Written]:
    """For each tree of `roots` a commit of it with the merged store in it.

    The last two descend from those before them, and these from `common`, of which no commit is returned.
    """
    ours, own, store = merged
    roots = [*common, *roots]
    top = repo.entries(ours, own) if own and any(root != ours for root in roots) else {}
    drafts = [
        Draft("", _WHO, _WHO, parents, root, {path: top.get(path) for path in own} if root != ours else {}, store.changes)
        for root, parents in zip(roots, _parents(len(common), len(roots)), strict=False)
    ]
    return write_commits(repo, drafts)[len(common) :]


def _parents(common: int, total: int) -> list[list[str]]:
    """The parents of each of `total` drafts: `common` ones, the bases, our side and theirs."""
    names = [f":{number}" for number in range(1, total + 1)]
    bases = max(total - 2, common)
    return [[]] * common + [names[:common]] * (bases - common) + [names[common:bases]] * 2


def _merge_foreign(repo: Repo, stand_ins: Sequence[Written]) -> tuple[str | None, list[str]]:
    """The tree of git's merge of the last two; None and the paths in conflict if there are any."""
    sides = (written.commit for written in stand_ins[-2:])
    args = (*DURABLE, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories", *sides)
    done = repo.call(*args)
    if done.code not in (0, 1):
        raise process.failure(args, repo.root, done)
    tree, *clashes = done.out.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return (tree, []) if done.code == 0 else (None, clashes)
