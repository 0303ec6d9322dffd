"""The index: what goes in comes out, changes happen together, and what is of no use is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.store.index import Entry, Index
from gitmem.store.index_text import frequencies, record_count

KEY = bytes(range(32))
WEIGHTS = {"pattern": 5.0, "fix": 3.0, "notes": 1.0, "tags": 4.0}


def entry(name: str, pattern: str = "zork failed", **more: object) -> Entry:
    """A pattern record with a fix."""
    values = {"id": name, "kind": "pattern", "scope": "team", "path": f"memory/{name}.yaml"}
    return Entry(**{**values, "fields": {"pattern": pattern, "fix": "restart quux"}, **more})  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's index lies."""
    return tmp_path / "index.db"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    """An empty index."""
    index = Index.open(path, KEY)
    yield index
    index.close()


def test_an_entry_comes_back_as_it_was(index: Index) -> None:
    """All values keep their types, also those a person cannot type."""
    fields = {"pattern": "a\x00b\ud800 ü", "context.os": "linux", "n": 1, "f": 1.5, "none": None, "list": ["x", {"y": True}]}
    whole = entry(
        "p-1",
        conflicts=2,
        fields=fields,
        sets={"tags": ["a", "b"]},
        usage={"fixed": 3, "ms": 12},
        last={"changed": "2026-01-01T00:00:00Z"},
    )
    index.put([whole], WEIGHTS)
    assert index.get("p-1") == whole
    assert index.get("p-2") is None


def test_putting_again_replaces(index: Index) -> None:
    """Counts of words follow: what was replaced is as if it had never been."""
    index.put([entry("p-1", "old words"), entry("p-2", "other words")], WEIGHTS)
    index.put([entry("p-1", "new words")], WEIGHTS)
    assert index.count() == 2
    assert frequencies(index.database, ["old", "new", "words", "quux"]) == {"new": 1, "words": 2, "quux": 2}
    assert record_count(index.database) == 2


def test_removed_records_leave_nothing(index: Index) -> None:
    """No row, no word, no count; unknown ids are ignored."""
    index.put([entry("p-1", sets={"tags": ["t"]})], WEIGHTS)
    index.remove(["p-1", "p-9"])
    assert index.get("p-1") is None
    assert frequencies(index.database, ["zork", "quux"]) == {}
    assert record_count(index.database) == 0
    for table in ("entries", "usage", "tags", "keys"):
        assert index.database.execute(f"SELECT count(*) FROM {table}") == [(0,)]
    assert index.database.execute("SELECT rowid FROM content WHERE content MATCH 'zork'") == []


def test_many_small_changes_add_up(index: Index) -> None:
    """Counts that wait in the small table and those in the large one are one."""
    for number in range(120):
        index.put([entry(f"p-{number}", " ".join(f"w{number * 30 + k}" for k in range(30)) + " common")], WEIGHTS)
    assert frequencies(index.database, ["common", "w0", "w3599", "w3600"]) == {"common": 120, "w0": 1, "w3599": 1}
    index.remove([f"p-{number}" for number in range(120)])
    assert frequencies(index.database, ["common", "w0", "w3599"]) == {}


def test_usage_is_replaced_alone(index: Index) -> None:
    """A counter costs one row and leaves the words alone."""
    index.put([entry("p-1", usage={"fixed": 1})], WEIGHTS)
    index.set_usage("p-1", {"fixed": 2, "failed": 1}, {"used": "2026-01-01T00:00:00Z"})
    index.set_usage("p-9", {"fixed": 2}, {})
    found = index.get("p-1")
    assert found
    assert found.usage == {"fixed": 2, "failed": 1}
    assert found.last == {"used": "2026-01-01T00:00:00Z"}


