"""Erasing commutes with merging and is done once; what is left of earlier states fits together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.codec import emit
from gitmem.core.collected import bury, empty_list, list_of, place_of, with_graves
from gitmem.core.edit import Pen
from gitmem.core.erasure import Rule, erased, erased_at, erased_detail, erased_in, redacted_detail
from gitmem.core.merge import merge
from gitmem.core.record import Json, State
from gitmem.core.subject import Subject

WHEN = "2026-11-28T10:00:00Z"
WRITERS = ("aaaaaaaa-1", "bbbbbbbb-1")


@st.composite
def histories(draw: st.DrawFn) -> tuple[State, State, State]:
    """A state of a record, and what two writers who both started from it made of it."""
    start = _written(State("note", 1, "team", "n-0123456789"), WRITERS[0], ["title"])
    names = st.lists(st.sampled_from(["title", "body", "tags", "count"]), max_size=4)
    return start, _written(start, WRITERS[0], draw(names)), _written(start, WRITERS[1], draw(names))


def _written(state: State, writer: str, names: list[str]) -> State:
    pen = Pen(state, writer)

    def seal(path: str, dot: str) -> Json:
        return f"{path} by {dot}"

    for name in names:
        if name == "tags":
            pen.add("tags", f"e{pen.state.seen.get(writer, 0)}", seal)
        elif name == "count":
            pen.count("fixed")
        else:
            pen.set(name, seal)
    if names:
        pen.live()
    return pen.state


@given(histories())
def test_erasing_leaves_what_was_not_seen(history: tuple[State, State, State]) -> None:
    """A grave takes all it has seen, whatever the order of merging, and nothing of what somebody else wrote meanwhile."""
    start, mine, theirs = history
    grave = erased(mine, "aaaaaaaa-2", WHEN)
    assert bury(mine, grave) is None
    assert bury(start, grave) is None
    left = bury(theirs, grave)
    assert left == bury(merge(mine, theirs), grave)
    unseen = {(path, key) for path, register in theirs.registers() for key in register} - {
        (path, key) for path, register in start.registers() for key in register
    }
    assert (set() if left is None else {(p, k) for p, register in left.registers() for k in register}) == unseen
    assert left is None or (erased_at(left) == WHEN and bury(left, grave) == left)


@given(histories())
def test_cleaning_commutes_with_merging(history: tuple[State, State, State]) -> None:
    """Cleaning two states and joining them is joining and cleaning; to clean twice is to clean once."""
    start, mine, theirs = history
    values = [(path, key) for path, register in mine.registers() for key in register]
    for detail in (erased_detail(mine), redacted_detail(values), redacted_detail(values[:1])):
        rule = Rule()
        assert rule.add(detail)
        joined, parts = rule.cleaned(merge(mine, theirs)), [rule.cleaned(mine), rule.cleaned(theirs)]
        states = [part for part in parts if part is not None]
        assert (joined is None) == (not states)
        if joined is not None and len(states) == 2:
            assert emit(merge(*states)) == emit(joined)
        if joined is not None:
            assert rule.cleaned(joined) == joined
        assert (rule.cleaned(start) is None) == ("seen" in str(detail))


def test_an_entry_of_another_form_erases_nothing() -> None:
    """What a signed entry says is read with distrust."""
    state = _written(State("note", 1, "team", "n-0123456789"), WRITERS[0], ["title"])
    for detail in ({}, {"erased": True}, {"erased": {"seen": {}}}, {"erased": {"sean": 4}}):
        rule = Rule()
        assert not rule.add(detail)
        assert rule.cleaned(state) is state


def test_a_list_tells_what_was_erased() -> None:
    """Graves of records that were merely collected are none of erased ones; to erase later counts as later."""
    state = _written(State("note", 1, "team", "n-0123456789"), WRITERS[0], ["title"])
    path = place_of(state)
    pen = Pen(state, WRITERS[0])
    pen.die()
    plain = State("note", 1, "team", "n-0123456789", pen.state.seen, life=pen.state.life)
    listing = with_graves(empty_list(list_of(path)), "aaaaaaaa-1", [plain])
    assert erased_in(listing) == {}
    listing = with_graves(listing, "bbbbbbbb-1", [erased(plain, "bbbbbbbb-1", WHEN)])
    assert erased_at(erased_in(listing)[path]) == WHEN


def test_a_person_is_found_as_words_in_any_case() -> None:
    """A name stands for itself and not for part of another word; every mention is taken out of nested values."""
    ada = Subject(["Ada  Lovelace", "ada@example.org"])
    assert ada.is_named_in("ask ADA\nlovelace")
    assert ada.is_named_in({"who": ["x", "Ada Lovelace"]})
    assert not ada.is_named_in("canada@example.org is somebody else; Ada Lovelaces too")
    assert not ada.is_named_in(4)
    assert ada.taken_out_of(["mail ada@example.org, now", {"by": "Ada Lovelace"}, 4]) == [
        "mail <erased>, now",
        {"by": "<erased>"},
        4,
    ]
