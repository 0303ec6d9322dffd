"""One git answers all questions about objects, for as long as its repository is open; whatever becomes of it is made good."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gitmem.errors import GitmemError, NoStore
from gitmem.git import process
from gitmem.git.reader import Reader
from gitmem.git.repo import Repo
from tests.support.git import Git

MakeRepo = Callable[..., Git]


@pytest.fixture
def git(make_repo: MakeRepo) -> Git:
    """A repository with six blobs, `f0` to `f5`."""
    git = make_repo()
    git.commit("first", {f"f{n}": f"{n}" for n in range(6)})
    return git


def _names(*numbers: int) -> list[str]:
    return [f"HEAD:f{number}" for number in numbers]


def _data(reader: Reader, *numbers: int) -> list[bytes | None]:
    return [found and found.data for found in reader.read(_names(*numbers))]


def test_one_process(git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trees, differences, contents and revisions are all asked of the same git."""
    real, log = shutil.which("git"), tmp_path / "log"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(f'#!/bin/sh\necho "$1" >> {log}\nexec {real} "$@"\n')
    (tmp_path / "bin/git").chmod(0o755)
    second = git.commit("second", {"f1": "new"})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    process.require_git()
    repo = Repo.find(git.path)
    first = repo.resolve(f"{second}^")
    [change] = repo.diff(first, second)
    assert next(repo.read_blobs([change.new or ""])) == (change.new, b"new")
    assert repo.read_paths(second, ["f1", "f2"]) == {"f1": b"new", "f2": b"2"}
    assert repo.resolve("absent") is None
    assert len(set(repo.trees([second, "HEAD^"]))) == 2
    repo.close()
    assert log.read_text().split().count("cat-file") == len(log.read_text().split()) - log.read_text().split().count("version")
    assert log.read_text().split().count("cat-file") == 1


def test_readings_that_overlap(git: Git) -> None:
    """A reading inside another one does not mix with it, and one that is given up leaves nothing behind for the next."""
    reader = Reader(git.path, {})
    outer = reader.read(_names(0, 1, 2))
    assert (next(outer) or outer).data == b"0"  # type: ignore[union-attr]
    assert _data(reader, 3, 4) == [b"3", b"4"]
    assert [found and found.data for found in outer] == [b"1", b"2"]
    given_up = reader.read(_names(0, 1, 2))
    next(given_up)
    del given_up
    assert _data(reader, 5) == [b"5"]
    reader.close()


def test_what_is_missing(git: Git) -> None:
    """It is told in its place, between the others, whatever it is called; a name of two lines is no question."""
    reader = Reader(git.path, {})
    names = ["HEAD:f0", "1" * 40, "no blob 3", "", "HEAD:f1"]
    assert [found and found.data for found in reader.read(names)] == [b"0", None, None, None, b"1"]
    with pytest.raises(GitmemError, match="no object is called"):
        list(reader.read(["HEAD:f0\nHEAD:f1"]))
    assert _data(reader, 2) == [b"2"]
    reader.close()


def test_a_git_that_was_ended(git: Git) -> None:
    """Ctrl-C reaches it as well: the next question starts another."""
    reader = Reader(git.path, {})
    _data(reader, 0)
    child = reader._idle[0].child
    child.kill()
    assert _data(reader, 1, 2) == [b"1", b"2"]
    assert child.returncode is not None
    reader.close()


def test_a_git_that_ends_amid_its_answers(git: Git) -> None:
    """At a damaged object git ends: that one is unreadable, and what comes after it is asked of another."""
    damaged = git.raw("hash-object", "-w", "--stdin", stdin=Random(1).randbytes(200_000)).decode().strip()
    file = git.path / ".git/objects" / damaged[:2] / damaged[2:]
    file.chmod(0o644)
    os.truncate(file, 100_000)
    reader = Reader(git.path, {})
    names = ["HEAD:f0", damaged, "HEAD:f2", damaged, "HEAD:f3"]
    assert [found and found.data for found in reader.read(names)] == [b"0", None, b"2", None, b"3"]
    assert [found and found.data for found in reader.read([damaged])] == [None]
    reader.close()


def test_a_repository_that_was_put_back(git: Git, tmp_path: Path) -> None:
    """A backup restored in its place has other files under the same names: the git that has the old ones open is of no use."""
    reader = Reader(git.path, {})
    shutil.copytree(git.path, tmp_path / "backup")
    git.commit("more", {"f0": "new"})
    assert _data(reader, 0) == [b"new"]
    shutil.rmtree(git.path)
    shutil.copytree(tmp_path / "backup", git.path)
    assert _data(reader, 0, 1) == [b"0", b"1"]
    git.commit("others", {"f0": "other"})
    assert _data(reader, 0) == [b"other"]
    reader.close()


def test_close_leaves_no_process(git: Git) -> None:
    """Nor does a reader that is forgotten. A closed one can be asked again."""
    reader = Reader(git.path, {})
    _data(reader, 0)
    closed = reader._idle[0].child
    reader.close()
    assert closed.returncode is not None
    assert _data(reader, 1) == [b"1"]
    forgotten = reader._idle[0].child
    del reader
    assert forgotten.returncode is not None


def test_a_forked_copy(git: Git) -> None:
    """It starts a git of its own, and neither takes the other's answers."""
    reader = Reader(git.path, {})
    _data(reader, 0)
    child = reader._idle[0].child
    copy = os.fork()
    if copy == 0:
        os._exit(0 if _data(reader, 1, 2) == [b"1", b"2"] and reader._idle[0].child is not child else 1)
    assert _data(reader, 3) == [b"3"]
    assert os.waitpid(copy, 0)[1] == 0
    assert _data(reader, 4) == [b"4"]
    assert reader._idle[0].child is child
    reader.close()


def test_packs_that_come_and_go(git: Git) -> None:
    """What was committed, packed and collected since it was started is found."""
    reader = Reader(git.path, {})
    _data(reader, 0)
    git("gc", "--quiet", "--prune=now")
    assert _data(reader, 1) == [b"1"]
    git.commit("second", {"f6": "6", "f0": "new"})
    git("gc", "--quiet", "--prune=now")
    assert _data(reader, 0, 6, 5) == [b"new", b"6", b"5"]
    reader.close()


def test_a_partial_clone_fetches(git: Git, tmp_path: Path) -> None:
    """Objects that the clone has not got yet come from its remote."""
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "--quiet", "--filter=tree:0", "--no-checkout", f"file://{git.path}", tmp_path / "partial")
    repo = Repo.find(tmp_path / "partial")
    assert repo.read_paths("HEAD", ["f0", "f3"]) == {"f0": b"0", "f3": b"3"}
    repo.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_repository_git_does_not_trust(git: Git) -> None:
    """git's own reason is told, and not that an object is missing."""
    for path in (git.path, git.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(NoStore, match="belongs to another user"):
        Repo.find(git.path).ls_tree("HEAD")
