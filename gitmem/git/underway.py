"""What git is in the middle of, and which commits it is bringing together: read from its own files, without a process."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gitmem.git.repo import Repo


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


def _ids(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("ascii").split())
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ()


def _one(path: Path) -> str | None:
    return next(iter(_ids(path)), None)
