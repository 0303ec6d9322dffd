"""Graves: burying is one more join, so that it does not matter who collects, who merges, and who comes first."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.core.collected import (
    bury,
    empty_list,
    grave_in,
    grave_of,
    graves_in,
    is_list,
    is_list_path,
    list_of,
    list_path,
    place_of,
    with_graves,
)
from gitmem.core.dots import dot_of
from gitmem.core.edit import Pen, counted
from gitmem.core.merge import merge, merge_all, normalise
from gitmem.core.record import ALIVE, State
from tests.unit.strategies import World, worlds

PATH = "memory/team/pattern/3k/p-3k7q5w2m.yaml"
LIST = ".gitmem/collected/3k.yaml"


def _set(value: str):
    return lambda _path, _dot: value


def _living() -> State:
    pen = Pen(State("pattern", 1, "team", "p-3k7q5w2m"), "aaaaaaaa-1")
    pen.set("pattern", _set("no route"))
    pen.set("fix", _set("plug it in"))
    pen.count("fixed", 3)
    pen.live()
    return pen.state


def _deleted(state: State, writer: str = "aaaaaaaa-1") -> State:
    pen = Pen(state, writer)
    pen.die()
    return pen.state


def _deletions(world: World) -> list[State]:
    """Deletions of states from the world's history: what a gc may have collected."""
    return [_deleted(normalise(state), "gggggggg-1") for state in world.states]


def _file(state: State | None) -> bytes | None:
    return None if state is None else emit(state)


def _met(a: State | None, b: State | None, grave: State) -> State | None:
    """What a merge of two trees does with a file that one or both may lack."""
    present = [state for state in (a, b) if state is not None]
    return bury(merge_all(present), grave) if present else None


@given(worlds(), st.integers(0, 2))
def test_burying_commutes_with_merging(world: World, which: int) -> None:
    """Buried before or after, on either side or both: the file that is left is the same, and burying again changes nothing."""
    grave = grave_of(_deletions(world)[which])
    for a, b in permutations(map(normalise, [*world.states, *_deletions(world)]), 2):
        after = _file(bury(merge(a, b), grave))
        assert after == _file(_met(bury(a, grave), bury(b, grave), grave))
        assert after == _file(_met(bury(a, grave), b, grave)) == _file(_met(a, bury(b, grave), grave))
    for state in world.states:
        left = bury(state, grave)
        assert left is None or bury(left, grave) == left


@given(worlds())
def test_graves_only_grow(world: World) -> None:
    """With graves of several deletions, whichever became known first: the same file as with all at once."""
    graves = [grave_of(state) for state in _deletions(world)]
    together = merge_all(graves)
    for state in map(normalise, world.all_states):
        files = set()
        for order in permutations(graves):
            left: State | None = state
            known = order[0]
            for grave in order:
                known = merge(known, grave)
                left = None if left is None else bury(left, known)
            files.add(_file(left))
        assert files == {_file(bury(state, together))}


@given(worlds())
def test_nothing_unseen_is_lost(world: World) -> None:
    """Each value, count and life entry that the deletion had not seen is there after it."""
    grave = grave_of(_deletions(world)[0])
    for state in map(normalise, world.states):
        left = bury(state, grave) or grave
        for name, writers in state.counts.items():
            assert all(left.counts[name][writer] >= n for writer, n in writers.items())
        assert all(left.seen[writer] >= n for writer, n in state.seen.items())
        unseen = [dot for dot, word in state.life.items() if word == ALIVE and _is_news(dot, grave)]
        assert left.alive or not unseen
        for path, register in state.registers():
            assert {dot for dot in register if _is_news(dot, grave)} <= set(dict(left.registers()).get(path, {}))


def _is_news(key: str, grave: State) -> bool:
    return dot_of(key).n > grave.seen.get(dot_of(key).writer, 0)


@given(worlds())
def test_what_the_deletion_had_seen_does_not_come_back(world: World) -> None:
    """Every state from the past of a collected record, and every counter in it, is buried without a trace."""
    everything = merge_all([*world.all_states])
    assume(everything.life or everything.fields)
    grave = grave_of(_deleted(everything, "gggggggg-1"))
    assert all(bury(normalise(state), grave) is None for state in world.all_states)


