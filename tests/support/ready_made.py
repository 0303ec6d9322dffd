"""Stores that are founded once in a process and copied for each test: a founding is a dozen processes, a copy is none.

A copy is what the original would be had it been moved: its files, its identities, its replicas' names. Only what a replica
notes of the place it lies in is brought up to date, for else each copy would, rightly, take another name at its first write.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Final, TypeVar

from gitmem.git.repo import Repo
from gitmem.store.journal import Journal
from gitmem.store.marks import Marks
from gitmem.store.place import local_of
from gitmem.store.replica import MARKS, load_replica, owner_of, version
from tests.support.disk import MEMORY_DISK

T = TypeVar("T")

_PLACE: Final = re.compile(r"^inode: .*$", re.M)

_made: dict[Hashable, tuple[Path, Any]] = {}
_asked: Counter[tuple[str, Hashable]] = Counter()


def copied(key: Hashable, target: Path, make: Callable[[Path], T]) -> tuple[T, Path]:
    """Copy what `make` makes in an empty directory into `target`; returns what it returned, and where the original lies.

    Asked for twice in one test (in one HOME) it is made twice: two stores that a test founds are two.
    """
    asker = (os.environ["HOME"], key)
    number = _asked[asker]
    _asked[asker] += 1
    if (key, number) not in _made:
        folder = Path(tempfile.mkdtemp(prefix="gitmem-ready-", dir=MEMORY_DISK))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _made[key, number] = folder, make(folder)
    folder, told = _made[key, number]
    shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True)
    for git_dir in target.glob("*/.git"):
        _settle(git_dir.parent)
    return told, folder


def _settle(clone: Path) -> None:
    """Have the clone's replica belong to the place where it is now."""
    local = local_of(Repo.find(clone))
    file = local / "replica.yaml"
    file.write_text(_PLACE.sub(f"inode: {local.stat().st_ino}", file.read_text()))
    replica = load_replica(local)
    assert replica is not None
    marks = Marks(local / MARKS)
    marks.put([], owner_of(version(local), replica, Journal(local / "journal").latest()))
    marks.close()
