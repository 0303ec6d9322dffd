"""The journal: what was acknowledged is read back, whatever a crash, a full disk or a flipped bit did to the rest."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gitmem.errors import GitmemError
from gitmem.store.journal import Entry, Journal

texts = st.text(st.characters(exclude_categories=[]), max_size=60)
entries = st.builds(
    Entry,
    path=st.from_regex(r"memory/team/note/ab/n-ab[a-z]{1,5}\.yaml", fullmatch=True),
    text=texts,
    whole=st.booleans(),
    events=st.lists(st.dictionaries(st.sampled_from(["op", "id", "at"]), texts, max_size=2), max_size=2),
)


def _entry(name: str) -> Entry:
    return Entry(f"memory/team/note/ab/n-ab{name}.yaml", f"text of {name}\n", True, [{"op": "learn", "id": name}])


def _journal(folder: Path, *written: Entry) -> Journal:
    journal = Journal(folder)
    journal.refresh()
    for entry in written:
        journal.append([entry])
    return journal


def _read(folder: Path) -> list[Entry]:
    return Journal(folder).refresh()[1]


def _file(folder: Path) -> Path:
    (file,) = folder.glob("*.log")
    return file


@given(st.lists(entries, max_size=6))
def test_what_is_appended_is_read_back(written: list[Entry]) -> None:
    """Any text, lone surrogates and line breaks included, comes back as it was, in order."""
    with tempfile.TemporaryDirectory() as folder:
        _journal(Path(folder), *written).close()
        assert _read(Path(folder)) == written


def test_nothing_is_there_before_the_first_write(tmp_path: Path) -> None:
    """A journal without a directory is empty, and reading it makes none."""
    assert _read(tmp_path / "journal") == []
    assert not (tmp_path / "journal").exists()


def test_files_are_private(tmp_path: Path) -> None:
    """Neither the directory nor the file can be read by other users."""
    _journal(tmp_path / "journal", _entry("a"))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "journal", _file(tmp_path / "journal"))]
    assert modes == [0o700, 0o600]


def test_a_tail_cut_off_anywhere_is_passed_over(tmp_path: Path) -> None:
    """Cut at every byte of the last line, the lines before it are read, and one written afterwards is whole."""
    _journal(tmp_path / "whole", _entry("a"), _entry("b")).close()
    data = _file(tmp_path / "whole").read_bytes()
    second = data.index(b"\n") + 1
    for cut in range(second, len(data)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "00000001.log").write_bytes(data[:cut])
        after_crash = Journal(folder)
        found = after_crash.refresh()[1]
        expected = [_entry("a"), _entry("b")] if cut == len(data) - 1 else [_entry("a")]  # only its newline is missing
        assert found == expected, cut
        after_crash.append([_entry("c")])
        after_crash.close()
        assert _read(folder) == [*expected, _entry("c")], cut


def test_a_flipped_bit_costs_one_line_at_most_and_is_named(tmp_path: Path) -> None:
    """Whichever byte is damaged, newlines and lengths included, every other line is read."""
    written = [_entry(name) for name in "abc"]
    _journal(tmp_path / "whole", *written).close()
    data = _file(tmp_path / "whole").read_bytes()
    file = tmp_path / "damaged" / "00000001.log"
    file.parent.mkdir()
    ends = list(itertools.accumulate(len(line) for line in data.splitlines(keepends=True)))
    for at, bit in itertools.product(range(len(data)), (0, 1, 3, 6)):
        hit = next(number for number, end in enumerate(ends) if at < end)
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        journal = Journal(file.parent)
        found = journal.refresh()[1]
        rest = [entry for number, entry in enumerate(written) if number != hit]
        newline = at + 1 == ends[hit]
        assert found == (written if newline else rest), (at, bit)
        # damage at the very end looks like a line that was cut off, which nobody was promised
        assert newline or journal.damaged or hit == 2, (at, bit)
        journal.append([_entry("d")])
        journal.close()
        assert _read(file.parent)[-1] == _entry("d"), (at, bit)


def test_damage_is_named_once(tmp_path: Path) -> None:
    """Reading a damaged line again does not make it two."""
    _journal(tmp_path, _entry("a"), _entry("b")).close()
    file = _file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"text of a", b"text of X"))
    journal = Journal(tmp_path)
    journal.refresh()
    journal.since((1, 0))
    assert journal.damaged == ["00000001.log: the line at byte 0 is damaged and was passed over"]


def test_two_objects_see_each_others_entries(tmp_path: Path) -> None:
    """Refreshing brings exactly what the other wrote since."""
    one, two = Journal(tmp_path), Journal(tmp_path)
    one.refresh()
    one.append([_entry("a")])
    assert two.refresh() == (True, [_entry("a")])
    two.append([_entry("b"), _entry("c")])
    assert one.refresh() == (False, [_entry("b"), _entry("c")])
    assert one.refresh() == (False, [])
    assert one.position == two.position


def test_a_restart_by_another_is_noticed(tmp_path: Path) -> None:
    """After a commit elsewhere the old entries are known to be gone, and only one file remains."""
    one, two = Journal(tmp_path), Journal(tmp_path)
    one.refresh()
    one.append([_entry("a")])
    before = one.position
    two.refresh()
    two.clear()
    assert one.refresh() == (True, [])
    two.append([_entry("b")])
    assert one.refresh() == (False, [_entry("b")])
    assert one.since(before) == [_entry("b")]
    assert [file.name for file in tmp_path.iterdir()] == ["00000002.log"]


def test_a_journal_that_was_removed_and_begun_again_is_read_anew(tmp_path: Path) -> None:
    """Under the same name there may be another file: an open process must not go on writing to the one that is gone."""
    one = _journal(tmp_path / "journal", _entry("a"))
    shutil.rmtree(tmp_path / "journal")
    two = _journal(tmp_path / "journal", _entry("b"))
    assert one.refresh() == (True, [_entry("b")])
    one.append([_entry("c")])
    assert two.refresh() == (False, [_entry("c")])


def test_a_clear_cut_short_forgets_the_old_entries(tmp_path: Path) -> None:
    """Killed between making the next file and removing the last one, the next one counts, and the last one goes later."""
    journal = _journal(tmp_path, _entry("a"))
    old = _file(tmp_path).read_bytes()
    journal.clear()
    (tmp_path / "00000001.log").write_bytes(old)
    fresh = Journal(tmp_path)
    assert fresh.refresh() == (True, [])
    fresh.clear()
    assert [file.name for file in tmp_path.iterdir()] == ["00000003.log"]


def test_since_gives_what_came_after(tmp_path: Path) -> None:
    """A reader that noted a position is told of later entries only; of all, if its file is gone."""
    journal = _journal(tmp_path, _entry("a"))
    noted = journal.position
    journal.append([_entry("b")])
    assert journal.since(noted) == [_entry("b")]
    assert journal.since((7, 3)) == [_entry("a"), _entry("b")]


@contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a full disk without a disk (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("room", [0, 1, 17, 130, 200])
def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path, room: int) -> None:
    """All entries of one append are taken back where one does not fit; the earlier ones stay, and so does the next."""
    journal = _journal(tmp_path, _entry("a"))
    size = _file(tmp_path).stat().st_size
    with _file_size_limit(size + room), pytest.raises(GitmemError, match="cannot write to the journal: file too large"):
        journal.append([_entry("b"), _entry("c"), _entry("d")])
    assert _file(tmp_path).stat().st_size == size
    assert _read(tmp_path) == [_entry("a")]
    journal.refresh()
    journal.append([_entry("e")])
    assert _read(tmp_path) == [_entry("a"), _entry("e")]


def test_who_read_what_was_taken_back_reads_again(tmp_path: Path) -> None:
    """A reader that saw lines of an append which then failed forgets them, and misses nothing written afterwards."""
    journal = _journal(tmp_path, _entry("a"))
    reader = Journal(tmp_path)
    with _file(tmp_path).open("ab") as file:  # a line as the reader sees it before the writer's disk is full
        file.write((tmp_path / "00000001.log").read_bytes().replace(b"text of a", b"text of b"))
    reader.refresh()
    os.truncate(_file(tmp_path), journal.position[1])
    with _file_size_limit(journal.position[1] + 5), pytest.raises(GitmemError):
        journal.append([_entry("c")])
    journal.refresh()
    journal.append([_entry("d" * 100)])
    assert reader.refresh() == (True, [_entry("a"), _entry("d" * 100)])


def test_a_read_only_directory_is_refused_in_words(tmp_path: Path) -> None:
    """Where no file can be made the error says so; nothing is left behind."""
    blocked = tmp_path / "journal"
    blocked.write_text("a file where the directory belongs")
    journal = Journal(blocked)
    with pytest.raises(GitmemError, match=r"cannot (read|write to) the journal"):
        journal.append([_entry("a")])
    assert blocked.read_text() == "a file where the directory belongs"


class JournalMachine(RuleBasedStateMachine):
    """Several objects on one directory, crashes and torn tails against a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.objects = [Journal(self.path) for _ in range(2)]
        self.views: list[list[Entry]] = [[], []]
        self.written: list[Entry] = []

    def _refresh(self, which: int) -> Journal:
        restarted, new = self.objects[which].refresh()
        self.views[which] = [*([] if restarted else self.views[which]), *new]
        return self.objects[which]

    @rule(which=st.integers(0, 1), new=st.lists(entries, min_size=1, max_size=3))
    def append(self, which: int, new: list[Entry]) -> None:
        """One object writes, as under the lock."""
        self._refresh(which).append(new)
        self.written += new
        self.views[which] += new

    @rule(which=st.integers(0, 1))
    def clear(self, which: int) -> None:
        """One object starts the journal anew."""
        self._refresh(which).clear()
        self.written.clear()
        self.views[which].clear()

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        """A process ends and another begins."""
        self.objects[which].close()
        self.objects[which] = Journal(self.path)
        self.views[which] = []

    @rule(garbage=st.binary(min_size=1, max_size=40).filter(lambda data: b"\n" not in data))
    def crash(self, garbage: bytes) -> None:
        """A writer dies in the middle of a line."""
        numbers = sorted(self.path.glob("*.log"))
        if numbers:
            with numbers[-1].open("ab") as file:
                file.write(garbage)

    @invariant()
    def everybody_agrees(self) -> None:
        """Every object, and a new one, reads what was acknowledged."""
        for which in (0, 1):
            self._refresh(which)
            assert self.views[which] == self.written
        assert _read(self.path) == self.written

    def teardown(self) -> None:
        """Give the descriptors back."""
        for journal in self.objects:
            journal.close()
        self.folder.cleanup()


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=40, stateful_step_count=20)
