"""What is pending for a record is the join of all that was journalled, whoever wrote it and whenever it is asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.codec import emit
from gitmem.core.edit import counted
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.store.journal import Entry
from gitmem.store.pending import Pending
from tests.unit.strategies import states

PATH = "memory/team/note/ab/n-abcd.yaml"


def _entry(state: State, whole: bool, event: str) -> Entry:
    return Entry(PATH, emit(state).decode(), whole, [{"op": event}])


@given(states(), st.lists(st.sampled_from(["fixed", "failed"]), max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_pending_is_the_join(state: State, counters: list[str], read_between: list[bool]) -> None:
    """Fragments on top of a whole state add up, also if somebody reads in between; events keep their order."""
    pending, current, written = Pending(), state, [state]
    pending.take([_entry(state, True, "learn")])
    for counter, read in zip(counters, read_between, strict=False):
        fragment = counted(current, "abcdefgh-1", {counter: 1}, {"used": "2026-11-20T10:00:00Z"})
        written.append(fragment)
        current = merge_all([current, fragment])
        pending.take([_entry(fragment, False, counter)])
        if read:
            assert pending.get(PATH) == current
    assert pending.get(PATH) == merge_all(written) == current
    assert pending.events == [{"op": name} for name in ["learn", *counters]]


@given(states(), states())
def test_a_whole_state_replaces_what_came_before(first: State, second: State) -> None:
    """Who wrote it had taken the earlier entries in; own writes and those of others are treated alike."""
    for add in (True, False):
        pending = Pending()
        pending.take([_entry(first, True, "learn")])
        if add:
            pending.add(PATH, second, True, [])
        else:
            pending.take([_entry(second, True, "edit")])
        assert pending.get(PATH) == second


@given(states(), states())
def test_own_fragments_join(state: State, other: State) -> None:
    """A fragment that this process wrote adds to what others journalled."""
    pending = Pending()
    pending.take([_entry(state, False, "used")])
    pending.add(PATH, other, False, [{"op": "used"}])
    assert pending.get(PATH) == merge_all([state, other])
    assert len(pending.events) == 2


def test_nothing_is_pending_for_other_records() -> None:
    """Only what was journalled is there, until it is cleared."""
    pending = Pending()
    state = State("note", 1, "team", "n-abcd")
    pending.take([_entry(state, True, "learn")])
    assert pending.get("memory/team/note/ab/n-abce.yaml") is None
    assert (len(pending), PATH in pending, pending.paths()) == (1, True, [PATH])
    pending.get(PATH)
    assert (len(pending), PATH in pending, pending.paths()) == (1, True, [PATH])
    pending.clear()
    assert (len(pending), PATH in pending, pending.paths(), pending.events) == (0, False, [], [])


@given(
    st.lists(st.sampled_from(["matched", "fixed"]), min_size=1, max_size=30),
    st.lists(st.integers(0, 9), min_size=30, max_size=30),
)
def test_a_fragment_takes_the_place_of_those_it_includes(counters: list[str], hours: list[int]) -> None:
    """However often a record is counted, and whichever way the clock goes, few fragments are kept and they add up."""
    pending, current = Pending(), State("note", 1, "team", "n-abcd")
    for counter, hour in zip(counters, hours, strict=False):
        fragment = counted(current, "abcdefgh-1", {counter: 1}, {"used": f"2026-11-20T0{hour}:00:00Z"})
        current = merge_all([current, fragment])
        pending.take([_entry(fragment, False, counter)])
    assert pending.get(PATH) == current
