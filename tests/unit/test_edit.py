"""Writing: a change takes the next dot of its writer and replaces what it has seen."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen, counted
from gitmem.core.merge import merge
from gitmem.core.record import MAX_NUMBER, Json, State
from gitmem.errors import InvalidRecord
from tests.unit.strategies import new_state

WRITER = "k3v9q2xa-1"


def sealing(path: str, dot: str) -> Json:
    """A seal that shows what it was given."""
    return [path, dot]


def body(state: State) -> str:
    """The file without its first five lines."""
    return "".join(emit(state).decode().splitlines(keepends=True)[5:])


def test_a_pen_leaves_the_original_alone() -> None:
    """`state` is the result; what went in is not changed."""
    original = new_state()
    Pen(original, WRITER).set("fix", sealing)
    assert original == new_state()


def test_writes_take_dots_in_turn() -> None:
    """Each write gets the next number, and its value is sealed for just that place and dot."""
    pen = Pen(new_state(), WRITER)
    pen.set("fix", sealing)
    pen.add("tags", "eaa", sealing)
    pen.live()
    expected = """\
        seen:
          k3v9q2xa-1: 3
        fields:
          fix:
            k3v9q2xa-1.1~bcf5839e: ["fields/fix","k3v9q2xa-1.1"]
        sets:
          tags:
            eaa:
              k3v9q2xa-1.2~287aa428: ["sets/tags/eaa","k3v9q2xa-1.2"]
        life:
          k3v9q2xa-1.3: alive
        """
    assert body(pen.state) == dedent(expected)


def test_numbers_go_on_where_the_record_stands() -> None:
    """What counts is the record's own history of the writer, and a removal takes no number."""
    pen = Pen(new_state(), WRITER)
    pen.set("fix", sealing)
    pen = Pen(pen.state, WRITER)
    pen.unset("fix")
    assert pen.state.fields == {}
    pen.set("fix", sealing)
    pen.set("fix", sealing)
    assert list(pen.state.fields["fix"].values()) == [["fields/fix", "k3v9q2xa-1.3"]]
    assert pen.state.seen == {WRITER: 3}


def test_writing_settles_siblings() -> None:
    """A write replaces every value the field has, whoever wrote it."""
    pen = Pen(new_state(), WRITER)
    pen.state.fields["fix"] = {"a-1.1": "ENC[1-9f3a1c07,AA]", "b-1.1": "ENC[1-9f3a1c07,BB]"}
    pen.set("fix", sealing)
    assert list(pen.state.fields["fix"].values()) == [["fields/fix", "k3v9q2xa-1.1"]]


def test_set_elements_are_added_once_and_dropped() -> None:
    """An element that is there stays as it is; the last one to go takes the set with it."""
    pen = Pen(new_state(), WRITER)
    pen.add("tags", "eaa", sealing)
    once = pen.state.copy()
    pen.add("tags", "eaa", sealing)
    assert pen.state == once
    pen.drop("tags", "ebb")
    assert pen.state == once
    pen.drop("tags", "eaa")
    assert pen.state.sets == {}
    pen.drop("tags", "eaa")
    pen.unset("nothing")
    assert parse(emit(pen.state), "x") == pen.state


def test_life_has_one_entry_per_writer_that_knows_all() -> None:
    """Edit and deletion replace each other."""
    pen = Pen(new_state(), WRITER)
    pen.live()
    pen.die()
    assert pen.state.life == {"k3v9q2xa-1.2": "dead"}
    pen.live()
    assert pen.state.life == {"k3v9q2xa-1.3": "alive"}


def test_counters_and_times() -> None:
    """A writer raises its own counter; the latest time stays."""
    pen = Pen(new_state(), WRITER)
    pen.state.counts = {"fixed": {"b-1": 7}}
    pen.count("fixed")
    pen.count("fixed", 4)
    pen.touch("used", "2026-11-20T10:00:00Z")
    pen.touch("used", "2025-11-20T10:00:00Z")
    assert pen.state.counts == {"fixed": {"b-1": 7, WRITER: 5}}
    assert pen.state.last == {"used": "2026-11-20T10:00:00Z"}
    assert pen.state.seen == {}


def test_a_fragment_holds_the_writers_counters_and_nothing_else() -> None:
    """It claims to have seen nothing, so it replaces nothing; its numbers are absolute, so it counts once."""
    pen = Pen(new_state(), WRITER)
    pen.set("fix", sealing)
    pen.count("fixed", 4)
    fragment = counted(pen.state, WRITER, {"fixed": 1, "timed": 1}, {"used": "2026-11-20T10:00:00Z"})
    expected = """\
        counts:
          fixed:
            k3v9q2xa-1: 5
          timed:
            k3v9q2xa-1: 1
        last:
          used: 2026-11-20T10:00:00Z
        """
    assert body(fragment) == dedent(expected)
    twice = merge(merge(pen.state, fragment), fragment)
    assert twice.total("fixed") == 5
    assert twice.fields == pen.state.fields


def test_a_counter_stops_at_the_largest_number() -> None:
    """A counter somebody set to the limit stays a number that can be read."""
    pen = Pen(new_state(), WRITER)
    pen.count("ms", MAX_NUMBER)
    pen.count("ms", 5)
    assert pen.state.counts == {"ms": {WRITER: MAX_NUMBER}}
    assert counted(pen.state, WRITER, {"ms": 1}, {}).counts == {"ms": {WRITER: MAX_NUMBER}}
    assert parse(emit(pen.state), "x") == pen.state


def test_a_writer_without_numbers_left_is_refused() -> None:
    """No write is acknowledged under a dot that could not be read back."""
    pen = Pen(new_state(), WRITER)
    pen.state.seen = {WRITER: MAX_NUMBER - 1}
    pen.live()
    assert parse(emit(pen.state), "x") == pen.state
    with pytest.raises(InvalidRecord, match="claims 999999999999999 writes of k3v9q2xa-1"):
        pen.live()
