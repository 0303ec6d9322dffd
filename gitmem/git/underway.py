"""What git is in the middle of, and which commits it is bringing together: read from its own files, without a process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.git.own_files import read_text
from gitmem.git.repo import Repo

_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class UnderWay(NamedTuple):
    """An operation that waits for a person: its name, as in `git <name> --continue`.

    `merging` are the commits that the next commit will have as further parents, `picked` the one whose change it repeats.
    """

    name: str
    merging: tuple[str, ...] = ()
    picked: str | None = None


def under_way(repo: Repo) -> UnderWay | None:
    """What is under way in this work tree, None if nothing is."""
    git_dir = repo.git_dir
    merging = _ids(git_dir / "MERGE_HEAD")
    if merging:
        return UnderWay("merge", merging)
    if (git_dir / "rebase-apply" / "applying").exists():
        return UnderWay("am")
    if (git_dir / "rebase-merge").exists() or (git_dir / "rebase-apply").exists():
        return UnderWay("rebase", picked=_one(git_dir / "REBASE_HEAD") or _one(git_dir / "CHERRY_PICK_HEAD"))
    if picked := _one(git_dir / "CHERRY_PICK_HEAD"):
        return UnderWay("cherry-pick", picked=picked)
    return UnderWay("revert") if _one(git_dir / "REVERT_HEAD") else None


def broken_heads(repo: Repo) -> list[Path]:
    """Files that are to name the commits of a merge, cherry-pick or revert, and name none: git does not write them in one step.

    Cut off by a full disk or a power loss, one holds up everything and belongs to nothing that could be gone on with.
    """
    files = [repo.git_dir / name for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")]
    return [file for file in files if file.exists() and not _names_commits(repo, file)]


def _names_commits(repo: Repo, file: Path) -> bool:
    ids = _ids(file)
    return bool(ids) and all(_ID.fullmatch(one) and repo.resolve(one) for one in ids)


def _ids(path: Path) -> tuple[str, ...]:
    text = read_text(path) or ""
    return tuple(text.split()) if text.isascii() else ()


def _one(path: Path) -> str | None:
    return next(iter(_ids(path)), None)
