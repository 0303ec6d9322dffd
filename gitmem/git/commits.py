"""Commits made beside the work tree: what the user has staged or edited is neither read nor disturbed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process
from gitmem.git.objects import DURABLE, Content, Draft, write_commits
from gitmem.git.repo import Repo


class RefMoved(GitmemError):
    """Somebody else moved the ref since it was read: read it again, and do the work again on top."""


class Identity(NamedTuple):
    """Who a commit is by when git has not been told, and when (seconds since 1970; None: by git's clock)."""

    name: str
    email: str
    when: int | None = None


class Tip(NamedTuple):
    """What a new commit goes on top of: a ref by its full name (or `HEAD`, detached), and where it stands (None: unborn)."""

    ref: str
    commit: str | None


def tip(repo: Repo) -> Tip:
    """Where HEAD is now."""
    return Tip(repo.current_ref(), repo.head())


def commit(  # noqa: PLR0913 (what belongs to a commit; the rest of the call is by name)
    repo: Repo, changes: Mapping[str, Content], message: str, *, on: Tip, by: Identity, merging: Sequence[str] = ()
) -> str:
    """Commit `changes` on top of `on`, with `merging` as further parents, and move its ref there; the new commit's id.

    Changes are relative to `on`. The author is the user git knows, else `by`. Objects are durable before the ref moves.
    Raises RefMoved when the ref no longer stands where `on` says; nothing is changed then.
    """
    parents = [one for one in (on.commit, *merging) if one]
    author, committer = (identity_line(repo, role, by) for role in ("AUTHOR", "COMMITTER"))
    [written] = write_commits(repo, [Draft(message, author, committer, parents, changes=changes)])
    move_ref(repo, on, written.commit, message.partition("\n")[0])
    return written.commit


def move_ref(repo: Repo, on: Tip, new: str, note: str) -> None:
    """Point a ref at `new` if it still stands where `on` says. Raises RefMoved. `note` goes to the reflog."""
    args = (*DURABLE, "update-ref", "-m", note, on.ref, new, on.commit or repo.zero_id())
    done = repo.call(*args)
    if done.code and re.search(r"but expected|reference already exists|unable to resolve reference", done.err):
        raise RefMoved(f"{on.ref} was moved by another command meanwhile", "run the command again")
    if done.code:
        raise process.failure(args, repo.root, done)


def identity_line(repo: Repo, role: str, by: Identity) -> str:
    """`Name <address> seconds +zone` for the role AUTHOR or COMMITTER: the user git knows, else `by`."""
    wanted = ("var", f"GIT_{role}_IDENT")
    done = repo.call("-c", "user.useConfigOnly=true", *wanted)  # else git makes an address up from the host's name
    known = done.out
    if done.code:
        known = repo.run("-c", f"user.name={by.name}", "-c", f"user.email={by.email}", *wanted)
    line = known.decode("utf-8", "surrogateescape").strip()
    return line if by.when is None else f"{line.rpartition('>')[0]}> {by.when} +0000"
