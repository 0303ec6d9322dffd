"""Taking in all that a remote holds: the branch, what it held before somebody rewrote it, and the side refs.

A side ref, `refs/gitmem/<writer>`, holds the commits of a writer who lost the race for the branch too often. Nobody else pushes
to it, so that nobody can starve. Every later sync of anybody folds it in; whoever then brings the branch to the remote deletes
it there, if it still holds what was folded. Whatever is killed in between, the commits are in the ref, the branch, or both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitmem.errors import GitmemError, Locked, RemoteError
from gitmem.git import remote
from gitmem.memory.context import Context
from gitmem.memory.privacy.rewritten import explained
from gitmem.memory.syncing.taking import ForeignClash, Tally, leave_to_user, take_in
from gitmem.memory.syncing.unnamed import unnamed

_MOST = 64  # side refs folded by one sync: more are no contention but an accident, or somebody who means harm


def bring_in(context: Context, tally: Tally, branch: str, source: remote.Upstream) -> remote.Fetched:
    """Fetch and take in everything that the branch here lacks. What the remote holds is returned, of its side refs those that
    the branch here holds now.

    Raises RemoteError when the remote cannot be read or its branch is not this store's, ConflictsLeft when files that are not
    gitmem's conflict. A side ref that cannot be taken in is left where it is, and named in the tally's problems.
    """
    fetched = remote.fetch(context.store.repo, source)
    if fetched.rewritten:
        fetched = _past_the_rewriting(context, tally, branch, source, fetched)
    side = dict(sorted(fetched.side.items())[:_MOST])
    if not _take_in_together(context, tally, branch, fetched.commit, side):
        if fetched.commit:
            _take_in_branch(context, tally, branch, fetched.commit)
        side = _fold_all(context, tally, branch, side)
    return fetched._replace(side=side)


def _take_in_together(context: Context, tally: Tally, branch: str, theirs: str | None, side: Mapping[str, str]) -> bool:
    """Take in the branch and all side refs with one merge commit: else merges would outnumber the writes by ten.

    False where that is no less work, where one of them is not to be merged with ours, which name us, or where something is
    wrong: then nothing was changed, and one by one tells what.
    """
    head = context.store.repo.head()
    several = {*([theirs] if theirs else []), *side.values()} - {head}
    heads = _independent(context, several) if head is not None and len(several) > 1 else []
    if len(heads) < 2 or (head and any(unnamed(context, head, one) for one in heads)):
        return False
    try:
        take_in(context, tally, branch, *heads)
    except Locked:
        raise
    except GitmemError:
        if context.store.repo.head() != head:
            raise
        return False
    tally.folded += len(set(heads) - {theirs})
    return True


def of_this_replica(context: Context, side: Mapping[str, str]) -> dict[str, str]:
    """Those of the side refs that this clone has pushed."""
    mine = f"{context.store.replica.name}-"
    return {writer: commit for writer, commit in side.items() if writer.startswith(mine)}


def _past_the_rewriting(
    context: Context, tally: Tally, branch: str, source: remote.Upstream, known: remote.Fetched
) -> remote.Fetched:
    """Go on to the remote's new history, after what it held before has been taken in: memory is taken back by `forget` only."""
    repo, after = context.store.repo, remote.fetch(context.store.repo, source, force=True)
    if known.commit and after.commit and explained(context, known.commit, after.commit):
        tally.notes.append(f"the history of {source.ref} on {source.remote} was rewritten to erase records; this clone follows")
        return after
    if known.commit and after.commit:
        repo.run("update-ref", source.tracking, known.commit, after.commit)  # until what it held before is taken in
    if known.commit:
        try:
            take_in(context, tally, branch, known.commit)
        except ForeignClash:
            leave_to_user(context, known.commit)
            raise
        except RemoteError:
            pass  # before, the remote's name stood for another store's repository
    tally.notes.append(
        f"the history of {source.ref} on {source.remote} was rewritten; whatever it held before is kept, and shared again"
    )
    return remote.fetch(context.store.repo, source, force=True)


def _take_in_branch(context: Context, tally: Tally, branch: str, commit: str) -> None:
    try:
        take_in(context, tally, branch, commit)
    except ForeignClash:
        leave_to_user(context, commit)
        raise


def _fold_all(context: Context, tally: Tally, branch: str, side: dict[str, str]) -> dict[str, str]:
    """Take in side refs; those that HEAD holds now. One that another contains is taken in by itself only if that one fails."""
    greatest = _greatest(context, side)
    failed = {writer for writer in greatest if not _fold(context, tally, branch, writer, side[writer])}
    rest = sorted(set(side).difference(greatest)) if failed else []
    failed |= {writer for writer in rest if not _fold(context, tally, branch, writer, side[writer])}
    return {writer: commit for writer, commit in side.items() if writer not in failed}


def _greatest(context: Context, side: Mapping[str, str]) -> list[str]:
    """Of the side refs that HEAD lacks those that no other contains, one of several that are the same."""
    by_commit = {commit: writer for writer, commit in side.items()}
    return sorted(by_commit[commit] for commit in _independent(context, by_commit))


def _independent(context: Context, commits: Iterable[str]) -> list[str]:
    """Of the commits that HEAD lacks those that no other contains."""
    head = context.store.repo.head()
    wanted = sorted(set(commits) - {head})
    if not wanted:
        return []
    found = context.store.repo.run("merge-base", "--independent", *([head] if head else []), *wanted).decode().split()
    return [commit for commit in found if commit != head]


def _fold(context: Context, tally: Tally, branch: str, writer: str, commit: str) -> bool:
    """Take in one side ref. What is wrong with it is its owner's to settle, and must not keep everybody else from syncing."""
    before = context.store.repo.head()
    try:
        take_in(context, tally, branch, commit)
    except Locked:
        raise
    except GitmemError as error:
        if context.store.repo.head() != before:
            raise
        tally.problems.append(f"{remote.side_ref(writer)} on the remote was left aside: {error.message}")
        return False
    tally.folded += 1
    return True
