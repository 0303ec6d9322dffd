"""A HEAD that says nothing any more, or that git does not understand: cut off by a power loss, or damaged on the disk.

For git there is no repository then, so no git command can mend it. But git has kept a log of where HEAD went.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError
from gitmem.git.own_files import read_text
from gitmem.git.repo import Repo

_SOUND: Final = re.compile(r"ref: refs/\S+|[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ENTRY: Final = re.compile(r"[0-9a-f]+ ([0-9a-f]+) [^\t]*\t(.*)")
_HEADS: Final = "refs/heads/"
_WENT_TO: Final = re.compile(
    r"checkout: moving from \S+ to (?P<name>\S+)"
    r"|rebase \((?:finish|abort)\): returning to refs/heads/(?P<back>\S+)"
    r"|Branch: renamed \S+ to refs/heads/(?P<renamed>\S+)"
    r"|rebase \(start\): checkout (?P<away>\S+)"
)


def is_lost(repo: Repo) -> bool:
    """Whether HEAD is gone, or names neither a ref nor a commit."""
    head = repo.git_dir / "HEAD"
    return not head.is_symlink() and not _SOUND.fullmatch(read_text(head) or "")


def lacks(repo: Repo) -> list[str]:
    """Which of `refs` and `objects` are missing: directories without which git sees no repository.

    `refs` is empty once all refs are packed, and a copy that leaves out empty directories lacks it.
    """
    return [name for name in ("refs", "objects") if not (repo.common_dir / name).is_dir()]


def make_folders(repo: Repo) -> None:
    """Make them again."""
    for name in ("refs/heads", "objects/info", "objects/pack"):
        (repo.common_dir / name).mkdir(parents=True, exist_ok=True)


def lacks_format(repo: Repo) -> bool:
    """Whether objects are named by SHA-256, and git's configuration has lost that: git reads none of them then."""
    with suppress(GitmemError):  # a branch that names no commit tells nothing
        return len(repo.head() or "") > len(repo.zero_id())
    return False


def put_back_format(repo: Repo) -> None:
    """Have git's configuration say how objects are named; see git-init(1)."""
    repo.config_set("core.repositoryFormatVersion", "1")
    repo.config_set("extensions.objectFormat", "sha256")


def where_it_stood(repo: Repo) -> str | None:
    """What HEAD is to hold, as git's log of it and the branches that there are tell; None if they do not."""
    last, branch = _logged(repo)
    branches = _branches(repo)
    if branch is None:
        at = [name for name, tip in branches.items() if last in (None, tip) and name not in _elsewhere(repo)]
        return f"ref: {_HEADS}{at[0]}" if len(at) == 1 else None
    return f"ref: {_HEADS}{branch}" if branch in branches else last


def put_back(repo: Repo, content: str) -> None:
    """Write HEAD, durably."""
    head = repo.git_dir / "HEAD"
    new = head.with_name("HEAD.lock")  # git's own name for it: nobody else writes it now
    with new.open("x", encoding="utf-8", newline="\n") as file:
        file.write(content + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(head)


def _logged(repo: Repo) -> tuple[str | None, str | None]:
    """The last commit that HEAD stood at, and what was checked out last: a branch, or a commit, by whatever name."""
    log = repo.git_dir / "logs" / "HEAD"
    lines = (read_text(log) or "").splitlines()
    entries = [entry for line in lines if (entry := _ENTRY.fullmatch(line))]
    went = next((to for entry in reversed(entries) if (to := _WENT_TO.match(entry[2]))), None)
    return entries[-1][1] if entries else None, went[went.lastgroup or 0] if went else None


def _elsewhere(repo: Repo) -> set[str]:
    """The branches that other work trees are on: git lets no two be on the same one."""
    heads = [repo.common_dir / "HEAD", *(repo.common_dir / "worktrees").glob("*/HEAD")]
    others = [read_text(head) or "" for head in heads if head.parent != repo.git_dir]
    return {other.removeprefix(f"ref: {_HEADS}") for other in others}


def _branches(repo: Repo) -> dict[str, str]:
    """Where each local branch stands, without asking git; one that is damaged itself stands nowhere."""
    folder = repo.common_dir / _HEADS
    loose = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    tips = {name: _tip(repo, name) for name in sorted(loose | _packed(repo.common_dir / "packed-refs"))}
    return {name: tip for name, tip in tips.items() if tip is not None}


def _packed(file: Path) -> set[str]:
    lines = (read_text(file) or "").splitlines()
    refs = (line.partition(" ")[2] for line in lines)
    return {ref.removeprefix(_HEADS) for ref in refs if ref.startswith(_HEADS)}


def _tip(repo: Repo, branch: str) -> str | None:
    try:
        return repo.ref(_HEADS + branch)
    except GitmemError:
        return ""