def test_a_late_edit_lives_and_is_contested() -> None:
    """The deletion had not seen it: the record stands again, with what is new in it and with its counters, for a person."""
    state = _living()
    late = Pen(state, "bbbbbbbb-1")
    late.set("fix", _set("still needed"))
    late.live()
    left = bury(late.state, grave_of(_deleted(state)))
    assert left is not None
    assert (left.alive, left.contested) == (True, True)
    assert list(left.fields) == ["fix"]
    assert left.total("fixed") == 3


def test_a_late_count_leaves_the_record_deleted() -> None:
    """The count is kept, in a tombstone: the next gc takes it."""
    state = _living()
    grave = grave_of(_deleted(state))
    left = bury(counted(state, "bbbbbbbb-1", {"fixed": 1}, {}), grave)
    assert left is not None
    assert not left.alive
    assert left.total("fixed") == 4
    assert bury(left, grave_of(left)) is None


def test_learned_again_it_is_not_contested() -> None:
    """Whoever begins from the grave has seen the deletion; the record's counters go on."""
    grave = grave_of(_deleted(_living()))
    again = Pen(grave, "aaaaaaaa-1")
    again.set("fix", _set("new"))
    again.live()
    assert bury(again.state, grave) == again.state
    assert not again.state.contested


def test_only_what_is_deleted_has_a_grave() -> None:
    """A living record and a contested one are refused."""
    contested = merge(_deleted(_living()), _edited_elsewhere())
    for state in (_living(), contested):
        with pytest.raises(ValueError, match="is not deleted"):
            grave_of(state)


def _edited_elsewhere() -> State:
    pen = Pen(_living(), "bbbbbbbb-1")
    pen.live()
    return pen.state


def test_a_list_keeps_graves_by_place() -> None:
    """What is put in is found by the record's path, survives the file, and says nothing of other records."""
    grave = grave_of(_deleted(_living()))
    listing = parse(emit(with_graves(empty_list(LIST), "gggggggg-1", [grave])), LIST)
    assert is_list(LIST, listing)
    assert graves_in(listing) == {PATH: grave}
    assert grave_in(listing, PATH) == grave
    assert grave_in(listing, PATH.replace("pattern", "note")) is None


def test_lists_of_two_collectors_join() -> None:
    """Both collect, one having seen more: the grave is the join; a list that is told what it knows does not change in it."""
    one, two = (grave_of(_deleted(_living(), writer)) for writer in ("aaaaaaaa-1", "bbbbbbbb-1"))
    lists = [with_graves(empty_list(LIST), f"{w}-1", [g]) for w, g in (("cccccccc", one), ("dddddddd", two))]
    assert merge(*lists) == merge(*reversed(lists))
    assert grave_in(merge(*lists), PATH) == merge(one, two)
    again = with_graves(merge(*lists), "cccccccc-1", [one])
    assert grave_in(again, PATH) == merge(one, two)
    assert again.sets == merge(*lists).sets


def test_what_is_no_grave_buries_nothing() -> None:
    """A list is hostile input: a living state, one with values, another record's, no record at all."""
    pen = Pen(empty_list(LIST), "gggggggg-1")
    key = next(iter(with_graves(empty_list(LIST), "gggggggg-1", [grave_of(_deleted(_living()))]).sets["ids"]))
    other = State("pattern", 1, "team", "p-3kother", {"a-1": 1}, life={"a-1.1": "dead"})
    for value in (emit(_living()).decode(), emit(_deleted(_living())).decode(), emit(other).decode(), "no record", "\ud800", 7):
        pen.drop("ids", key)
        pen.add("ids", key, lambda _path, _dot, value=value: value)
        assert grave_in(pen.state, PATH) is None


def test_where_lists_lie() -> None:
    """One list for each shard of ids; nothing else below the folder is one."""
    assert list_path("p-3k7q5w2m") == list_of(PATH) == LIST
    assert place_of(_living()) == PATH
    assert list_path("p-3") == ".gitmem/collected/3.yaml"
    assert is_list_path(LIST)
    for path in ("memory/x.yaml", ".gitmem/collected/3k7.yaml", ".gitmem/collected/3K.yaml", ".gitmem/collected/a/3k.yaml"):
        assert not is_list_path(path)
        assert not is_list(path, empty_list(LIST))
        with pytest.raises(ValueError, match="no place"):
            empty_list(path)
