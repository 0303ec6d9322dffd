"""Directories that are gone when the work in them is done, and after a killed process when somebody works in the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitmem.store.files import disk_error, is_abandoned


def clear_abandoned(folder: Path) -> None:
    """Remove what killed processes have left of such directories in `folder`."""
    for left in folder.glob(".scratch.*.tmp"):
        if is_abandoned(left.name) and not left.name.endswith(f".{os.getpid()}.tmp"):  # ours may be in use further up
            shutil.rmtree(left, ignore_errors=True)


def workplace(folder: Path) -> Path:
    """Where to work for what only reads: `folder`, or the system's directory for that if its disk is mounted read-only."""
    try:
        fixed = os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError as error:
        raise disk_error(error, f"cannot work in {folder}") from error
    return Path(tempfile.gettempdir()) if fixed else folder


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A new directory in `folder`, which is made if need be; with what it holds it is readable by its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = f".{os.getpid()}.tmp"
        clear_abandoned(folder)
        place = Path(tempfile.mkdtemp(prefix=".scratch.", suffix=mine, dir=folder))
    except OSError as error:
        raise disk_error(error, f"cannot work in {folder}") from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
