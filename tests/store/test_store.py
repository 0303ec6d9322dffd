"""A store is its files joined with its journal; keys open what was sealed with them; events are written as facts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gitmem.crypto.keys import new_epoch, wrap
from gitmem.errors import GitmemError, InvalidRecord, NoKey, Tampered, UsageError
from gitmem.memory.committing.events import event_files, read_events
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store import orphans
from tests.support.git import Git
from tests.support.stores import found, open_memory, person


@pytest.fixture(params=[False, True], ids=["sealed", "plain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store of each kind."""
    found(tmp_path / "store", plain=request.param)
    return tmp_path / "store"


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A sealed store."""
    found(tmp_path / "store")
    return tmp_path / "store"


def _note(memory: Memory, text: str = "a note") -> str:
    return memory.learn("note", {"type": "semantic", "text": text}).id


def _file(memory: Memory, record: str) -> Path:
    return memory.context.store.root / locate(memory.context, record)


def test_another_process_sees_a_write_at_once(store: Path) -> None:
    """Before any commit, and without the index."""
    with open_memory(store) as one, open_memory(store) as two:
        note = _note(one)
        assert two.get(note).fields["text"] == "a note"
        two.edit(note, {"text": "edited"})
        two.used(note, fixed=True)
        assert (one.get(note).fields["text"], one.get(note).usage.fixed) == ("edited", 1)


def test_a_text_is_no_list_of_tags(store: Path) -> None:
    """Each of its letters would be one."""
    with open_memory(store) as memory, pytest.raises(InvalidRecord, match="tags must be a list"):
        memory.learn("pattern", {"pattern": "no space left"}, "disk")


@pytest.mark.parametrize("ms", [-1, 1.5, 1500.0, True, 1 << 53])
def test_a_time_that_no_counter_can_hold_is_refused(store: Path, ms: Any) -> None:
    """In the journal it would make the record, and every list that it stands in, unreadable."""
    with open_memory(store) as memory:
        note = _note(memory)
        with pytest.raises(UsageError, match="milliseconds"):
            memory.used(note, fixed=True, ms=ms)
        memory.used(note, fixed=True, ms=1500)
        assert memory.get(note).usage.avg_fix_ms == 1500


@pytest.mark.parametrize("harm", ["remove", "empty", "garble"])
def test_a_journalled_record_survives_its_file(store: Path, harm: str) -> None:
    """What happens to the work tree's file before the commit costs nothing that was acknowledged."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.commit()
        memory.edit(note, {"text": "edited"})
        memory.used(note, fixed=True)
        file = _file(memory, note)
        if harm == "remove":
            file.unlink()
        else:
            file.write_text("" if harm == "empty" else "<<<<<<< HEAD\n")
        made = memory.commit()
        if harm != "remove":
            assert made is not None
            assert made.skipped
            with pytest.raises(InvalidRecord):
                memory.get(note)
            Git(store)("checkout", "--", "memory")
            assert memory.commit() is not None
        assert memory.get(note).fields["text"] == "edited"
        assert memory.get(note).usage.fixed == 1
        assert memory.verify().problems == []
    assert Git(store)("status", "--porcelain") == ""


def test_a_record_that_must_wait_holds_nobody_up(store: Path) -> None:
    """Others are committed; the one whose file is broken keeps its journalled writes, also over several commits."""
    with open_memory(store) as memory:
        broken, sound = _note(memory, "one"), _note(memory, "two")
        memory.commit()
        for record in (broken, sound):
            memory.used(record, fixed=True)
        good = _file(memory, broken).read_bytes()
        _file(memory, broken).write_text("broken")
        for _ in range(3):
            memory.used(sound, fixed=True)
            memory.commit()
        _file(memory, broken).write_bytes(good)
        memory.commit()
        assert (memory.get(broken).usage.fixed, memory.get(sound).usage.fixed) == (1, 4)
        root = memory.context.store.root
        events = [
            event["id"]
            for file in (root / "log/events").rglob("*.yaml")
            for event in read_events(memory.context, file.relative_to(root).as_posix(), file.read_bytes())
            if event["op"] == "used"
        ]
        assert (events.count(broken), events.count(sound)) == (1, 4)
        assert memory.verify().problems == []


def test_a_work_tree_that_cannot_be_written_refuses_nothing_that_is_journalled(store: Path) -> None:
    """The append is the write; a file in the way of the record's directory is met again at the commit, in words."""
    with open_memory(store) as memory:
        memory.commit()
        (store / "memory").mkdir(exist_ok=True)
        (store / "memory/team").write_text("in the way")
        note = _note(memory)
        assert memory.get(note).fields["text"] == "a note"
        made = memory.commit()
        assert made is not None
        assert len(made.skipped) == 2
        (store / "memory/team").unlink()
        memory.commit()
        assert memory.get(note).fields["text"] == "a note"
    assert Git(store)("status", "--porcelain") == ""


def test_a_file_under_another_records_name_is_refused(store: Path) -> None:
    """A copied file is not the record its name says."""
    with open_memory(store) as memory:
        one, two = _note(memory, "one"), _note(memory, "two")
        memory.commit()
        _file(memory, one).write_bytes(_file(memory, two).read_bytes())
        with pytest.raises(InvalidRecord, match="does not belong there"):
            memory.get(one)
        assert memory.get(two).fields["text"] == "two"


