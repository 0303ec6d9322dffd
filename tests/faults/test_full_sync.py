"""A small disk that fills up, with a clone, the remote or the backups on it: nothing is lost, and it goes on later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.memory.backups.restore_anew import restore_anew
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.mounted import small_disk
from tests.support.stores import EFFORT, found, learn_many, open_memory, share

PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    yield from small_disk(tmp_path / "disk", "16m")


@contextmanager
def almost_full(disk: Path, pages: int) -> Iterator[None]:
    """Only `pages` pages are left for a while."""
    info = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(b"x" * max(0, info.f_bavail * info.f_frsize - pages * PAGE))
    try:
        yield
    finally:
        filler.unlink()


def _clones(remote: Path, ours: Path, theirs: Path) -> None:
    """Two clones of one store and their remote, each where it is to lie."""
    Git(remote.parent)("init", "--quiet", "--bare", "--template=", remote)
    found(ours)
    share(ours, remote)
    clone(str(remote), str(theirs))


def _learn(memory: Memory, who: str, number: int) -> None:
    learn_many(memory, [f"{who} {number}.{each} {'x' * 300}" for each in range(6)])


def _attempt(act: Callable[[], object]) -> GitmemError | None:
    try:
        act()
    except GitmemError as error:
        return error
    return None


def _says_so(error: GitmemError) -> bool:
    return "no space" in error.message and "free some space" in error.hint


def _sound(*clones: Path) -> None:
    """Nothing is damaged, nothing is left in a work tree, all hold the same, and the log explains it."""
    for place in clones:
        Git(place)("fsck", "--strict", "--no-dangling")
        with open_memory(place) as memory:
            assert memory.sync().problems == []
            assert memory.verify().problems == []
        assert Git(place)("status", "--porcelain") == ""
        assert list((place / ".git").glob("fast_import_crash*")) == []
    assert len({Git(place)("rev-parse", "HEAD^{tree}") for place in clones}) == 1


def test_a_clone_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """Wherever a sync runs out of room, it says so; with room again the next one brings all, also what it had half written."""
    remote, ours, theirs = tmp_path / "remote.git", disk / "ours", tmp_path / "theirs"
    _clones(remote, ours, theirs)
    errors = []
    attempts = [52, 72] if EFFORT == 1 else [*range(0, 110, 4)]
    for number, pages in enumerate(attempts):
        with open_memory(theirs) as memory:
            _learn(memory, "theirs", number)
            assert memory.sync().problems == []
        with open_memory(ours) as memory:
            _learn(memory, "ours", number)
            with almost_full(disk, pages):
                errors.append(_attempt(memory.sync))
        with open_memory(ours) as memory:
            assert memory.sync().problems == [], pages
            assert len(memory.records(limit=999)) == 12 * (number + 1), pages
    told = [error for error in errors if error]
    assert len(told) >= len(attempts) // 2
    assert [(error.message, error.hint) for error in told if not _says_so(error)] == []
    _sound(ours, theirs)


def test_a_remote_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """It takes a push whole or not at all; who pushed is told that it is the remote that is full, and goes on later."""
    remote, ours, theirs = disk / "remote.git", tmp_path / "ours", tmp_path / "theirs"
    _clones(remote, ours, theirs)
    errors = []
    attempts = [12] if EFFORT == 1 else [*range(0, 40, 2)]
    for number, pages in enumerate(attempts):
        with open_memory(ours) as memory:
            _learn(memory, "ours", number)
            with almost_full(disk, pages):
                errors.append(_attempt(memory.sync))
            Git(remote)("fsck", "--strict", "--no-dangling")
            assert memory.sync().problems == [], pages
    told = [error for error in errors if error]
    assert told
    assert [str(error) for error in told if "the remote cannot store it" not in error.hint] == []
    _sound(ours, theirs, ours)
    with open_memory(theirs) as memory:
        assert len(memory.records(limit=999)) == 6 * len(attempts)


def test_backups_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """A backup lies there whole, or it is said why not and nothing of it is left; the next one goes on with the chain."""
    found(tmp_path / "ours")
    attempts = [0, 2] if EFFORT == 1 else [*range(0, 40, 2)]
    errors = []
    with open_memory(tmp_path / "ours") as memory:
        memory.backup(str(disk / "safe"))
        for number, pages in enumerate(attempts):
            _learn(memory, "ours", number)
            with almost_full(disk, pages):
                errors.append(_attempt(lambda: memory.backup(full=True)))
            assert memory.verify_backups().problems == [], pages
            assert [path.name for path in (disk / "safe").rglob("*.tmp")] == []
            memory.backup()
        assert [str(error) for error in errors if error and not _says_so(error)] == []
        assert any(errors)
        assert memory.verify_backups(deep=True).ok
        assert memory.drill().opened == 6 * len(attempts)


def test_a_restore_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """It says so, and that nothing is wrong with the backup; so does a verification that rebuilds it. Nothing is left."""
    found(disk / "ours")
    with open_memory(disk / "ours") as memory:
        _learn(memory, "ours", 0)
        memory.backup(str(tmp_path / "safe"))
        with almost_full(disk, 8):
            errors = [
                _attempt(lambda: restore_anew(str(tmp_path / "safe"), disk / "back", memory.context.store.vault.identities)),
                _attempt(lambda: memory.verify_backups(deep=True)),
            ]
        assert [error and (error.exit_code, _says_so(error)) for error in errors] == [(1, True)] * 2
        assert memory.verify_backups(deep=True).ok
    assert not (disk / "back").exists()
