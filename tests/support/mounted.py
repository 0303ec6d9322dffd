"""Small disks of their own, which only root can mount."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk in memory of `size` (as mount(8) spells it) at `place`, until the fixture ends that yields from this."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "gitmem-test", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root: a full disk cannot be tried here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
