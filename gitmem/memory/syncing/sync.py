"""Carrying the store to the team and back: commit, fetch, merge in process, push; again with jitter when someone was faster.

Who was refused twice pushes to a ref of its own, which nobody else pushes to, and is done: see `folding`. So the number of
pushes a sync needs does not grow with the number of writers, and nobody starves.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gitmem.errors import GitmemError, InvalidRecord, Locked, NoKey, RemoteError
from gitmem.git import remote
from gitmem.git.commits import RefMoved
from gitmem.git.remote_words import unwritable
from gitmem.git.underway import under_way
from gitmem.memory.auditing import pins
from gitmem.memory.auditing.replicas import announce
from gitmem.memory.committing.branch import refuse_cut_off, require_branch
from gitmem.memory.committing.commit import commit
from gitmem.memory.committing.held import Unmerged
from gitmem.memory.context import Context
from gitmem.memory.members.keeping import keep_keys
from gitmem.memory.members.noted import note_role
from gitmem.memory.privacy.consent import take_note
from gitmem.memory.privacy.erase import erase_again
from gitmem.memory.privacy.purge import settle_erasures
from gitmem.memory.privacy.rewritten import finish_rewriting, has_walked, left_behind, overrun, tidy_up
from gitmem.memory.reports import SyncReport
from gitmem.memory.syncing.deletions import settle_deletions
from gitmem.memory.syncing.enforcing import enforce
from gitmem.memory.syncing.folding import bring_in, of_this_replica
from gitmem.memory.syncing.heal import heal, pass_over
from gitmem.memory.syncing.reopening import complete_attributes, put_back_footing
from gitmem.memory.syncing.taking import Tally, count
from gitmem.memory.syncing.unnamed import still_named
from gitmem.memory.upkeep.prune import settle as settle_prunings
from gitmem.store.layout import is_record_path
from gitmem.store.lock import Lock
from gitmem.store.opened import open_state

T = TypeVar("T")

PATIENCE = 2
"""Refusals after which a sync pushes to its side ref."""

_ATTEMPTS = 12  # refusals it takes where the remote wants no side refs
_ASIDE = 2  # tries of the side ref, which others touch only to remove what they have folded in
_PAUSE = 0.05  # seconds; doubled at each refusal, and drawn at random below that
_SHOWN = 3
_MEANWHILE = 3.0  # seconds in which another git command in this clone may be in the way


def sync(context: Context, *, patience: int = PATIENCE) -> SyncReport:
    """Commit what is recorded, take in what the team has, and push. Without a remote only the commit is made.

    After `patience` refusals because others were faster the commits go to a side ref, which every later sync folds in.
    Raises RemoteError when the remote cannot be reached or refuses, ConflictsLeft when files that are not gitmem's conflict.
    What was recorded here is committed before the network is touched, and the next sync goes on from there.
    """
    tally = Tally()
    refuse_cut_off(context)
    if under_way(context.store.repo):
        tally.notes += _settled(context)
    branch = require_branch(context)
    source = remote.upstream(context.store.repo, branch)
    aside = put_back_footing(context)
    with _one_at_a_time(context, source):
        _undisturbed(lambda: _commit(context, tally))
        left = [*tally.problems]
        tally.problems += aside
        if source is None or context.put_back or context.recalled:
            _undisturbed(lambda: _heal(context, tally))
        if source is None:
            return _report(context, tally)
        try:
            return _exchange(context, tally, branch, source, patience)
        except GitmemError as error:
            for told in tally.problems[len(left) :]:  # what was set aside is in no later report
                context.warn(told)
            if left and type(error) is GitmemError:  # what no commit takes stands in the way of what comes in
                raise GitmemError(f"{error.message}; not committed: {left[0]}", "gitmem doctor --fix") from error
            raise


def drift(context: Context, branch: str | None) -> tuple[str | None, int, int]:
    """(the remote, commits it lacks, commits we lack) as of the last fetch."""
    repo = context.store.repo
    source = remote.upstream(repo, branch)
    if source is None:
        return None, 0, 0
    head, theirs = repo.head(), repo.ref(source.tracking)
    behind = 0 if theirs is None or theirs == head else count(context, f"{head}..{theirs}" if head else theirs)
    return source.remote, _ahead(context, theirs), behind


@contextmanager
def _one_at_a_time(context: Context, source: remote.Upstream | None) -> Iterator[None]:
    """A second sync of this clone waits for the first: they would only be in each other's way. The store stays unlocked."""
    lock = Lock(context.store.local / "sync.lock", timeout=60 + 2 * (source.timeout if source else 0))
    try:
        with lock:
            yield
    finally:
        lock.close()


