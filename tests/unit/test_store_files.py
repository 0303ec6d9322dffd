"""Files are whole or absent, never reached through a link, and a failing disk is put into words."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import GitmemError, InvalidRecord
from gitmem.store.files import inside, is_abandoned, read_bounded, write_atomic


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    """Directories are made on the way, and no temporary file stays."""
    path = tmp_path / "a" / "b" / "record.yaml"
    write_atomic(path, b"one", durable=True)
    write_atomic(path, b"two")
    assert read_bounded(path, 10) == b"two"
    assert [file.name for file in path.parent.iterdir()] == ["record.yaml"]


def test_the_mode_is_the_one_asked_for(tmp_path: Path) -> None:
    """Private files are private from the first moment on."""
    write_atomic(tmp_path / "key", b"", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    """Where the new content does not fit the old one stands, and nothing is left beside it."""
    path = tmp_path / "record.yaml"
    write_atomic(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(GitmemError, match=r"cannot write record.yaml: file too large; nothing was changed"):
            write_atomic(path, b"n" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["record.yaml"]


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """A file in the way of a directory is no crash."""
    (tmp_path / "a").write_text("")
    with pytest.raises(GitmemError, match="cannot write b"):
        write_atomic(tmp_path / "a" / "b", b"")


def test_what_a_killed_writer_leaves_is_known() -> None:
    """It can be told from a person's files, and from what a living process is writing."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert is_abandoned(f".p-abcd.yaml.{ended.pid}.tmp")
    assert is_abandoned(f".p-abcd.yaml.{'9' * 30}.tmp")
    assert not is_abandoned(f".p-abcd.yaml.{os.getppid()}.tmp")
    assert not any(map(is_abandoned, ["p-abcd.yaml", ".gitignore", ".x.tmp", "p.1.tmp"]))


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a/."])
def test_paths_out_of_the_store_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing but a plain relative path is one."""
    with pytest.raises(InvalidRecord, match="no path inside the store"):
        inside(tmp_path, name)


def test_links_are_refused_anywhere_on_the_way(tmp_path: Path) -> None:
    """A link to a directory, to a file and a dangling one are all refused, in the middle as at the end."""
    (tmp_path / "outside").mkdir()
    root = tmp_path / "store"
    (root / "memory").mkdir(parents=True)
    (root / "memory" / "team").symlink_to(tmp_path / "outside")
    (root / "memory" / "file").symlink_to("/etc/passwd")
    (root / "memory" / "nowhere").symlink_to(tmp_path / "missing")
    for name in ("memory/team/a.yaml", "memory/team", "memory/file", "memory/nowhere", "memory/nowhere/x"):
        with pytest.raises(InvalidRecord, match="symbolic link"):
            inside(root, name)
    assert inside(root, "memory/new/a.yaml") == root / "memory/new/a.yaml"


@given(st.integers(0, 20), st.integers(0, 20))
def test_no_more_than_the_limit_is_read(size: int, limit: int) -> None:
    """A file above the limit is refused before it is read."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"x" * size)
        if size > limit:
            with pytest.raises(InvalidRecord, match="the limit is"):
                read_bounded(path, limit)
        else:
            assert read_bounded(path, limit) == b"x" * size


def test_devices_pipes_links_and_directories_are_not_read(tmp_path: Path) -> None:
    """None of them is opened for good: a pipe would block, a device never end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "folder"):
        with pytest.raises(InvalidRecord):
            read_bounded(tmp_path / name, 10)
    assert read_bounded(tmp_path / "missing", 10) is None
