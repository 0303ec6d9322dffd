"""The merge driver as git starts it: a whole result, or a conflict with nothing changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from tests.git.stores import changed, path_of, record, two_branches, values
from tests.support.git import Git

MakeRepo = Callable[..., Git]
DRIVER = str(Path(sys.executable).parent / "gitmem-merge-driver")
BASE = record(1)
OURS = changed(BASE, "bbbbbbbb-1", fix="ours")
THEIRS = changed(BASE, "cccccccc-1", fix="theirs")
PATH = path_of(BASE)


def _drive(folder: Path, ours: bytes, theirs: bytes, shown: str = PATH) -> subprocess.CompletedProcess[bytes]:
    for name, data in (("O", b""), ("A", ours), ("B", theirs)):
        (folder / name).write_bytes(data)
    return subprocess.run([DRIVER, "O", "A", "B", "7", shown], cwd=folder, capture_output=True, timeout=60, check=False)


def test_writes_the_join(tmp_path: Path) -> None:
    """The result stands in %A, byte for byte what the core says, with nothing left beside it."""
    assert _drive(tmp_path, emit(OURS), emit(THEIRS)).returncode == 0
    assert (tmp_path / "A").read_bytes() == emit(merge(OURS, THEIRS))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A", "B", "O"]


@pytest.mark.parametrize(
    "theirs",
    [
        b"",
        b"<<<<<<< HEAD\n",
        b"\xff\0",
        emit(THEIRS)[:-10],
        emit(record(2)),
        emit(THEIRS).replace(b"gitmem: 1", b"gitmem: 2"),
        b"a: &x [*x]\n",
        b"x" * (2 << 20),
    ],
    ids=["empty", "markers", "binary", "cut off", "another record", "newer format", "alias", "2 MiB"],
)
def test_what_cannot_be_merged_is_a_conflict(tmp_path: Path, theirs: bytes) -> None:
    """%A stays as it was, and one line says why."""
    done = _drive(tmp_path, emit(OURS), theirs)
    assert done.returncode == 1
    assert (tmp_path / "A").read_bytes() == emit(OURS)
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"gitmem: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A", "B", "O"]


def test_the_path_is_only_shown(tmp_path: Path) -> None:
    """A path from a hostile repository cannot steer the terminal or name a file to write."""
    done = _drive(tmp_path, emit(OURS), b"", "../x\x1b[2J\n" + "y" * 9000)
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr
    assert len(done.stderr) < 1000


def test_a_full_disk_is_a_conflict(tmp_path: Path) -> None:
    """If the result cannot be written, %A is whole."""
    (tmp_path / "A.gitmem").write_text("in the way")
    done = _drive(tmp_path, emit(OURS), emit(THEIRS))
    assert done.returncode == 1
    assert (tmp_path / "A").read_bytes() == emit(OURS)


def test_wrong_arguments() -> None:
    """Started by hand, it says what it is for."""
    done = subprocess.run([DRIVER], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"usage: ")


@pytest.mark.parametrize("driver", ["false", "kill -9 $$", "/nowhere/gitmem-merge-driver %O %A %B"])
def test_a_driver_that_dies_leaves_a_conflict(make_repo: MakeRepo, driver: str) -> None:
    """git marks the path as unmerged, and its stages hold all that is needed to merge it later."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("config", "--unset", "pull.twohead")
    git("config", "merge.gitmem.driver", driver)
    assert git.run("merge", "--no-edit", "side").returncode != 0
    ours, theirs = (parse(git.raw("show", f":{stage}:{PATH}"), PATH) for stage in (2, 3))
    assert values(emit(merge(ours, theirs)), "fix") == ["ours", "theirs"]


def test_imports_little() -> None:
    """git starts the driver once a file: it must not load what a merge does not need."""
    code = "import sys, gitmem.plumbing.driver; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode().split()
    heavy = {"subprocess", "argparse", "pathlib", "click", "yaml", "cryptography", "tempfile", "shutil", "gitmem.git"}
    before = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, check=True)
    assert heavy.isdisjoint(set(loaded) - set(before.stdout.decode().split()))
