"""Carrying the store to the team and back: commit, fetch, merge in process, push; again with jitter when someone was faster."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.errors import ConflictsLeft, GitmemError, InvalidRecord, NoKey, RemoteError
from gitmem.git import remote
from gitmem.git.commits import commit as git_commit
from gitmem.git.repo import BlobRef
from gitmem.git.trees import merge_trees
from gitmem.git.worktree import checkout
from gitmem.memory.commit import author, commit
from gitmem.memory.context import Context
from gitmem.memory.gather import contents_at, require_branch
from gitmem.memory.moving import finish_move, moving
from gitmem.memory.reports import SyncReport
from gitmem.store.files import inside
from gitmem.store.layout import MEMORY, is_record_path
from gitmem.store.opened import open_state

_ATTEMPTS = 12
_PAUSE = 0.05  # seconds; doubled at each refusal, and drawn at random below that


@dataclass(slots=True)
class _Tally:
    """What one sync has done so far."""

    pulled: int = 0
    merged: int = 0
    problems: list[str] = field(default_factory=list)
    brought: set[str] = field(default_factory=set)


def sync(context: Context) -> SyncReport:
    """Commit what is recorded, take in what the team has, and push. Without a remote only the commit is made.

    Raises RemoteError when the remote cannot be reached or refuses, ConflictsLeft when files that are not gitmem's conflict.
    What was recorded here is committed before the network is touched, and the next sync goes on from there.
    """
    repo = context.store.repo
    branch = require_branch(context)
    source = remote.upstream(repo, branch)
    tally = _Tally()
    _commit(context, tally)
    if source is None:
        return _report(context, tally, pushed=0, attempts=0)
    for attempt in range(1, _ATTEMPTS + 1):
        context.progress("sync", attempt - 1, _ATTEMPTS)
        theirs = remote.fetch(repo, source)
        _take_in(context, tally, branch, theirs)
        head, ahead = repo.head(), _ahead(context, theirs)
        if head is None or ahead == 0:
            return _report(context, tally, pushed=0, attempts=attempt)
        pushed = remote.push(repo, source, head)
        if pushed.outcome is remote.Push.OK:
            _follow(context, branch, source)
            return _report(context, tally, pushed=ahead, attempts=attempt)
        if pushed.outcome is not remote.Push.BEHIND:
            raise RemoteError(f"{source.remote} did not take the push: {pushed.why}", _hint(source))
        time.sleep(random.uniform(0, _PAUSE * 2 ** min(attempt, 7)))  # noqa: S311 - jitter, not a secret
    raise RemoteError(
        f"{source.remote} was faster {_ATTEMPTS} times in a row; everything is committed here",
        "`gitmem sync` again when fewer are pushing",
    )


def drift(context: Context, branch: str | None) -> tuple[str | None, int, int]:
    """(the remote, commits it lacks, commits we lack) as of the last fetch."""
    repo = context.store.repo
    source = remote.upstream(repo, branch)
    if source is None:
        return None, 0, 0
    head, theirs = repo.head(), repo.ref(source.tracking)
    behind = 0 if theirs is None or theirs == head else _count(context, f"{head}..{theirs}" if head else theirs)
    return source.remote, _ahead(context, theirs), behind


def _commit(context: Context, tally: _Tally) -> None:
    made = commit(context)
    if made is not None:
        tally.problems += made.skipped


def _follow(context: Context, branch: str, source: remote.Upstream) -> None:
    """Make plain `git pull` and `git push` work on this branch, too, where nobody chose otherwise."""
    repo = context.store.repo
    if repo.config_get(f"branch.{branch}.merge") is None:
        repo.config_set(f"branch.{branch}.remote", source.remote)
        repo.config_set(f"branch.{branch}.merge", source.ref)


def _hint(source: remote.Upstream) -> str:
    return f"everything is committed here; check that you may write to {source.ref} there, then `gitmem sync` again"


def _count(context: Context, span: str) -> int:
    return int(context.store.repo.run("rev-list", "--count", span, "--"))


def _ahead(context: Context, theirs: str | None) -> int:
    head = context.store.repo.head()
    if head is None or head == theirs:
        return 0
    return _count(context, f"{theirs}..{head}" if theirs else head)


def _take_in(context: Context, tally: _Tally, branch: str, theirs: str | None) -> None:
    """Bring the branch to a commit that holds ours and theirs."""
    store = context.store
    repo = store.repo
    with store.lock:
        store.refresh()
        finish_move(context)
        ours = repo.head()
        if theirs is None or theirs == ours or (ours and repo.is_ancestor(theirs, ours)):
            return
        _check_same_store(context, theirs)
        tally.pulled += _count(context, f"{ours}..{theirs}" if ours else theirs)
        tally.brought.update(change.path for change in repo.diff(ours, theirs, [f"{store.prefix}{MEMORY}"]))
        if ours is None or repo.is_ancestor(ours, theirs):
            _fast_forward(context, ours, theirs)
        else:
            _merge(context, tally, branch, ours, theirs)


def _fast_forward(context: Context, ours: str | None, theirs: str) -> None:
    """Move the branch to a commit that holds all of ours; git refuses where a file of the user's is in the way."""
    store = context.store
    waiting = _set_aside(context, ours)
    try:
        with moving(context, ours, theirs):
            store.repo.run("merge", "--ff-only", "--quiet", theirs)
    finally:
        _put_back(context, waiting)


