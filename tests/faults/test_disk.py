"""A disk that is full or read-only, and an index that is gone: clear errors, nothing half done, nothing lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.memory.committing.events import read_events
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.mounted import small_disk
from tests.support.stores import found, open_memory

PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    yield from small_disk(tmp_path / "disk", "6m")


@pytest.fixture
def store(disk: Path) -> Path:
    """A sealed store on the small disk, with one record in a commit."""
    found(disk / "store")
    with open_memory(disk / "store") as memory:
        memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"})
        memory.commit()
    return disk / "store"


def _free(disk: Path) -> int:
    info = os.statvfs(disk)
    return info.f_bavail * info.f_frsize


@contextmanager
def _almost_full(disk: Path, pages: int) -> Iterator[None]:
    """Only `pages` pages are left for a while."""
    filler = disk / "filler"
    filler.write_bytes(b"x" * max(0, _free(disk) - pages * PAGE))
    try:
        yield
    finally:
        filler.unlink()


def _only(memory: Memory) -> str:
    (record,) = memory.records("pattern")
    return record.id


def _seen(store: Path) -> list[object]:
    """All that can be known of the store, by a new process's eyes."""
    with open_memory(store) as memory:
        return [memory.get(record.id) for record in memory.records(limit=1000)]


def _learn(memory: Memory) -> None:
    memory.learn("note", {"type": "semantic", "text": "x" * 3000})


def _used(memory: Memory) -> None:
    memory.used(_only(memory), fixed=True)


def _edit(memory: Memory) -> None:
    memory.edit(_only(memory), {"meaning": os.urandom(2500).hex()})


def _forget(memory: Memory) -> None:
    memory.forget(_only(memory))


WRITES = [_learn, _used, _edit, _forget]


def test_a_full_disk_is_looked_at(disk: Path, store: Path) -> None:
    """git would write down what it has seen of files that were touched: that there is no room for it hides nothing."""
    for file in (store / "memory").rglob("*.yaml"):
        os.utime(file, (1, 1))
    with _almost_full(disk, 0), open_memory(store) as memory:
        assert memory.status().pending == 0


@pytest.mark.parametrize("write", WRITES)
def test_a_full_disk_refuses_a_write_whole(store: Path, write: Callable[[Memory], None]) -> None:
    """Whatever is left of the disk, a write either is acknowledged and stands, or says why not and has changed nothing."""
    refused = 0
    for pages in (0, 1, 2, 3, 5):
        with open_memory(store) as memory:
            memory.records()  # the index is there
            before = _seen(store)
            failed = False
            with _almost_full(store.parent, pages):
                try:
                    write(memory)
                except GitmemError as error:
                    failed = "no space left on device; nothing was changed" in error.message and error.hint != ""
            refused += failed
            assert (_seen(store) == before) == failed, pages
            if not failed and write is _forget:
                break
    assert refused
    with open_memory(store) as memory:
        memory.commit()
        assert memory.verify().problems == []
    assert Git(store)("status", "--porcelain") == ""


def test_a_full_disk_loses_no_commit(store: Path) -> None:
    """A commit that fails at any point leaves everything in the journal; with room again it is made, once."""
    failed = 0
    for pages in range(0, 40, 3):
        with open_memory(store) as memory:
            _used(memory)
            with _almost_full(store.parent, pages):
                try:
                    memory.commit()
                except GitmemError as error:
                    failed += error.hint != ""
    assert failed > 2
    with open_memory(store) as memory:
        memory.commit()
        assert memory.get(_only(memory)).usage.fixed == 14
        assert memory.verify().problems == []
        assert sum(event["op"] == "used" for event in _events(memory)) == 14
    assert Git(store)("status", "--porcelain") == ""
    Git(store)("fsck", "--strict")


def _events(memory: Memory) -> Iterator[dict[str, object]]:
    root = memory.context.store.root
    for file in sorted((root / "log/events").rglob("*.yaml")):
        yield from read_events(memory.context, file.relative_to(root).as_posix(), file.read_bytes())


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not indexed yet"])
def test_a_full_disk_still_answers(store: Path, indexed: bool) -> None:
    """Matching needs no room: the answer comes, and only the count of it is missing."""
    if indexed:
        with open_memory(store) as memory:
            memory.records()
    with _almost_full(store.parent, 0), open_memory(store) as memory:
        assert [match.fields["fix"] for match in memory.match("ping: no route to host")] == ["plug it in"]


