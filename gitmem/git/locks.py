"""Lock files that a killed git left behind: `<file>.lock`, which nothing removes, and at which every later git stops.

What a live git holds is never named. Which gits are alive can be told for this machine only: not for another one that shares
the disk, nor for a container with processes of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitmem.git.own_files import read_text
from gitmem.git.repo import Repo

_PAUSE: Final = 0.5  # seconds; tools with a git of their own (libgit2, JGit), which no process list shows, hold a lock for less
_PROCESSES: Final = Path("/proc")
# Commands of git that live long, and lock nothing.
_HOLD_NONE: Final = frozenset({b"cat-file", b"fsmonitor--daemon", b"credential-cache--daemon"})
_PLACES: Final = (b"GIT_DIR=", b"GIT_WORK_TREE=", b"--git-dir=", b"--work-tree=")


def stale_locks(repo: Repo) -> list[Path]:
    """Lock files of git that are there, and still a moment later, while no git is at work in this repository."""
    seen = dict(_locks(repo))
    if not seen or _git_at_work(repo):
        return []
    time.sleep(_PAUSE)
    left = [path for path, inode in _locks(repo) if seen.get(path) == inode]
    return [] if _git_at_work(repo) else sorted(left)


def _locks(repo: Repo) -> Iterator[tuple[Path, int]]:
    """Each lock file and its inode: beside HEAD, the index and the configuration, among the refs, and those of git's upkeep."""
    common = repo.common_dir
    shallow = (path for folder in {repo.git_dir, common} for path in folder.glob("*.lock"))
    deep = (path for name in ("refs", "objects/info", "objects/pack") for path in (common / name).rglob("*.lock"))
    for path in (*shallow, *deep):
        try:
            yield path, path.lstat().st_ino
        except FileNotFoundError:
            continue


def _git_at_work(repo: Repo) -> bool:
    if not _PROCESSES.joinpath("self", "cwd").exists():
        return _git_anywhere()
    folders = _folders(repo)
    return any(_is_at_work(one, folders) for one in _PROCESSES.iterdir() if one.name.isdigit())


def _is_at_work(process: Path, folders: list[Path]) -> bool:
    """Whether a process is a git in one of some folders, or one of which that cannot be told."""
    try:
        words = process.joinpath("cmdline").read_bytes().split(b"\0")
        if not _may_lock(words):
            return False
        here = (process / "cwd").readlink()
        given = [*words, *process.joinpath("environ").read_bytes().split(b"\0")]
    except PermissionError:
        return True  # somebody else's git
    except OSError:
        return False  # it has ended
    named = [here / os.fsdecode(word.partition(b"=")[2]) for word in given if word.startswith(_PLACES)]
    return any(Path(os.path.realpath(place)).is_relative_to(folder) for place in (here, *named) for folder in folders)


def _folders(repo: Repo) -> list[Path]:
    """Where a git that works on this repository is: in any of its work trees, or in git's own directory."""
    links = [read_text(path) or "" for path in repo.common_dir.glob("worktrees/*/gitdir")]
    beside = [repo.common_dir.parent] if repo.common_dir.name == ".git" else []
    return [repo.root, repo.git_dir, repo.common_dir, *beside, *(Path(link).parent for link in links)]


def _git_anywhere() -> bool:
    """Where the system shows no process's directory (macOS), any git may be at work here."""
    import subprocess

    listed = subprocess.run(["ps", "-A", "-o", "args="], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return listed.returncode != 0 or any(_may_lock(line.split()) for line in listed.stdout.splitlines())


def _may_lock(words: list[bytes]) -> bool:
    name = words[0].rpartition(b"/")[2] if words else b""
    return (name == b"git" or name.startswith(b"git-")) and _HOLD_NONE.isdisjoint(words)