def _exchange(context: Context, tally: Tally, branch: str, source: remote.Upstream, patience: int) -> SyncReport:
    """Fetch, take in, push, until the remote's branch or our side ref there holds what we have."""
    for refusals in range(_ATTEMPTS):
        context.progress("sync", refusals, _ATTEMPTS)
        fetched = _undisturbed(lambda: bring_in(context, tally, branch, source))
        if not refusals:
            tally.problems += pins.lost_by(context, source, fetched.commit)
        if tally.pulled:
            _undisturbed(lambda: _settle(context, tally))
        _undisturbed(lambda: _heal(context, tally))
        head, ahead = context.store.repo.head(), _ahead(context, fetched.commit)
        over = overrun(context, fetched.commit)
        if head is None or (ahead == 0 and not over) or _push(context, tally, source, head, over):
            _tidy(context, branch, source, fetched, brought_on=ahead > 0)
            _leave(context, tally, source)
            if tally.pulled:
                announce(context, source)
            _pin(context, tally, source)
            return _report(context, tally, source, pushed=ahead)
        if refusals + 1 >= patience and not still_named(context, source) and _push_aside(context, tally, source, head):
            return _report(context, tally, source, pushed=ahead, side=_side(context))
        time.sleep(random.uniform(0, _PAUSE * 2 ** min(refusals + 1, 5)))  # noqa: S311 - jitter, not a secret
    raise RemoteError(
        f"{source.remote} was faster {_ATTEMPTS} times in a row; everything is committed here",
        "`gitmem sync` again when fewer are pushing",
    )


def _pin(context: Context, tally: Tally, source: remote.Upstream) -> None:
    """From here on neither this clone nor the remote can lose unseen what both hold now."""
    head = context.store.repo.head()
    if head is not None:
        try:
            with context.store.lock:
                tally.problems += pins.after_sync(context, source, head)
        except GitmemError as error:  # all is shared by now
            tally.problems.append(f"how far the log has come could not be noted: {error.message}")


def _push(context: Context, tally: Tally, source: remote.Upstream, head: str, over: str | None) -> bool:
    """Whether the branch took the push (in place of `over`, if given); False if others were faster.

    Raises RemoteError for any other refusal.
    """
    pushed = _offer(context, tally, source, head, over)
    if pushed.outcome is remote.Push.DENIED and over:
        raise RemoteError(
            f"{source.remote} does not let its history be replaced by the one without what was erased: {pushed.why}",
            f"have its host accept a forced push to {source.ref} for once, then `gitmem sync`; here it is done",
        )
    if pushed.outcome is remote.Push.DENIED:
        raise unwritable(source.remote, source.ref, pushed.why, reached=True)
    return pushed.outcome is remote.Push.OK


def _push_aside(context: Context, tally: Tally, source: remote.Upstream, head: str) -> bool:
    """Whether our side ref took the push; False where the remote wants none, or its ref holds what we have not fetched."""
    for _ in range(_ASIDE):
        if tally.no_side:
            return False
        outcome = _offer(context, tally, source._replace(ref=_side(context)), head).outcome
        tally.no_side = outcome is remote.Push.DENIED
        if outcome is remote.Push.OK:
            tally.notes.append(f"{source.remote} was busy: shared as {_side(context)}, which everybody's next sync folds in")
            return True
    return False


def _offer(context: Context, tally: Tally, target: remote.Upstream, head: str, over: str | None = None) -> remote.Pushed:
    """Push `head` to a ref of the remote. Raises RemoteError where nobody answers."""
    tally.attempts += 1
    pushed = remote.push(context.store.repo, target, head, over)
    if pushed.outcome is remote.Push.UNREACHABLE:
        raise unwritable(target.remote, target.ref, pushed.why, reached=False)
    return pushed


def _tidy(context: Context, branch: str, source: remote.Upstream, fetched: remote.Fetched, *, brought_on: bool) -> None:
    """The remote's branch holds all that HEAD holds: side refs that HEAD holds as well are not needed any more.

    Who has not `brought_on` the branch removes only those of this clone, lest all remove the same at once.
    """
    if brought_on:
        _follow(context, branch, source)
    side = fetched.side if brought_on else of_this_replica(context, fetched.side)
    remote.drop_side_refs(context.store.repo, source, side)