def test_what_the_index_lacks_is_found_on_a_full_disk(store: Path) -> None:
    """A write that just fitted is in no index yet, and there is no room to bring it there: it is found nevertheless."""
    answered = 0
    with open_memory(store) as memory:
        memory.records()
        for pages in range(12):
            with _almost_full(store.parent, pages), suppress(GitmemError):
                memory.learn("pattern", {"pattern": f"broken pipe {pages} at valve", "fix": "x" * 300})
                found_now = memory.match(f"error: broken pipe {pages} at valve")
                assert found_now[0].fields["pattern"] == f"broken pipe {pages} at valve"
                answered += 1
    assert answered > 2


def test_a_read_only_disk_still_answers_and_refuses_writes(store: Path) -> None:
    """Records are matched, searched and shown from a read-only mount; each write says that it is one."""
    expected = _seen(store)
    subprocess.run(["mount", "-o", "remount,ro", str(store.parent)], check=True)
    try:
        assert _seen(store) == expected
        with open_memory(store) as memory:
            warnings: list[str] = []
            memory.context.warn = warnings.append
            assert [match.fields["fix"] for match in memory.match("ping: no route to host")] == ["plug it in"]
            assert "read-only" in warnings[0]
            assert len(memory.search("route")) == 1
            assert memory.status().records == 1
            for write in WRITES:
                with pytest.raises(GitmemError, match="read-only") as caught:
                    write(memory)
                assert "remount" in caught.value.hint
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(store.parent)], check=True)
    assert _seen(store) == expected


def _unindexed(path: Path) -> Path:
    found(path)
    with open_memory(path) as memory:
        memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}, tags=["net"])
        memory.learn("note", {"type": "semantic", "text": "the cable is blue"})
        memory.commit()
        memory.learn("pattern", {"pattern": "port in use", "fix": "stop the other one"})
    return path


def _answers(memory: Memory) -> list[object]:
    found_now = [memory.match("bind: port in use"), memory.search("cable"), memory.search("route", kind="pattern")]
    return [[(one.id, one.fields) for one in some] for some in found_now] + [sorted(r.id for r in memory.records(tag="net"))]


def _remove(index: Path) -> None:
    for file in index.parent.glob("index.db*"):
        file.unlink()


def _empty(index: Path) -> None:
    index.write_bytes(b"")


def _garbage(index: Path) -> None:
    index.write_bytes(os.urandom(20_000))


def _cut(index: Path) -> None:
    os.truncate(index, index.stat().st_size // 2)


def _flip(index: Path) -> None:
    data = bytearray(index.read_bytes())
    for at in range(100, len(data), 997):
        data[at] ^= 0x41
    index.write_bytes(data)


def _directory(index: Path) -> None:
    _remove(index)
    index.mkdir()


DAMAGES = [_remove, _empty, _garbage, _cut, _flip]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_index_costs_nothing(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Deleted or damaged while closed, the index is made again from the records and says what it said."""
    store = _unindexed(tmp_path / "store")
    with open_memory(store) as memory:
        expected = _answers(memory)
        assert all(expected)
    damage(store / ".git/gitmem/index.db")
    with open_memory(store) as memory:
        assert _answers(memory) == expected
        memory.learn("note", {"type": "semantic", "text": "the other cable is red"})
        assert len(memory.search("cable")) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_index_lost_while_it_is_open_costs_nothing_lasting(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Damaged under an open process the index may fail to answer once, in words; the next answer is right again."""
    store = _unindexed(tmp_path / "store")
    with open_memory(store) as memory:
        expected = _answers(memory)
        damage(store / ".git/gitmem/index.db")
        memory.used(memory.learn("note", {"type": "semantic", "text": "written meanwhile"}).id, fixed=True)
        with suppress(GitmemError):
            _answers(memory)
        assert _answers(memory) == expected
        memory.commit()
    with open_memory(store) as memory:
        assert _answers(memory) == expected
        assert [hit.fields["text"] for hit in memory.search("meanwhile")] == ["written meanwhile"]