def test_a_new_epoch_seals_new_values_and_opens_old_ones(sealed: Path) -> None:
    """Values of all epochs open; what is written now takes the newest key."""
    with open_memory(sealed) as memory:
        note = _note(memory, "old")
        memory.commit()
        vault = memory.context.store.vault
        old = vault.current("team")
        new = new_epoch("team", 2, old.id_key)
        key = sealed / ".gitmem/keys/team" / new.epoch / "ada.age"
        key.parent.mkdir(parents=True)
        key.write_bytes(wrap(new, vault.identity.recipient))
    with open_memory(sealed) as memory:
        assert memory.context.store.vault.epochs("team") == [old.epoch, new.epoch]
        memory.edit(note, {"context": "new"})
        fields = memory.get(note).fields
        assert (fields["text"], fields["context"]) == ("old", "new")
        state = memory.context.store.read(locate(memory.context, note))
        assert state is not None
        epochs = {name: str(*register.values()).partition(",")[0] for name, register in state.fields.items()}
        assert (epochs["text"], epochs["context"]) == (f"ENC[{old.epoch}", f"ENC[{new.epoch}")


def test_without_a_key_nothing_opens_and_nothing_is_written(sealed: Path) -> None:
    """Somebody else's identity reads no value, learns nothing, and is told what to do; ids and counts stand in the clear."""
    with open_memory(sealed) as memory:
        note = _note(memory)
        memory.commit()
    stranger = person(sealed.parent / "stranger")
    stranger.identity()
    with open_memory(sealed, stranger) as memory:
        for call in (lambda: memory.get(note), lambda: _note(memory), lambda: memory.match("anything")):
            with pytest.raises(NoKey) as caught:
                call()
            assert "gitmem join" in caught.value.hint
        assert memory.context.store.read(locate(memory.context, note)) is not None


def test_events_come_back_as_they_were(store: Path) -> None:
    """Compressed and sealed in one file with a clear header; none make no file."""
    with open_memory(store) as memory:
        facts = [{"op": "used", "id": "n-abcd", "at": f"2026-11-2{day}T10:00:00Z", "fixed": True} for day in range(3)]
        assert event_files(memory.context, []) == {}
        ((path, data),) = event_files(memory.context, facts).items()
        assert read_events(memory.context, path, data) == facts
        head = data.decode().splitlines()
        assert head[3:6] == ["from: 2026-11-20T10:00:00Z", "to: 2026-11-22T10:00:00Z", "count: 3"]


def test_events_are_numbered_on(store: Path) -> None:
    """Each commit adds one file and changes none."""
    with open_memory(store) as memory:
        for turn in range(3):
            _note(memory, f"note {turn}")
            memory.commit()
        files = sorted(file.name for file in (store / "log/events").rglob("*.yaml"))
        assert files == ["000001.yaml", "000002.yaml", "000003.yaml"]


@pytest.mark.parametrize(
    "harm",
    [
        ("rm", "--quiet", "--cached", "-r", "log"),
        ("rm", "--quiet", "-r", "log"),
        ("restore", "--source", "HEAD~1", "-SW", "log"),
    ],
    ids=" ".join,
)
def test_a_log_that_nobody_changed_stands_again(store: Path, harm: tuple[str, ...]) -> None:
    """What is gone of it, or of git's index alone, is put back by the next commit, and nobody is told of a change by hand."""
    git = Git(store)
    with open_memory(store) as memory:
        _note(memory)
        memory.commit()
        git(*harm)
        _note(memory, "another")
        assert memory.sync().problems == []
        assert git("status", "--porcelain") == ""
        assert memory.verify().problems == []


def test_a_log_that_was_changed_is_put_back_as_told(store: Path) -> None:
    """The command that the warning names works also where git's index holds the change."""
    git = Git(store)
    with open_memory(store) as memory:
        _note(memory)
        memory.commit()
        batch = git("ls-files", "log/events")
        (store / batch).write_text("{}\n")
        git("add", "log")
        [problem] = memory.sync().problems
        git(*problem.split("`")[1].split()[1:])
        assert memory.sync().problems == []
        assert git("status", "--porcelain") == ""


def test_moved_events_do_not_open(sealed: Path) -> None:
    """A batch is bound to its path, so that it cannot be passed off as another day's."""
    with open_memory(sealed) as memory:
        ((path, data),) = event_files(memory.context, [{"op": "used", "id": "n-abcd", "at": "2026-11-20T10:00:00Z"}]).items()
        with pytest.raises(Tampered):
            read_events(memory.context, path.replace("000001", "000002"), data)


def test_what_a_work_tree_left_damaged_is_taken_over_and_kept(store: Path, tmp_path: Path) -> None:
    """Of a journal with a flipped bit the sound lines are taken over, and the file is kept, as `doctor --fix` keeps one."""
    with open_memory(store) as memory:
        lost, sound = _note(memory, "one"), _note(memory, "another")
        local, left = memory.context.store.local, tmp_path / "left"
        shutil.copytree(local / "journal", left / "journal")
        [file] = (left / "journal").glob("*.log")
        lines = file.read_bytes().split(b"\n")
        lines[0] = lines[0][:-9] + bytes([lines[0][-9] ^ 1]) + lines[0][-8:]
        file.write_bytes(b"\n".join(lines))
        shutil.rmtree(local / "journal")
    with open_memory(store) as memory:
        shutil.rmtree(memory.context.store.root / "memory")
        orphans.adopt(memory.context.store, left)
        assert memory.get(sound).fields["text"] == "another"
        with pytest.raises(GitmemError, match="no record"):
            memory.get(lost)
        [kept] = (memory.context.store.local / "damaged").rglob("*.log")
        assert kept.read_bytes() == b"\n".join(lines)
        assert not (left / "journal").exists()
