"""Reads and the like are told in the events of a commit: put together, sealed, and only by who may write to the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, NoKey
from gitmem.memory import acts
from gitmem.memory.audit_acts import told_acts
from gitmem.memory.consent import READS, choose
from gitmem.memory.memory import Memory
from gitmem.memory.removal import remove
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Memory]:
    """Ada's store with a record."""
    found(tmp_path / "ada")
    with open_memory(tmp_path / "ada") as memory:
        memory.learn("pattern", {"pattern": "error one", "fix": "restart"})
        memory.commit()
        yield memory


def told(memory: Memory) -> dict[tuple[str, str], int]:
    """How often each act was told, by its sort and object."""
    return {(entry.op, entry.object): entry.raised[entry.op] for entry in told_acts(memory.context)}


def test_reads_are_put_together_and_told_with_the_next_commit(ada: Memory) -> None:
    """One fact for an object and a day, however it was read; nothing is told before there is something else to commit."""
    record = next(iter(ada.records())).id
    for _ in range(3):
        ada.get(record)
    ada.search("error")
    ada.match("error one")
    assert told(ada).get((acts.READ, record)) is None
    ada.commit()
    assert told(ada)[acts.READ, record] == 5
    ada.get(record)
    assert ada.commit() is None, "a read alone makes no commit on its day"
    ada.context.clock = lambda: datetime.now(UTC) + timedelta(days=1)
    assert ada.commit() is not None
    assert sorted(e.raised[acts.READ] for e in told_acts(ada.context, op=acts.READ)) == [1, 5]
    assert ada.commit() is None
    assert ada.verify(full=True).problems == []


def test_what_was_refused_for_want_of_a_right_is_told(ada: Memory, tmp_path: Path) -> None:
    """Who tries what only an admin may do is refused, and their next commit tells of it."""
    who = person(tmp_path / "home-bob")
    bare = tmp_path / "remote.git"
    Git(tmp_path)("init", "--quiet", "--bare", bare)
    share(tmp_path / "ada", bare)
    join(ada, tmp_path / "bob", bare, "bob", who)
    with open_memory(tmp_path / "bob", who) as bob:
        with pytest.raises(GitmemError, match="only an admin may remove a member"):
            remove(bob.context, "ada")
        bob.learn("note", {"text": "a note"})
        bob.commit()
        assert told(bob)[acts.REFUSED, "remove-a-member"] == 1
        assert "bob had no right to remove-a-member" in {f"{e.member} {e.words}" for e in told_acts(bob.context)}


def test_whoever_opted_out_is_not_told_of(ada: Memory) -> None:
    """Reads of a member who does not want them logged are not even noted here; what is no read still is."""
    record = next(iter(ada.records())).id
    choose(ada.context, READS, allowed=False)
    ada.get(record)
    acts.note(ada.context, acts.EXPORT, ["audit.csv"])
    ada.learn("pattern", {"pattern": "error two", "fix": "none"})
    ada.commit()
    assert acts.READ not in {op for op, _ in told(ada)}
    assert acts.EXPORT in {op for op, _ in told(ada)}


def test_keys_and_exports_are_told_once(ada: Memory) -> None:
    """A key when it is first put to use by this replica."""
    assert [op for op, _ in told(ada)] == [acts.OPENED]
    acts.note(ada.context, acts.EXPORT, ["audit.csv"])
    ada.learn("pattern", {"pattern": "error two", "fix": "none"})
    ada.commit()
    assert sorted(op for op, _ in told(ada)) == [acts.EXPORT, acts.OPENED]


def test_a_refusal_is_told_by_a_member_and_by_nobody_else(ada: Memory, tmp_path: Path) -> None:
    """Who is no member cannot write to the log: what they tried stays with them, and no commit fails for it."""
    record = next(iter(ada.records())).id
    with open_memory(tmp_path / "ada", person(tmp_path / "elsewhere")) as stranger:
        with pytest.raises(NoKey):
            stranger.get(record)
        stranger.context.clock = lambda: datetime.now(UTC) + timedelta(days=1)
        assert stranger.commit() is None
    assert f"{acts.DENIED} {record}" in (ada.context.store.local / "acts").read_text()


def test_many_notes_stay_small(ada: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal lines are put together while they wait, and none is lost by it; a disk that takes none does not stop a read."""
    monkeypatch.setattr(acts, "_LARGE", 2000)
    for _ in range(40):
        acts.note(ada.context, acts.READ, ["p-aaaa", "p-bbbb", "p-bbbb"])
    assert (ada.context.store.local / "acts").stat().st_size < 2100
    ada.learn("pattern", {"pattern": "error two", "fix": "none"})
    ada.commit()
    assert (told(ada)[acts.READ, "p-aaaa"], told(ada)[acts.READ, "p-bbbb"]) == (40, 80)
    (ada.context.store.local / "acts").mkdir()
    ada.get(next(iter(ada.records())).id)


def test_acts_are_sealed(ada: Memory, tmp_path: Path) -> None:
    """Who reads what is not for the host."""
    record = next(iter(ada.records())).id
    ada.get(record)
    ada.learn("pattern", {"pattern": "error two", "fix": "none"})
    ada.commit()
    batch = max(Git(tmp_path / "ada")("ls-files", "log/events").split())
    assert record not in (tmp_path / "ada" / batch).read_text()
    with open_memory(tmp_path / "ada", person(tmp_path / "elsewhere")) as stranger:
        assert told_acts(stranger.context) == []
