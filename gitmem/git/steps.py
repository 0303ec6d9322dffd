"""The lists of what a rebase or a cherry-pick of several commits has yet to do.

git takes a commit that a merge strategy refused for done, and the next `--continue` goes on without it: its changes would be
gone without a word. Its own merge puts such a commit back on the list of a rebase (git-rebase(1) on `--edit-todo`); we do the
same, for a cherry-pick as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gitmem.git.repo import Repo

_WAITING: Final = "git-rebase-todo"
_PICKS: Final = frozenset(["pick", "p", "reword", "r", "edit", "e", "squash", "s", "fixup", "f"])


def put_back(repo: Repo, commit: str) -> bool:
    """Have `--continue` apply `commit` again, which is being applied right now; False if no list is at work on it."""
    rebase = repo.git_dir / "rebase-merge"
    done = _lines(rebase / "done")
    if done and (rebase / _WAITING).exists():
        return _names(repo, done[-1], commit) and _prepend(rebase / _WAITING, done[-1])
    todo = repo.git_dir / "sequencer" / "todo"
    waiting = _lines(todo)  # of a cherry-pick: the commit at work stands first, and --continue skips the first
    return bool(waiting) and _names(repo, waiting[0], commit) and _prepend(todo, waiting[0])


def _names(repo: Repo, line: bytes, commit: str) -> bool:
    words = line.split()
    if len(words) < 2 or words[0].decode("ascii", "replace") not in _PICKS:
        return False
    named = next((word for word in words[1:] if not word.startswith(b"-")), b"")
    return repo.resolve(os.fsdecode(named)) == commit


def _prepend(file: Path, line: bytes) -> bool:
    temporary = file.with_name(f"{file.name}.gitmem")
    temporary.write_bytes(line + b"\n" + file.read_bytes())
    temporary.replace(file)
    return True


def _lines(file: Path) -> list[bytes]:
    try:
        return [line for line in file.read_bytes().splitlines() if line.strip() and not line.startswith(b"#")]
    except OSError:
        return []
