"""Snapshots: what HEAD, index and work tree held before something destructive, as a commit under refs/gitmem/snapshots/.

A snapshot is built as `git stash` builds its commits: its tree is the index with the store's files of the work tree on top
(untracked and ignored ones included), its parents are HEAD and a commit of the index alone. Neither index nor work tree is
touched, and no commit is signed or checked by a hook.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git.commits import RefMoved, move_ref
from gitmem.git.merge import OWN
from gitmem.git.objects import DURABLE, Draft, write_commits
from gitmem.git.own_files import read_file
from gitmem.git.repo import Repo
from gitmem.git.setup import store_prefix

REFS: Final = "refs/gitmem/snapshots/"
KEEP_LAST: Final = 10
KEEP_DAYS: Final = 30

_STAMP: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-(.+)")
_BUSY: Final = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


class Snapshot(NamedTuple):
    """A snapshot: its ref, its commit, when it was made (UTC), and before what."""

    ref: str
    commit: str
    time: datetime
    reason: str


def create(repo: Repo, reason: str, now: datetime, prefix: str | None = None, without: Sequence[str] = ()) -> Snapshot:
    """Make a snapshot. `reason` is a word or two, which go into its name. Works without any commit yet and amid a merge.

    `prefix` is where in the repository the store lies, if that is known: empty, or ending in a slash. Of the files `without`
    nothing is written into it, nor into any object of the repository.
    """
    head = repo.head()
    name = re.sub(r"[^a-z0-9]+", "-", reason.lower()).strip("-")[:40] or "snapshot"
    who = f"gitmem snapshot <gitmem@localhost> {int(now.timestamp())} +0000"
    parents = [head] if head else []
    with _private_index(repo) as env:
        _leave_out(repo, env, without)
        index = _index_tree(repo, env)
        _add_work_tree(repo, env, store_prefix(repo) if prefix is None else prefix, without)
        tree = repo.run(*DURABLE, "write-tree", env=env).decode().strip()
    drafts = [
        Draft(f"index before {reason}\n", who, who, parents, index),
        Draft(f"before {reason}\n", who, who, [*parents, ":1"], tree),
    ]
    made = write_commits(repo, drafts)[1].commit
    ref = _claim(repo, f"{REFS}{now.astimezone(UTC):{_STAMP}}-{name}", made)
    return Snapshot(ref, made, now.astimezone(UTC).replace(microsecond=0), name)


def all_snapshots(repo: Repo) -> list[Snapshot]:
    """The snapshots there are, oldest first."""
    lines = repo.run("for-each-ref", "--format=%(refname) %(objectname)", REFS).decode().splitlines()
    found = []
    for line in lines:
        ref, _, commit = line.partition(" ")
        match = _NAME.fullmatch(ref.removeprefix(REFS))
        with suppress(ValueError):  # a ref of somebody's own, which says no time that there is
            if match:
                time = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append(Snapshot(ref, commit, time, match[2]))
    return found


def prune(repo: Repo, now: datetime, *, keep_last: int = KEEP_LAST, keep_days: int = KEEP_DAYS) -> list[Snapshot]:
    """Drop old snapshots and return them: kept are the last ones, and of each recent day the newest.

    Nothing is dropped while a merge, rebase, cherry-pick or revert is under way: that is when one may be needed.
    """
    if any((repo.git_dir / name).exists() for name in _BUSY):
        return []
    snapshots = all_snapshots(repo)
    newest_of_day = {one.time.date(): one for one in snapshots if one.time > now - timedelta(days=keep_days)}
    kept = {one.ref for one in [*snapshots[len(snapshots) - min(keep_last, len(snapshots)) :], *newest_of_day.values()]}
    dropped = [one for one in snapshots if one.ref not in kept]
    _delete(repo, dropped)
    return dropped


def drop_with(repo: Repo, paths: Sequence[str], holds: Callable[[str, str], bool]) -> list[Snapshot]:
    """Drop the snapshots that have a file (by its path and blob, at or below one of `paths`) of which `holds`; return them."""
    dropped = [
        one
        for one in all_snapshots(repo)
        if any(holds(path, entry.id) for tree in _trees(repo, one) for path, entry in repo.ls_tree(tree, paths).items())
    ]
    _delete(repo, dropped)
    return dropped


def drop_all(repo: Repo) -> None:
    """Drop every snapshot there is."""
    _delete(repo, all_snapshots(repo))


def _delete(repo: Repo, some: Sequence[Snapshot]) -> None:
    commands = "".join(f"delete {one.ref} {one.commit}\n" for one in some)
    if commands:
        repo.run("update-ref", "--stdin", input=commands.encode())


def _trees(repo: Repo, one: Snapshot) -> list[str]:
    """The trees of a snapshot: the work tree's, and the index's."""
    index = repo.run("rev-list", "--parents", "--max-count=1", one.commit).decode().split()[-1]
    return [one.commit, index]


def _claim(repo: Repo, wanted: str, commit: str) -> str:
    """Create the ref, under the next free name if there is a snapshot of the same second."""
    for number in range(1, 100):
        ref = wanted if number == 1 else f"{wanted}-{number}"
        try:
            move_ref(repo, ref, commit, None, "snapshot")
        except RefMoved:
            continue
        return ref
    raise GitmemError(f"there are too many snapshots named {wanted}", "wait a second, then try again")


@contextmanager
def _private_index(repo: Repo) -> Iterator[dict[str, str]]:
    """A copy of the index to work in: the environment that makes git use it."""
    path = repo.git_dir / f"gitmem-snapshot-{os.getpid()}.index"
    env = {"GIT_INDEX_FILE": str(path)}
    try:
        if (index := read_file(repo.index_file)) is not None:
            info = repo.index_file.stat()
            path.write_bytes(index)
            # git reads a file again if it is as young as the index; a copy that looked younger would hide late edits.
            os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        yield env
    finally:
        path.unlink(missing_ok=True)
        Path(f"{path}.lock").unlink(missing_ok=True)


def _index_tree(repo: Repo, env: dict[str, str]) -> str:
    """The tree of the index, in which unmerged paths are as on our side. They are looked for where git will not write it."""
    done = repo.call(*DURABLE, "write-tree", env=env)
    if done.code:
        _settle_unmerged(repo, env)
        return repo.run(*DURABLE, "write-tree", env=env).decode().strip()
    return done.out.decode().strip()


def _settle_unmerged(repo: Repo, env: dict[str, str]) -> None:
    """Give unmerged paths the version of our side, for a tree cannot hold three; the work tree's file is taken besides."""
    stages = os.fsdecode(repo.run("ls-files", "--unmerged", "-z", env=env)).split("\0")[:-1]
    paths = {line.partition("\t")[2] for line in stages}
    ours = [line.replace(" 2\t", " 0\t", 1) for line in stages if " 2\t" in line]
    removals = [f"0 {repo.zero_id()}\t{path}" for path in paths]
    if stages:
        lines = "".join(f"{line}\0" for line in [*removals, *ours])
        repo.run("update-index", "-z", "--index-info", input=os.fsencode(lines), env=env)


def _leave_out(repo: Repo, env: dict[str, str], without: Sequence[str]) -> None:
    if without:
        paths = "".join(f"{path}\0" for path in without)
        repo.run("update-index", "-z", "--force-remove", "--stdin", input=os.fsencode(paths), env=env)


def _add_work_tree(repo: Repo, env: dict[str, str], prefix: str, without: Sequence[str]) -> None:
    paths = [prefix + name for name in (*OWN, ".gitattributes") if os.path.lexists(repo.root / prefix / name)]
    if paths:
        wanted = [f":(top,literal){path}" for path in paths] + [f":(top,literal,exclude){path}" for path in without]
        from_stdin, env = ("--pathspec-from-file=-", "--pathspec-file-nul"), env | {"GIT_LITERAL_PATHSPECS": "0"}
        repo.run(*DURABLE, "add", "--all", "--force", *from_stdin, input=os.fsencode("\0".join(wanted)), env=env)
