"""Talking to the remote a store is shared through. Progress is shown by the caller; here nothing is printed.

Beside the branch a remote may hold side refs, `refs/gitmem/<writer>`: commits of somebody who lost the race for the branch too
often. They are fetched together with the branch, by one git process.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process
from gitmem.git.places import absolute_urls
from gitmem.git.remote_words import (
    denied,
    lost_race,
    no_room,
    remote_lines,
    said,
    stopped_by_hook,
    unreadable,
    without_password,
)
from gitmem.git.repo import Repo

TIMEOUT: Final = 120.0
"""Seconds for one fetch or push unless `git config gitmem.timeout` says otherwise; a clone may take as long as it needs."""
TIMEOUT_KEY: Final = "gitmem.timeout"

_SIDE: Final = "refs/gitmem/"
INCOMING: Final = "refs/gitmem/incoming/"
WITNESSED: Final = "refs/gitmem/witnessed/"
"""Below it, by the names of remotes, what those that witness the log were seen to hold."""
HEARD: Final = "refs/gitmem/heard/"
"""Below it, by the names of replicas, the commits that they have announced to hold; fetched like side refs."""
_NAME: Final = re.compile(r"[\w./-]+")  # of a remote; what `git -c` reads as a key holds no `=`
_WRITER: Final = re.compile(r"[a-z0-9]{1,16}-[0-9]{1,15}")
# What a mirror of somebody's clone may hold below refs/gitmem beside side refs.
_NOT_SIDE: Final = ("^refs/gitmem/snapshots/*", "^refs/gitmem/incoming/*", "^refs/gitmem/tmp/*")
_FETCH: Final = (
    *("fetch", "--quiet", "--prune", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules"),
    *("--no-write-fetch-head", "--refmap=", "--"),  # no refmap: the configured one forces the branch, as we do not
)
_TRIES: Final = 5  # of a fetch whose refs another process of this clone moves at the same time
_MOST_DROPPED: Final = 200


class Upstream(NamedTuple):
    """Where a branch is shared: the remote's name, the branch's full name there, and the ref here that remembers it.

    `timeout` is in seconds, for one fetch or push. `place` names the remote's branch: under another URL it is another one.
    `followed` says that plain git commands share the branch with a branch of the user's choice, or with this one.
    """

    remote: str
    ref: str
    tracking: str
    timeout: float = TIMEOUT
    place: str = ""
    followed: bool = False


class Fetched(NamedTuple):
    """What the remote holds: the branch's commit (None: no such branch yet), and by writer the commits of side refs.

    `rewritten` says that the branch no longer holds what `tracking` remembers. Then `commit` is still that, and only a fetch
    with `force` goes on to the new history: what was there before can be taken in first.
    """

    commit: str | None
    side: Mapping[str, str] = {}
    rewritten: bool = False


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
    """What `branch` is shared with: its configured upstream, else the branch of that name on `origin`; None without either.

    Raises GitmemError for a `gitmem.timeout` that is no number of seconds.
    """
    if branch is None:
        return None
    config = repo.config()
    remote, merge = config.get(f"branch.{branch}.remote"), config.get(f"branch.{branch}.merge")
    ref = merge
    if not (remote and ref and f"remote.{remote}.url" in config):
        remote, ref = "origin", f"refs/heads/{branch}"
    if f"remote.{remote}.url" not in config:
        return None
    tracking = f"refs/remotes/{remote}/{ref.removeprefix('refs/heads/')}"
    place = _place(config[f"remote.{remote}.url"], ref)
    return Upstream(remote, ref, tracking, _timeout(config.get(TIMEOUT_KEY)), place, merge is not None)


def _place(url: str, ref: str) -> str:
    """The name of a remote's branch; a URL may hold a password."""
    from hashlib import sha256

    return sha256(f"{url}\0{ref}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def fetch(repo: Repo, source: Upstream, *, force: bool = False) -> Fetched:
    """Bring the remote's branch into `source.tracking`, and its side refs below `refs/gitmem/incoming/`, with one git.

    A branch that was rewritten there is not followed unless with `force`, see `Fetched`.
    Raises RemoteError, with git's reason, when the remote cannot be read; Locked when a dead git's lock is in the way.
    """
    branch = f"{'+' if force else ''}{source.ref}:{source.tracking}"
    done = _fetch(repo, source, branch)
    if done.code == 0:
        return Fetched(repo.ref(source.tracking), _side_refs(repo, source.remote))
    if "couldn't find remote ref" in done.err:
        done = _fetch(repo, source)  # git fetched nothing at all; a remote may hold side refs alone
        if done.code == 0:
            return Fetched(None, _side_refs(repo, source.remote))
    elif done.code == 1 and not re.search(r"^(fatal|error): ", done.err, re.MULTILINE):
        return Fetched(repo.ref(source.tracking), _side_refs(repo, source.remote), rewritten=True)
    if ".lock': File exists" in done.err:
        raise process.failure(("fetch",), repo.root, done)
    raise unreadable(source.remote, said(done.err))


def fetch_again(repo: Repo, source: Upstream) -> None:
    """Bring all that the remote's branch reaches, also what we have: some of it lies damaged here. No ref moves.

    git may call it failed for what is damaged still; what came is there all the same. It takes as long as a clone.
    """
    repo.call(*absolute_urls(repo, source.remote), "fetch", "--refetch", *_FETCH[1:], source.remote, source.ref, remote=True)


def push(repo: Repo, target: Upstream, commit: str, over: str | None = None) -> Pushed:
    """Offer `commit` to the remote's branch. Every way this can end is a value, none an exception.

    As a fast-forward only; or in place of the commit `over`, if that is what the branch holds still.
    """
    lease = [f"--force-with-lease={target.ref}:{over}"] if over else []
    done = _push(repo, target, *lease, "--", target.remote, f"{commit}:{target.ref}")
    if isinstance(done, Pushed):
        return done
    if done.code == 0:
        return Pushed(Push.OK)
    refused = [line.split("\t")[2] for line in process.readable(done.out).splitlines() if line.startswith("!\t")]
    if not refused and done.code == 1 and _guarded(repo) and (why := stopped_by_hook(process.readable(done.out), done.err)):
        return Pushed(Push.UNREACHABLE, why)
    if not refused:
        return Pushed(Push.DENIED if denied(done.err) else Push.UNREACHABLE, said(done.err))
    theirs = remote_lines(done.err)
    if lost_race(refused[0]) and not no_room("; ".join(theirs)) and not (over and "remote rejected" in refused[0]):
        return Pushed(Push.BEHIND, refused[0])
    return Pushed(Push.DENIED, without_password("; ".join([refused[0], *theirs])))


def _guarded(repo: Repo) -> bool:
    """Whether this clone has a hook that git asks before it pushes."""
    hook = os.fsdecode(repo.run("rev-parse", "--git-path", "hooks/pre-push")).removesuffix("\n")
    return os.access(repo.root / hook, os.X_OK)


def side_ref(writer: str) -> str:
    """The ref on the remote that `writer` alone pushes to."""
    return _SIDE + writer


def drop_side_refs(repo: Repo, source: Upstream, side: Mapping[str, str]) -> None:
    """Delete side refs on the remote, each only if it still holds the commit given. Whatever cannot be deleted stays."""
    some = dict(sorted(side.items())[:_MOST_DROPPED])
    if some:
        leases = [f"--force-with-lease={_SIDE}{writer}:{commit}" for writer, commit in some.items()]
        _push(repo, source, *leases, "--", source.remote, *(f":{_SIDE}{writer}" for writer in some))


def drop_heard(repo: Repo, source: Upstream, olds: Iterable[str]) -> None:
    """Delete the announcements on the remote, and here, that still reach one of the commits `olds`."""
    below = f"{INCOMING}{source.remote}/{HEARD.removeprefix(_SIDE)}"
    found: set[str] = set()
    for old in olds:
        if _perhaps(repo, below) and repo.call("cat-file", "-e", f"{old}^{{commit}}").code == 0:
            found |= set(repo.run("for-each-ref", "--format=%(refname)", f"--contains={old}", below).decode().split())
    if found:
        names = [ref.removeprefix(below) for ref in sorted(found)]
        _push(repo, source, "--", source.remote, *(f":{HEARD}{name}" for name in names[:_MOST_DROPPED]))


def announce(repo: Repo, source: Upstream, ref: str, commit: str) -> None:
    """Point a ref on the remote, such as `HEARD` and a replica's name, at a commit. What the remote does not take is let be."""
    _push(repo, source, "--", source.remote, f"+{commit}:{ref}")


def clone(url: str, target: Path, timeout: float | None = None, branch: str | None = None) -> Repo:
    """A clone of `url` at `target`; of one `branch` alone, if named. Raises RemoteError when the remote cannot be read."""
    only = ["--single-branch", "--branch", branch] if branch is not None else []
    args = ("-c", "core.fsync=all", "clone", "--quiet", *only, "--", url, str(target.resolve()))
    done = process.call(args, Path.cwd(), timeout=timeout, remote=True)
    if done.code:
        if "already exists and is not an empty directory" in done.err:
            raise GitmemError(f"{target} is not an empty directory", "name another directory")
        raise unreadable(url, said(done.err), anew=True)
    return Repo.find(target)


def _timeout(value: str | None) -> float:
    if value is None:
        return TIMEOUT
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise GitmemError(f"{TIMEOUT_KEY} is {value!r}, which is no number of seconds", f"git config {TIMEOUT_KEY} 120")
    return seconds


def _fetch(repo: Repo, source: Upstream, *branch: str) -> process.Done:
    """Fetch the branch, if given, and the side refs; again where another process of this clone moved the same refs."""
    here = absolute_urls(repo, source.remote)
    side = (f"+{_SIDE}*:{INCOMING}{source.remote}/*", *_NOT_SIDE)
    for attempt in range(_TRIES):
        try:
            done = repo.call(*here, *_FETCH, source.remote, *branch, *side, timeout=source.timeout, remote=True)
        except process.GitTimeout as error:
            raise unreadable(source.remote, error.message) from None
        if done.code == 0 or not lost_race(done.err):
            break
        time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
    return done


def _push(repo: Repo, target: Upstream, *args: str) -> process.Done | Pushed:
    # A remote that `git push` mirrors to takes no refspec, and what it lacks would be deleted there.
    one = ("-c", f"remote.{target.remote}.mirror=false") if _NAME.fullmatch(target.remote) else ()
    words = (
        *absolute_urls(repo, target.remote),
        *one,
        "push",
        "--porcelain",
        "--no-recurse-submodules",
        "--no-follow-tags",
        *args,
    )
    try:
        return repo.call(*words, timeout=target.timeout, remote=True)
    except process.GitTimeout as error:
        return Pushed(Push.UNREACHABLE, error.message)


def _side_refs(repo: Repo, remote: str) -> dict[str, str]:
    """The side refs as they were fetched, writer -> commit; what has another name or is no commit is passed over."""
    below = f"{INCOMING}{remote}/"
    if not _perhaps(repo, below):
        return {}
    wanted = "--format=%(objecttype) %(objectname) %(refname)"
    lines = (line.split(" ", 2) for line in repo.run("for-each-ref", wanted, below).decode("utf-8", "replace").splitlines())
    found = ((name.removeprefix(below), commit) for kind, commit, name in lines if kind == "commit")
    return {writer: commit for writer, commit in found if _WRITER.fullmatch(writer)}


def _perhaps(repo: Repo, below: str) -> bool:
    """Whether there may be refs `below`: seen without a process, because nearly always there are none."""
    if (repo.common_dir / "reftable").is_dir():
        return True
    folder = repo.common_dir / below
    if folder.is_dir() and any(folder.iterdir()):
        return True
    packed = repo.common_dir / "packed-refs"
    return packed.is_file() and below.encode() in packed.read_bytes()
