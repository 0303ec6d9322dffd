"""Backups of a clone, put back in its place by the tools that people use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path


def cp(backup: Path, place: Path) -> None:
    """`cp -a` over what is there: files keep their inodes, and get the times of the backup."""
    subprocess.run(["cp", "-a", f"{backup}/.", place], check=True)


def tar(backup: Path, place: Path) -> None:
    """`tar` over what is there: files are replaced."""
    packed = subprocess.run(["tar", "-C", backup, "-cf", "-", "."], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-C", place, "-xf", "-"], input=packed, check=True)


def anew(backup: Path, place: Path) -> None:
    """Everything is removed, and the backup copied to the same path."""
    if place.is_dir():
        shutil.rmtree(place)
    subprocess.run(["cp", "-a", backup, place], check=True)


def rsync(backup: Path, place: Path) -> None:
    """What `rsync -a --delete` does: a file of the same size and time is passed over, others are written beside and renamed."""
    for folder, folders, files in os.walk(place, topdown=False):
        there = backup / Path(folder).relative_to(place)
        for name in files:
            if not os.path.lexists(there / name):
                Path(folder, name).unlink()
        for name in folders:
            if not (there / name).exists():
                Path(folder, name).rmdir()
    shutil.copytree(backup, place, symlinks=True, dirs_exist_ok=True, copy_function=_unless_same)


def _unless_same(source: str, target: str) -> str:
    old, new = Path(source).lstat(), Path(target).lstat() if os.path.lexists(target) else None
    if new is None or (old.st_size, old.st_mtime_ns) != (new.st_size, new.st_mtime_ns):
        shutil.copy2(source, f"{target}.tmp", follow_symlinks=False)
        Path(f"{target}.tmp").replace(target)
    return target


TOOLS: dict[str, Callable[[Path, Path], None]] = {"cp": cp, "tar": tar, "rsync": rsync, "anew": anew}
"""Each by its name: (backup, place to put it back to)."""