def _merge(context: Context, tally: _Tally, branch: str, ours: str, theirs: str) -> None:
    """Merge both commits whole: the store's files by their algebra, all others by git."""
    repo = context.store.repo
    merged = merge_trees(repo, repo.merge_bases(ours, theirs), ours, theirs, context.store.prefix)
    tally.merged += len(merged.store.merged)
    tally.problems += [f"{path}: {why}" for path, why in merged.store.kept]
    if merged.tree is None:
        return _leave_to_user(context, theirs, merged.clashes)
    waiting = _set_aside(context, ours)
    try:
        checkout(repo, ours, merged.tree, try_only=True)
        with moving(context, ours, merged.tree):
            checkout(repo, ours, _commit_merge(context, branch, (ours, theirs), merged.tree))
    finally:
        _put_back(context, waiting)
    return None


def _commit_merge(context: Context, branch: str, sides: tuple[str, str], tree: str) -> str:
    repo = context.store.repo
    ours, theirs = sides
    return git_commit(
        repo,
        {c.path: BlobRef(c.new, c.new_mode) if c.new else None for c in repo.diff(ours, tree)},
        "gitmem: merge",
        parents=[ours, theirs],
        ref=f"refs/heads/{branch}",
        expected=ours,
        fallback=author(context),
    )


def _set_aside(context: Context, commit: str | None) -> dict[str, State]:
    """Bring the files of records with pending writes to what a commit holds, so that they may be moved on from there."""
    store = context.store
    states = {path: state for path in store.pending.paths() if (state := store.read(path)) is not None}
    held = contents_at(context, commit, list(states))
    for path in states:
        if path in held:
            store.put_file(path, held[path])
        else:
            inside(store.root, path).unlink(missing_ok=True)
    return states


def _put_back(context: Context, states: dict[str, State]) -> None:
    store = context.store
    for path, state in states.items():
        moved_on = store.read_file(path)
        store.put_file(path, emit(state if moved_on is None else merge(moved_on, state)))


def _leave_to_user(context: Context, theirs: str, clashes: list[str]) -> None:
    """Let git make the conflict in the work tree, where people know how to settle it."""
    context.store.repo.call("merge", "--no-edit", "--no-verify", "--quiet", "-m", "gitmem: merge", theirs)
    raise ConflictsLeft(
        f"files that are not gitmem's conflict: {', '.join(clashes[:5])}",
        "settle them, `git commit`, then `gitmem sync` again; the store's own files are merged already",
    )


def _check_same_store(context: Context, theirs: str) -> None:
    """Raise RemoteError if the other side is another store (or none): merging two stores would mix what must stay apart."""
    config = ".gitmem/config.yaml"
    data = contents_at(context, theirs, [config]).get(config)
    if data is None:
        raise RemoteError(
            "the remote branch holds no gitmem store", "`gitmem sync` needs a branch of its own: `git switch -c memory`"
        )
    try:
        other = parse(data, config).id
    except InvalidRecord as error:
        raise RemoteError(f"the remote's {error.message}", "ask who pushed it; nothing was merged") from error
    if other != context.store.id:
        raise RemoteError(f"the remote holds another store ({other})", "`gitmem clone URL` makes a clone of that one")


def _report(context: Context, tally: _Tally, pushed: int, attempts: int) -> SyncReport:
    conflicts = sum(_in_conflict(context, path) for path in tally.brought)
    head = context.store.repo.head()
    return SyncReport(pushed, tally.pulled, tally.merged, conflicts, attempts, head, tally.problems)


def _in_conflict(context: Context, path: str) -> bool:
    store = context.store
    path = path.removeprefix(store.prefix)
    if not is_record_path(path):
        return False
    try:
        state = store.read(path)
        if state is None or not state.alive:
            return False
        several = any(len(register) > 1 for register in state.fields.values())
        return state.contested or (several and bool(open_state(store.vault, state).conflicts))
    except NoKey:
        return False
    except GitmemError as error:
        context.warn(error.message)
        return False
