"""Repositories for the tests of git."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.disk import MEMORY_DISK
from tests.support.git import Git


@pytest.fixture
def quick_repo() -> Iterator[Callable[..., Git]]:
    """As `make_repo`, where the machine has a disk in memory: many merges sync to it much."""
    folder = Path(tempfile.mkdtemp(prefix="gitmem-matrix-", dir=MEMORY_DISK))

    def make(name: str = "repo") -> Git:
        git = Git(folder / name)
        git.path.mkdir(parents=True)
        git("init", "--quiet")
        return git

    yield make
    shutil.rmtree(folder, ignore_errors=True)
