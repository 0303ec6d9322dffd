"""The branch a commit goes to, and the states of a repository in which none can be made."""

from __future__ import annotations

from gitmem.errors import GitmemError
from gitmem.git.lost_head import is_lost
from gitmem.git.underway import broken_heads, under_way
from gitmem.git.worktree import left_out
from gitmem.memory.context import Context
from gitmem.store.layout import OWN_PREFIXES


def require_branch(context: Context) -> str:
    """The checked-out branch. Raises GitmemError on a detached HEAD, in the middle of a merge and where files are left out."""
    repo, git = context.store.repo, context.store.git_here
    refuse_cut_off(context)
    refuse_sparse(context)
    if (now := under_way(repo)) is not None:
        raise GitmemError(
            f"a git {now.name} is under way in {repo.root}",
            f"`gitmem sync` settles the store's files in it and says how to go on; `{git} {now.name} --abort` ends it",
        )
    branch = repo.branch()
    if branch is None and is_lost(repo):
        raise GitmemError("HEAD is damaged: it names no branch and no commit", "gitmem doctor --fix")
    if branch is None:
        raise GitmemError(
            "HEAD is detached: a commit made here would belong to no branch; what was recorded is safe in the journal",
            f"`{git} switch BRANCH`, then run this again",
        )
    return branch


def refuse_cut_off(context: Context) -> None:
    """Raise GitmemError where git was cut off while it noted what it is merging: nobody can go on with that."""
    if broken := broken_heads(context.store.repo):
        raise GitmemError(f"{broken[0]} names no commit: git was cut off when it wrote it", "gitmem doctor --fix")


def refuse_sparse(context: Context) -> None:
    """Raise GitmemError where a sparse checkout leaves files of the store out: they would be taken for gone, and so would
    whoever they let in."""
    store = context.store
    folders = [store.prefix + name for name in OWN_PREFIXES]
    if out := left_out(store.repo, folders):
        raise GitmemError(
            f"the sparse checkout here leaves out {len(out)} of the store's files, such as {out[0]}",
            f"`{store.git_here} sparse-checkout add {' '.join(folders)}`, then run this again",
        )
