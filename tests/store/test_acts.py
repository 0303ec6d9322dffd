"""Reads and the like are told in the events of a commit: put together, sealed, and only by who may write to the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, NoKey
from gitmem.memory.auditing import acts
from gitmem.memory.auditing.changes import entry_diffs
from gitmem.memory.auditing.log import log
from gitmem.memory.auditing.told import told_acts
from gitmem.memory.diff import diff
from gitmem.memory.members.removal import remove
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.choosing import choose
from gitmem.memory.privacy.consent import READS
from gitmem.memory.showing import those_at_hand
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


def the_first(memory: Memory) -> str:
    """The id of the pattern in the work tree, without reading it as somebody who works with it does."""
    return min(file.stem for file in (memory.context.store.root / "memory/team/pattern").rglob("*.yaml"))


def test_reads_are_put_together_and_told_with_the_next_commit(ada: Memory) -> None:
    """One fact for an object and a day, however it was read; nothing is told before there is something else to commit."""
    record = the_first(ada)
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


def test_whatever_shows_what_a_record_says_is_told_as_a_read(ada: Memory) -> None:
    """Lists, differences and what the log is about, as `show` and `match` are; what shows no value is none."""
    note = ada.learn("note", {"text": "a note"}).id
    ada.commit()
    pattern = the_first(ada)
    ada.edit(pattern, {"fix": "restart twice"})
    ada.used(note, fixed=True)
    assert len(diff(ada.context)) == 2
    ada.records()
    those_at_hand(ada.context, [note, "p-nowhere"])
    entry_diffs(ada.context, log(ada.context.store.root, op="learn"))
    ada.commit()
    assert entry_diffs(ada.context, log(ada.context.store.root, op="use")) == [["+ fixed: 1 more, 1 in all"]]
    assert not (ada.context.store.local / "acts").exists()
    assert (told(ada)[acts.READ, note], told(ada)[acts.READ, pattern]) == (3, 3)


def test_a_long_list_is_told_as_one_read(ada: Memory) -> None:
    """Whatever its length: which list it was, how often; who asks who has read a record in it is told."""
    record = the_first(ada)
    for n in range(acts.MANY):
        ada.learn("pattern", {"pattern": f"error {'abcdefgh'[n % 8]}{'klmnopqr'[n // 8]}", "fix": "restart"})
    note = ada.learn("note", {"text": "an error it is not"}).id
    ada.commit()
    for _ in range(2):
        ada.records(kind="pattern", limit=1000)
    ada.search("error", limit=1000)
    ada.learn("note", {"text": "another"})
    ada.commit()
    reads = told_acts(ada.context, op=acts.READ)
    assert [(entry.object, entry.record, entry.raised[acts.READ]) for entry in reads] == [
        ("team/*", None, 1),
        ("team/pattern", None, 2),
    ]
    assert reads[1].words == "read a list of team/pattern 2\N{MULTIPLICATION SIGN}"
    assert len(told_acts(ada.context, op=acts.READ, target=record)) == 2
    assert [one.object for one in told_acts(ada.context, target=note, member="ada")] == ["team/*"]


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


def test_what_git_itself_shows_is_told_as_a_read(ada: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git log -p` and `git diff` open records through us: who has the key has read them, who has not was shown none."""
    git, record = Git(ada.context.store.root), the_first(ada)
    assert "fix: restart" in git("log", "-p", "--no-color", "--", "memory")
    ada.edit(record, {"fix": "restart twice"})
    assert "+fix: restart twice" in git("diff", "--no-color", "HEAD", "--", "memory")
    ada.commit()
    assert told(ada)[acts.READ, record] == 3, "one version was shown at first, then two"
    choose(ada.context, READS, allowed=False)
    assert "fix: restart" in git("log", "-p", "--no-color", "--", "memory")
    assert not (ada.context.store.local / "acts").exists()
    choose(ada.context, READS, allowed=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(ada.context.store.root / "nobody"))
    if not ada.context.store.config.plain:
        assert "fix: (sealed)" in git("log", "-p", "--no-color", "--", "memory")
        assert not (ada.context.store.local / "acts").exists()


def test_whoever_opted_out_is_not_told_of(ada: Memory) -> None:
    """Reads of a member who does not want them logged are not even noted here; what is no read still is."""
    record = the_first(ada)
    choose(ada.context, READS, allowed=False)
    ada.get(record)
    ada.records()
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
    record = the_first(ada)
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
    ada.get(the_first(ada))


def test_acts_are_sealed(ada: Memory, tmp_path: Path) -> None:
    """Who reads what is not for the host."""
    record = the_first(ada)
    ada.get(record)
    ada.learn("pattern", {"pattern": "error two", "fix": "none"})
    ada.commit()
    batch = max(Git(tmp_path / "ada")("ls-files", "log/events").split())
    assert record not in (tmp_path / "ada" / batch).read_text()
    with open_memory(tmp_path / "ada", person(tmp_path / "elsewhere")) as stranger:
        warned: list[str] = []
        stranger.context.warn = warned.append
        assert told_acts(stranger.context) == []
        assert "sealed with keys that you do not have" in warned[0]
