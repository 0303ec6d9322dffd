"""High-water marks: what the current writer has written is known, until it is lost as a whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.store.marks import Marks, Owner, is_behind, mark_of

ABC, XYZ = Owner("abc", 1, 1, 0), Owner("xyz", 1, 1, 0)
PATH = "memory/team/note/ab/n-abcd.yaml"
numbers = st.integers(0, 9)
marks = st.tuples(numbers, st.dictionaries(st.sampled_from(["fixed", "failed", "ms"]), numbers))


@pytest.fixture
def opened(tmp_path: Path) -> Marks:
    """Marks of the replica `abc`."""
    marks = Marks(tmp_path / "marks")
    marks.begin(ABC)
    return marks


def test_a_mark_outlives_the_process(opened: Marks) -> None:
    """What was put is there for the next process, and nothing where the writer has not written."""
    opened.put([(PATH, (3, {"fixed": 2}))], ABC)
    opened.close()
    again = Marks(opened.path)
    assert again.get(PATH, ABC) == (3, {"fixed": 2})
    assert again.get("memory/team/note/ab/n-abce.yaml", ABC) == (0, {})


def test_marks_of_another_replica_are_none(opened: Marks) -> None:
    """Copied or mixed-up marks are told from marks that say nothing."""
    opened.put([(PATH, (3, {}))], ABC)
    assert opened.get(PATH, XYZ) is None
    assert Marks(opened.path.with_name("lost")).get(PATH, ABC) is None


def test_marks_of_another_time_are_none(opened: Marks) -> None:
    """Restored beside another file of the replica, or beside a journal that is older than they are, they are not ours."""
    opened.put([(PATH, (3, {}))], ABC._replace(journal=4))
    assert opened.get(PATH, ABC._replace(journal=4)) == opened.get(PATH, ABC._replace(journal=5)) == (3, {})
    for other in (ABC._replace(journal=3), ABC._replace(journal=4, inode=2), ABC._replace(journal=4, changed=2)):
        assert opened.get(PATH, other) is None


def test_former_names_are_kept(opened: Marks) -> None:
    """Those that were used here, the latest first, and not without end."""
    assert opened.former() == []
    for number in range(20):
        opened.begin(ABC, f"name{number}")
    assert opened.former() == [f"name{number}" for number in range(19, 3, -1)]
    opened.begin(XYZ)
    assert opened.former()[0] == "abc"


def test_a_new_beginning_forgets_the_chain(opened: Marks) -> None:
    """The chain of the earlier replica is another one's; who we are, and what a killed process left to do, is not."""
    opened.put([(PATH, (3, {}))], ABC)
    opened.set_note("audit", "[]")
    opened.set_note("member", "ada")
    opened.set_note("moving", "from here")
    opened.begin(XYZ)
    assert opened.get(PATH, XYZ) == (0, {})
    assert (opened.note("audit"), opened.note("member"), opened.note("moving")) == ("", "ada", "from here")


def test_forgetting_keeps_the_notes(opened: Marks) -> None:
    """A rotated writer has no marks; it is still the same replica's."""
    opened.put([(PATH, (3, {}))], ABC)
    opened.set_note("audit", "[1]")
    opened.forget(ABC)
    assert opened.get(PATH, ABC) == (0, {})
    assert opened.note("audit") == "[1]"


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
def test_damaged_marks_are_lost_marks(opened: Marks, content: bytes) -> None:
    """A file that is no database is set aside, and nobody's marks are read."""
    opened.put([(PATH, (3, {}))], ABC)
    opened.close()
    opened.path.write_bytes(content)
    assert Marks(opened.path).get(PATH, ABC) is None
    assert content == b"" or opened.path.with_name("marks.damaged").read_bytes() == content


def test_damage_inside_is_found_when_it_is_read(opened: Marks) -> None:
    """Pages that were overwritten are lost marks; in the middle of writing that is an error, once."""
    opened.put(((f"memory/team/note/ab/n-ab{number:04}.yaml", (number, {})) for number in range(1, 2000)), ABC)
    opened.close()
    data = bytearray(opened.path.read_bytes())
    data[4096 * 2 :] = b"\xff" * (len(data) - 4096 * 2)
    opened.path.write_bytes(data)
    again = Marks(opened.path.with_name("again"))
    shutil.copy(opened.path, again.path)
    assert None in [opened.get(f"memory/team/note/ab/n-ab{number:04}.yaml", ABC) for number in range(1, 2000)]
    with pytest.raises(GitmemError, match="marks were damaged"):
        again.put(((f"memory/team/note/ab/n-ab{number:04}.yaml", (number, {})) for number in range(1, 2000)), ABC)
    again.put([(PATH, (1, {}))], ABC)
    assert again.get(PATH, ABC) == (1, {})


def test_a_removed_file_is_noticed(opened: Marks) -> None:
    """Marks deleted under an open process are gone for it, too."""
    opened.put([(PATH, (3, {}))], ABC)
    opened.path.unlink()
    assert opened.get(PATH, ABC) is None


def test_a_full_disk_is_named(opened: Marks) -> None:
    """Also where SQLite has undone the whole transaction itself, and complains of being asked to."""
    opened._database().execute("pragma max_page_count = 4")
    with pytest.raises(GitmemError, match="no space left on device") as told:
        opened.put(((f"memory/team/note/ab/n-ab{number:04}.yaml", (number, {})) for number in range(1, 2000)), ABC)
    assert "free some space" in told.value.hint
    assert opened.get("memory/team/note/ab/n-ab0001.yaml", ABC) == (0, {})


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """No SQLite error reaches the user."""
    with pytest.raises(GitmemError, match="cannot write the high-water marks"):
        Marks(tmp_path / "none" / "marks").begin(ABC)


@given(marks, marks)
def test_behind_means_that_something_is_missing(held: tuple[int, dict[str, int]], mark: tuple[int, dict[str, int]]) -> None:
    """A record is behind if it holds fewer writes or less of any counter than the mark says."""
    less = held[0] < mark[0] or any(held[1].get(name, 0) < count for name, count in mark[1].items())
    assert is_behind(held, mark) == less
    assert not is_behind(mark, mark)


def test_a_mark_is_what_the_record_holds_of_the_writer() -> None:
    """Other writers' numbers and counters are theirs."""
    state = State(
        "note",
        1,
        "team",
        "n-abcd",
        seen={"abc-1": 4, "xyz-1": 9},
        counts={"fixed": {"abc-1": 2, "xyz-1": 8}, "failed": {"xyz-1": 1}},
    )
    assert mark_of(state, "abc-1") == (4, {"fixed": 2})
    assert mark_of(state, "abc-2") == (0, {})
