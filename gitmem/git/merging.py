"""One merge as git asks a strategy for it: index and work tree are at the result afterwards, or as they were.

The store's own paths are merged in this process, all others by git. Options (`-X …`) are for git's part: records are joined
whatever they say.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process
from gitmem.git.repo import Repo
from gitmem.git.setup import store_prefix
from gitmem.git.steps import put_back
from gitmem.git.trees import TreeMerge, holds_store, merge_many, merge_trees
from gitmem.git.worktree import checkout

CLEAN: Final = 0
CONFLICTS: Final = 1

_AS_GIT_DOES: Final = "--histogram"  # what git's default merge compares lines by; merge-recursive would take another way
_SHIFTED: Final = "--subtree"


class _Asked(NamedTuple):
    """What git asked for. `names` gives the name of a side, as markers of conflicts shall show it."""

    options: list[str]
    bases: list[str]
    ours: str
    heads: list[str]
    names: Mapping[str, str]

    @property
    def picked(self) -> bool:
        """Whether this is one commit of a rebase or a cherry-pick: only `git merge` names the sides to a strategy."""
        return not any(f"GITHEAD_{head}" in self.names for head in self.heads)


def merge(repo: Repo, args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Merge as the arguments of a strategy ask, see git-merge(1): CLEAN, or CONFLICTS in files that are not the store's.

    Raises GitmemError, with index and work tree as they were, for what cannot be merged now. A commit that a rebase or a
    cherry-pick of several was to apply is then put back on its list.
    """
    asked = _parsed(args, environ)
    try:
        return _merge(repo, asked)
    except BaseException as error:
        if asked.picked and put_back(repo, asked.heads[0]):
            raise _again(error) from error
        raise


def _parsed(args: Sequence[str], environ: Mapping[str, str]) -> _Asked:
    options = [arg for arg in args if arg.startswith("--") and arg != "--"]
    words = [arg for arg in args if arg not in options]
    cut = words.index("--") if "--" in words else 0
    bases, sides = words[:cut], words[cut + 1 :]
    if len(sides) < 2:
        raise GitmemError("git-merge-gitmem needs two commits to merge", "git starts it: `git merge -s gitmem BRANCH`")
    return _Asked(options, bases, sides[0], sides[1:], environ)


def _again(error: BaseException) -> GitmemError:
    message = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
    return GitmemError(
        f"{message}; this commit is on the list again, nothing of it was applied",
        "move what is in the way, then `git rebase --continue` (or `git cherry-pick --continue`) applies it",
    )


def _merge(repo: Repo, asked: _Asked) -> int:
    prefix = store_prefix(repo)
    shifted = any(option.startswith(_SHIFTED) for option in asked.options)
    ours_alone = shifted or not holds_store(repo, [asked.ours, *asked.heads], prefix)
    _require_clean_index(repo, asked.ours)
    if len(asked.heads) > 1:
        return _merge_many(repo, asked, None if ours_alone else prefix)
    if shifted:
        return _by_git(repo, asked, asked.bases, asked.ours, asked.heads[0])
    try:
        merged = merge_trees(repo, asked.bases, asked.ours, asked.heads[0], None if ours_alone else prefix)
    except GitmemError as error:
        if not asked.picked:
            raise
        _tell(error.message)  # a directory against a file: git makes a conflict of it, which a person can settle
        return _by_git(repo, asked, asked.bases, asked.ours, asked.heads[0])
    _tell_kept(merged)
    if merged.tree and not (asked.options and merged.stand_ins):
        checkout(repo, asked.ours, merged.tree)
        return CLEAN
    return _hand_over(repo, asked, merged)


def _merge_many(repo: Repo, asked: _Asked, prefix: str | None) -> int:
    merged = merge_many(repo, asked.ours, asked.heads, prefix)
    _tell_kept(merged)
    assert merged.tree  # noqa: S101 (merge_many raises where there is none)
    checkout(repo, asked.ours, merged.tree)
    return CLEAN


def _require_clean_index(repo: Repo, ours: str) -> None:
    """What is staged would slip into the merge commit."""
    if staged := repo.staged(ours):
        names = ", ".join(ascii(change.path) for change in staged[:5])
        raise GitmemError(f"staged changes would be lost in the merge: {names}", "commit or stash them, then merge again")


def _hand_over(repo: Repo, asked: _Asked, merged: TreeMerge) -> int:
    """Let git merge the files that are not the store's, its conflicts included, on top of the merged store."""
    *bases, mine, other = merged.stand_ins
    checkout(repo, asked.ours, mine.tree)
    try:
        return _by_git(repo, asked, [base.commit for base in bases], mine.commit, other.commit)
    except BaseException:
        checkout(repo, mine.tree, asked.ours)
        raise


def _by_git(repo: Repo, asked: _Asked, bases: Sequence[str], ours: str, theirs: str) -> int:
    """git's own merge, from the index and work tree at `ours`. Raises GitmemError when git refuses."""
    names = {f"GITHEAD_{ours}": "HEAD", f"GITHEAD_{theirs}": _name(repo, asked)}
    done = repo.call("merge-recursive", _AS_GIT_DOES, *asked.options, *bases, "--", ours, theirs, env=names)
    _say(done)
    if done.code not in (CLEAN, CONFLICTS):
        raise GitmemError(
            f"git's merge of the other files was refused: {process.reason(done.err)}", "see above; then merge again"
        )
    return done.code


def _name(repo: Repo, asked: _Asked) -> str:
    """What conflict markers call the other side, as git does: the branch, or the picked commit with its subject."""
    theirs = asked.heads[0]
    given = asked.names.get(f"GITHEAD_{theirs}")
    if given:
        return given
    done = repo.call("log", "-1", "--no-show-signature", "--format=%h (%s)", theirs, "--")
    return done.out.decode("utf-8", "replace").strip() or theirs[:7]


def _say(done: process.Done) -> None:
    sys.stdout.write(process.readable(done.out))
    sys.stderr.write(done.err)


def _tell_kept(merged: TreeMerge) -> None:
    for path, why in merged.store.kept:
        _tell(f"{path!a} was not merged: {why}")


def _tell(what: str) -> None:
    sys.stderr.write(f"gitmem: {what}\n")