def _leave(context: Context, tally: Tally, source: remote.Upstream) -> None:
    """Forget a history that was rewritten, once what this clone alone held is shared upon the new one."""
    if olds := left_behind(context):
        remote.drop_heard(context.store.repo, source, olds)
    if has_walked(context):
        tally.notes.append("what git's history said before it was rewritten is gone from this clone")
        tally.problems += tidy_up(context)


def _side(context: Context) -> str:
    return remote.side_ref(context.store.replica.writer)


def _undisturbed(act: Callable[[], T]) -> T:
    """Do `act`; again, for a moment, where another git command in this clone moved the branch or held a lock."""
    deadline = time.monotonic() + _MEANWHILE
    while True:
        try:
            return act()
        except (RefMoved, Locked):
            if time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(_PAUSE / 2, 2 * _PAUSE))  # noqa: S311 - jitter, not a secret


def _commit(context: Context, tally: Tally) -> None:
    with context.store.lock:
        finish_rewriting(context)
        before = context.store.repo.head()
        try:
            made = commit(context)
        except Unmerged:  # a `git stash pop`, which leaves no other trace
            tally.notes += _settled(context)
            made = commit(context)
        if made is not None:
            tally.problems += made.skipped
            pass_over(context, before, made.commit)
        if again := erase_again(context):
            tally.notes.append(
                f"{', '.join(again[:_SHOWN])} had been erased, and a reset or a restore took that back: it is erased again"
            )


def _settled(context: Context) -> list[str]:
    from gitmem.memory.syncing.unmerged import settle_unmerged  # which most syncs do without

    return settle_unmerged(context)


def _settle(context: Context, tally: Tally) -> None:
    """What was deleted elsewhere goes here, too."""
    told = settle_deletions(context, tally.brought, tally.revived)
    tally.problems += [one for one in told if one not in tally.problems]
    settle_prunings(context, [path.removeprefix(context.store.prefix) for path in tally.brought])
    take_note(context)


def _heal(context: Context, tally: Tally) -> None:
    note_role(context)
    healed = heal(context)
    tally.notes += healed.notes
    tally.problems += healed.problems
    tally.problems += enforce(context)  # once the log is whole: what a revert took out of it may be who let somebody in
    notes, problems = keep_keys(context)  # and once it is known who may read: what was signed without the right has gone
    tally.notes += notes
    tally.problems += [one for one in problems if one not in tally.problems]
    if complete_attributes(context):
        commit(context)
    if told := settle_erasures(context):
        tally.notes.append(told)


def _follow(context: Context, branch: str, source: remote.Upstream) -> None:
    """Make plain `git pull` and `git push` work on this branch, too, where nobody chose otherwise."""
    repo = context.store.repo
    if not source.followed:
        repo.config_set(f"branch.{branch}.remote", source.remote)
        repo.config_set(f"branch.{branch}.merge", source.ref)


def _ahead(context: Context, theirs: str | None) -> int:
    head = context.store.repo.head()
    if head is None or head == theirs:
        return 0
    return count(context, f"{theirs}..{head}" if theirs else head)


def _report(
    context: Context, tally: Tally, source: remote.Upstream | None = None, pushed: int = 0, side: str | None = None
) -> SyncReport:
    tally.problems += _not_right_yet(context)
    return SyncReport(
        pushed=pushed,
        pulled=tally.pulled,
        merged=tally.merged,
        conflicts=sum(_in_conflict(context, path) for path in tally.brought),
        attempts=tally.attempts,
        head=context.store.repo.head(),
        problems=tally.problems,
        remote=source.remote if source else None,
        side=side,
        folded=tally.folded,
        notes=tally.notes,
    )


def _not_right_yet(context: Context) -> list[str]:
    """Our own key files that stay as somebody wrote over them, because we may not set them right; in words."""
    store, head = context.store, context.store.repo.head()
    held = store.repo.ls_tree(head, [store.prefix + path for path in context.recalled]) if head and context.recalled else {}
    said = "is not as it was signed for, and a sync of whoever passes keys on sets it right: `gitmem sync` again after that"
    left = ((path, held.get(store.prefix + path)) for path in sorted(context.recalled))
    return [f"{path} {said}" for path, entry in left if entry and entry.id == context.recalled[path]]


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
    except (NoKey, InvalidRecord):  # what is no record is in the report already
        return False
    except GitmemError as error:
        context.warn(error.message)
        return False
