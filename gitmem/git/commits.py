"""Commits made beside the work tree: what the user has staged or edited is neither read nor disturbed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process
from gitmem.git.objects import DURABLE, Content, Draft, write_commits
from gitmem.git.repo import Change, Repo

_FEW: Final = 100  # paths git may look up one by one: it compares each of them with the whole index


class RefMoved(GitmemError):
    """Somebody else moved the ref since it was read: read it again, and do the work again on top."""


class Identity(NamedTuple):
    """Who a commit is by. `only` says that it is by nobody else, whatever git has been told."""

    name: str
    email: str
    only: bool = False


def commit(  # noqa: PLR0913 (what makes a commit; by name)
    repo: Repo,
    changes: Mapping[str, Content],
    message: str,
    *,
    parents: Sequence[str],
    ref: str,
    expected: str | None,
    fallback: Identity,
) -> str:
    """Commit `changes` on top of `parents[0]` and move `ref` from `expected` (None: it does not exist) there; the commit's id.

    The author is the user git knows, else `fallback`. Objects are durable before the ref moves. Raises RefMoved when `ref`
    no longer stands at `expected`; nothing is changed then.
    """
    author, committer = (identity_line(repo, role, fallback) for role in ("AUTHOR", "COMMITTER"))
    [written] = write_commits(repo, [Draft(message, author, committer, parents, changes=changes)])
    move_ref(repo, ref, written.commit, expected, message.partition("\n")[0])
    return written.commit


def move_ref(repo: Repo, ref: str, new: str, expected: str | None, note: str) -> None:
    """Point `ref` at `new` if it stands at `expected` (None: does not exist). Raises RefMoved. `note` goes to the reflog."""
    args = (*DURABLE, "update-ref", "-m", note or "gitmem", ref, new, expected or repo.zero_id())
    done = repo.call(*args)
    if done.code and re.search(r"but expected|reference already exists|unable to resolve reference", done.err):
        raise RefMoved(f"{ref} was moved by another command meanwhile", "run the command again")
    if done.code:
        raise process.failure(args, repo.root, done)


def identity_line(repo: Repo, role: str, fallback: Identity) -> str:
    """`Name <address> seconds +zone` for the role AUTHOR or COMMITTER: the user git knows unless `fallback` is the only one."""
    wanted = ("var", f"GIT_{role}_IDENT")
    if fallback.only:
        env = {f"GIT_{role}_NAME": fallback.name, f"GIT_{role}_EMAIL": fallback.email}
        return repo.run(*wanted, env=env).decode("utf-8", "surrogateescape").strip()
    done = repo.call("-c", "user.useConfigOnly=true", *wanted)  # else git makes an address up from the host's name
    known = done.out
    if done.code:
        known = repo.run("-c", f"user.name={fallback.name}", "-c", f"user.email={fallback.email}", *wanted)
    return known.decode("utf-8", "surrogateescape").strip()


def refresh_index(repo: Repo, changes: Iterable[Change], *, force: bool = False) -> list[str]:
    """Bring the index entries of exactly the changed paths from old to new; the paths that were left alone are returned.

    Left alone is a path that is staged with another content, or unmerged; with `force` none is, because what was staged is
    part of the new content. Other staged changes stay as they are. To be called when the work tree is written, so that git
    need not read these files again.
    """
    wanted = {change.path: change for change in changes}
    now = _index_entries(repo, list(wanted))
    left = [path for path, change in wanted.items() if now.get(path) not in (change.old, change.new) and not force]
    behind = [change for path, change in wanted.items() if path not in left and now.get(path) != change.new]
    zero = repo.zero_id()
    lines = "".join(f"{change.new_mode} {change.new or zero}\t{change.path}\0" for change in behind)
    if lines:
        repo.run("update-index", "-z", "--index-info", input=os.fsencode(lines))
    _refresh(repo, [change.path for change in wanted.values() if change.new and change.path not in left])
    return left


def _index_entries(repo: Repo, paths: Sequence[str]) -> dict[str, str]:
    """Path -> blob id (or a word that is none, for an unmerged path), at least for those of `paths` that are in the index."""
    out = repo.run("ls-files", "--stage", "-z", "--", *(paths if len(paths) <= _FEW else ()))
    found: dict[str, str] = {}
    for line in os.fsdecode(out).split("\0")[:-1]:
        head, _, path = line.partition("\t")
        _, blob, stage = head.split(" ")
        found[path] = blob if stage == "0" else "unmerged"
    return found


def _refresh(repo: Repo, paths: Sequence[str]) -> None:
    """Have git note size and time of these files, so that its next look at the work tree need not read them."""
    if 0 < len(paths) <= _FEW:
        repo.run("add", "--refresh", "--", *paths)
    elif paths:
        repo.run("update-index", "-q", "--refresh", ok=(0, 1))
