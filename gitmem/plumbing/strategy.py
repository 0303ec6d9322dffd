"""`git-merge-gitmem`: the merge strategy behind `pull.twohead=gitmem`.

git starts it for `git merge`, `pull`, `rebase` and `cherry-pick` as `git-merge-gitmem [--option…] <base>… -- <head> <remote>`.
It leaves index and work tree at the result and ends with 0 (clean), 1 (conflicts are left in files that are not the store's)
or 2 (refused, nothing was changed), see git-merge(1).
"""

from __future__ import annotations

import os
import sys

from gitmem.errors import GitmemError
from gitmem.git.repo import Repo
from gitmem.git.setup import store_prefix
from gitmem.git.trees import TreeMerge, merge_trees
from gitmem.git.worktree import checkout

CLEAN = 0
CONFLICTS = 1
REFUSED = 2


def run() -> int:
    """Merge as git asks on the command line."""
    try:
        return _merge(Repo.of_environment(), sys.argv[1:])
    except GitmemError as error:
        sys.stderr.write(f"error: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return REFUSED


def _merge(repo: Repo, args: list[str]) -> int:
    options = [arg for arg in args if arg.startswith("--") and arg != "--"]
    words = [arg for arg in args if arg not in options]
    cut = words.index("--") if "--" in words else 0
    bases, sides = words[:cut], words[cut + 1 :]
    if len(sides) != 2:
        raise GitmemError("gitmem merges two commits at a time", "merge the branches one after the other")
    ours, theirs = sides
    _require_clean_index(repo, ours)
    merge = merge_trees(repo, bases, ours, theirs, store_prefix(repo))
    for path, why in merge.store.kept:
        sys.stderr.write(f"gitmem: {path!a} was not merged: {why}\n")
    if merge.tree and not (options and merge.stand_ins):
        checkout(repo, ours, merge.tree)
        return CLEAN
    return _hand_over(repo, ours, theirs, merge, options)


def _require_clean_index(repo: Repo, ours: str) -> None:
    """What is staged would slip into the merge commit."""
    if staged := repo.staged(ours):
        names = ", ".join(ascii(change.path) for change in staged[:5])
        raise GitmemError(f"staged changes would be lost in the merge: {names}", "commit or stash them, then merge again")


def _hand_over(repo: Repo, ours: str, theirs: str, merge: TreeMerge, options: list[str]) -> int:
    """Let git merge the files that are not the store's, its conflicts included, on top of the merged store."""
    *bases, mine, other = merge.stand_ins
    name = os.environ.get(f"GITHEAD_{theirs}", theirs[:7])
    names = {f"GITHEAD_{mine.commit}": "HEAD", f"GITHEAD_{other.commit}": name}
    checkout(repo, ours, mine.tree)
    done = repo.call("merge-recursive", *options, *(base.commit for base in bases), "--", mine.commit, other.commit, env=names)
    sys.stdout.write(done.out.decode("utf-8", "replace"))
    sys.stderr.write(done.err)
    if done.code in (CLEAN, CONFLICTS):
        return done.code
    checkout(repo, mine.tree, ours)
    return REFUSED
