"""The replica: a name that nobody else writes under, wherever its directory goes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from gitmem.store.marks import Marks
from gitmem.store.replica import begin_replica, load_replica, owner_of, rotated, save_replica, touch, version


def test_a_new_directory_has_none_until_it_begins_one(tmp_path: Path) -> None:
    """The name is kept from then on, and its marks are its own."""
    assert load_replica(tmp_path) is None
    made = begin_replica(tmp_path)
    assert load_replica(tmp_path) == made
    assert made.writer == f"{made.name}-1"
    assert Marks(tmp_path / "marks").get("", owner_of(version(tmp_path), made, 0)) == (0, {})


def test_names_differ() -> None:
    """Eight random base32 characters: a hundred replicas do not meet."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assert len({begin_replica(Path(folder)).name for _ in range(100)}) == 100


def test_rotation_is_kept(tmp_path: Path) -> None:
    """The next writer is the same replica's, and the next process goes on under it."""
    made = begin_replica(tmp_path)
    save_replica(tmp_path, rotated(made))
    again = load_replica(tmp_path)
    assert again is not None
    assert again.writer == f"{made.name}-2"


def test_a_copied_directory_is_another_replica(tmp_path: Path) -> None:
    """A copy has another inode; moving the original back and forth changes nothing."""
    (tmp_path / "one").mkdir()
    made = begin_replica(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert load_replica(tmp_path / "two") is None
    (tmp_path / "one").rename(tmp_path / "moved")
    assert load_replica(tmp_path / "moved") == made


def test_another_host_is_another_place(tmp_path: Path) -> None:
    """The same inode on another machine is no proof of being the same directory."""
    made = begin_replica(tmp_path)
    file = tmp_path / "replica.yaml"
    file.write_text(file.read_text().replace(f"host: {made.host}", "host: elsewhere"))
    assert load_replica(tmp_path) is None


@pytest.mark.parametrize("text", ["", "replica: a\n", "replica: a\nnumber: x\nhost: h\ninode: 1\n", "\xff"])
def test_a_damaged_file_is_no_replica(tmp_path: Path, text: str) -> None:
    """What cannot be read leads to a new name, never to a guess."""
    (tmp_path / "replica.yaml").write_text(text, "latin-1")
    assert load_replica(tmp_path) is None


def test_each_save_shows(tmp_path: Path) -> None:
    """Other processes notice that the name changed without reading the file."""
    assert version(tmp_path) == (0, 0)
    made = begin_replica(tmp_path)
    first = version(tmp_path)
    save_replica(tmp_path, rotated(made))
    second = version(tmp_path)
    assert second != first
    time.sleep(0.02)  # a kernel's clock ticks every few milliseconds
    touch(tmp_path)
    assert version(tmp_path) != second
    assert load_replica(tmp_path) == rotated(made)