def test_listing_filters_and_orders(index: Index) -> None:
    """The latest changed first; dead ones only where they are asked for."""
    index.put(
        [
            entry("p-1", last={"changed": "2026-01-01T00:00:00Z"}, sets={"tags": ["a"]}),
            entry("p-2", last={"changed": "2026-01-03T00:00:00Z"}, scope="ops"),
            entry("p-3", last={"changed": "2026-01-02T00:00:00Z"}, sets={"tags": ["a", "b"]}),
            entry("n-4", last={"changed": "2026-01-04T00:00:00Z"}, kind="note", alive=False),
        ],
        WEIGHTS,
    )

    def ids(**wanted: object) -> list[str]:
        return [one.id for one in index.list(**wanted)]  # type: ignore[arg-type]

    assert ids() == ["p-2", "p-3", "p-1"]
    assert ids(limit=1) == ["p-2"]
    assert ids(tag="a") == ["p-3", "p-1"]
    assert ids(tag="b", scope="team", kind="pattern") == ["p-3"]
    assert ids(scope="ops") == ["p-2"]
    assert ids(kind="note") == []
    assert ids(alive=None)[0] == "n-4"
    assert ids(alive=False) == ["n-4"]
    assert index.count() == 3


def test_conflicted_records_are_listed(index: Index) -> None:
    """Until a person has picked a value."""
    index.put([entry("p-2", conflicts=1), entry("p-1", conflicts=3), entry("p-3")], WEIGHTS)
    assert index.conflicted() == ["p-1", "p-2"]
    index.put([entry("p-1")], WEIGHTS)
    assert index.conflicted() == ["p-2"]


def test_a_transaction_holds_or_does_not(index: Index) -> None:
    """What the caller notes changes together with what it speaks of."""
    index.set_meta("commit", "one")

    def fail() -> None:
        with index.transaction():
            index.put([entry("p-1")], WEIGHTS)
            index.set_meta("commit", "two")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert index.get("p-1") is None
    assert index.get_meta("commit") == "one"
    assert index.get_meta("journal") is None
    with index.transaction():
        index.put([entry("p-1")], WEIGHTS)
        index.set_meta("commit", "two")
    assert index.get_meta("commit") == "two"


def test_an_index_is_opened_again(path: Path) -> None:
    """What was put stays; only the first opening is fresh."""
    first = Index.open(path, KEY)
    assert first.fresh
    first.put([entry("p-1")], WEIGHTS)
    first.close()
    first.close()
    again = Index.open(path, KEY)
    assert not again.fresh
    assert again.count() == 1
    assert again.stats().words == 4
    again.close()


def test_another_key_starts_over(path: Path) -> None:
    """An index of a former identity is of no use and no obstacle."""
    index = Index.open(path, KEY)
    index.put([entry("p-1")], WEIGHTS)
    index.close()
    other = Index.open(path, bytes(32))
    assert other.fresh
    assert other.count() == 0
    other.close()


def test_another_schema_starts_over(path: Path) -> None:
    """A newer or older gitmem's index is made anew."""
    index = Index.open(path, KEY)
    index.put([entry("p-1")], WEIGHTS)
    index.database.execute("PRAGMA user_version = 4711")
    index.close()
    again = Index.open(path, KEY)
    assert again.fresh
    again.close()


@pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\x00" + bytes(4096), bytes(10_000)])
def test_what_is_no_index_is_replaced(path: Path, content: bytes) -> None:
    """Empty, short, a plain database, garbage."""
    path.write_bytes(content)
    path.with_name("index.db-wal").write_bytes(b"garbage")
    index = Index.open(path, KEY)
    assert index.fresh
    index.put([entry("p-1")], WEIGHTS)
    assert index.count() == 1
    index.close()


def test_a_key_of_another_length_is_a_mistake(path: Path) -> None:
    """No key is derived: it must be one."""
    with pytest.raises(ValueError, match="16 bytes"):
        Index.open(path, bytes(16))


def test_the_file_is_the_owners_alone(path: Path, index: Index) -> None:
    """Encrypted, and not readable by others all the same."""
    index.put([entry("p-1")], WEIGHTS)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_a_disk_that_refuses_is_told(path: Path) -> None:
    """A directory in the place of the index is a clear error."""
    path.mkdir()
    with pytest.raises(GitmemError) as caught:
        Index.open(path, KEY)
    assert caught.value.hint
