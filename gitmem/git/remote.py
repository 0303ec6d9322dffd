"""Talking to the remote a store is shared through. Progress is shown by the caller; here nothing is printed."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.errors import GitmemError, RemoteError
from gitmem.git import process
from gitmem.git.repo import Repo

TIMEOUT: Final = 120.0  # seconds for one fetch or push; a clone may take as long as it needs

_DENIED: Final = re.compile(
    r"permission denied|permission to .* denied|not allowed|access denied|authentication failed|could not read username"
    r"|could not read password|returned error: 40[13]|read-only|read only|insufficient permission|unpacker error",
    re.IGNORECASE,
)
_RACE: Final = re.compile(
    r"fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|failed to lock|incorrect old value"
    r"|reference already exists"
)

_CAUSE: Final = re.compile(r"fatal: |error: |ssh: |remote: |.*: Permission denied")


class Upstream(NamedTuple):
    """Where a branch is shared: the remote's name, the branch's full name there, and the ref here that remembers it."""

    remote: str
    ref: str
    tracking: str


class Push(Enum):
    """How a push ended."""

    OK = "ok"
    BEHIND = "behind"  # somebody else was faster: fetch, merge, try again
    DENIED = "denied"  # the remote does not want this from us: protected branch, a hook, no right to write
    UNREACHABLE = "unreachable"


class Pushed(NamedTuple):
    """The outcome of a push, and git's or the remote's reason unless it is ok."""

    outcome: Push
    why: str = ""


def upstream(repo: Repo, branch: str | None) -> Upstream | None:
    """What `branch` is shared with: its configured upstream, else the branch of that name on `origin`; None without either."""
    if branch is None:
        return None
    config = repo.config()
    remote, ref = config.get(f"branch.{branch}.remote"), config.get(f"branch.{branch}.merge")
    if not (remote and ref and f"remote.{remote}.url" in config):
        remote, ref = "origin", f"refs/heads/{branch}"
    if f"remote.{remote}.url" not in config:
        return None
    return Upstream(remote, ref, f"refs/remotes/{remote}/{ref.removeprefix('refs/heads/')}")


def fetch(repo: Repo, source: Upstream, timeout: float = TIMEOUT) -> str | None:
    """Bring the remote's branch into `source.tracking`; its commit's id, or None if the remote has no such branch yet.

    Raises RemoteError, with git's reason, when the remote cannot be read.
    """
    refspec = f"+{source.ref}:{source.tracking}"
    args = ("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules", "--no-write-fetch-head")
    try:
        done = repo.call(*args, "--", source.remote, refspec, timeout=timeout, remote=True)
    except process.GitTimeout as error:
        raise _unreadable(source.remote, str(error)) from None
    if done.code == 0:
        return repo.ref(source.tracking)
    if "couldn't find remote ref" in done.err:
        return None
    raise _unreadable(source.remote, _said(done.err))


def push(repo: Repo, target: Upstream, commit: str, timeout: float = TIMEOUT) -> Pushed:
    """Offer `commit` to the remote's branch, as a fast-forward only. Every way this can end is a value, none an exception."""
    args = ("push", "--porcelain", "--no-recurse-submodules", "--", target.remote, f"{commit}:{target.ref}")
    try:
        done = repo.call(*args, timeout=timeout, remote=True)
    except process.GitTimeout as error:
        return Pushed(Push.UNREACHABLE, str(error))
    if done.code == 0:
        return Pushed(Push.OK)
    refused = [line.split("\t")[2] for line in process.readable(done.out).splitlines() if line.startswith("!\t")]
    if not refused:
        why = _said(done.err)
        return Pushed(Push.DENIED if _DENIED.search(done.err) else Push.UNREACHABLE, why)
    if _RACE.search(refused[0]):
        return Pushed(Push.BEHIND, refused[0])
    return Pushed(Push.DENIED, "; ".join([refused[0], *_remote_lines(done.err)]))


def clone(url: str, target: Path, timeout: float | None = None) -> Repo:
    """A clone of `url` at `target`. Raises RemoteError when the remote cannot be read."""
    args = ("-c", "core.fsync=all", "clone", "--quiet", "--", url, str(target.resolve()))
    done = process.call(args, Path.cwd(), timeout=timeout, remote=True)
    if done.code:
        if "already exists and is not an empty directory" in done.err:
            raise GitmemError(f"{target} is not an empty directory", "name another directory")
        raise _unreadable(url, _said(done.err))
    return Repo.find(target)


def _unreadable(remote: str, why: str) -> RemoteError:
    return RemoteError(
        f"cannot read from {_without_password(remote)}: {why}",
        "`git remote -v` shows where it points; your work is safe here meanwhile",
    )


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]*@", "", url)


def _said(err: str) -> str:
    """git's reason; where a transport broke, git's own last `fatal:` line only advises, and one before it names the cause."""
    lines = [line for line in err.splitlines() if _CAUSE.match(line) and "Could not read from" not in line]
    cause = lines[-1] if lines else process.reason(err)
    return _without_password(re.sub(r"^(fatal|error): ", "", cause))


def _remote_lines(err: str) -> list[str]:
    lines = (line.removeprefix("remote: ").strip() for line in err.splitlines() if line.startswith("remote: "))
    return [line for line in lines if line][:5]
