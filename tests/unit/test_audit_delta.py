"""What entries vouch for adds up to the record, whatever met in whatever order; anything else in it is found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import EMPTY, Entry
from gitmem.core.auditing.delta import Ledger, dots_in, raised_in, record_detail
from gitmem.core.collected import grave_of
from gitmem.core.edit import Pen
from gitmem.core.merge import merge, merge_all
from gitmem.core.record import Json, State
from gitmem.memory.auditing.states import FileHistory, check_file
from tests.support.auditing import STORE, TIME, new_record

_STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["set", "unset", "add", "drop", "count", "touch", "die", "live", "merge", "merge"]),
        st.integers(0, 2),
    ),
    max_size=14,
)


@dataclass
class World:
    """Three replicas of one record; every write is signed, merges are not."""

    start: State = field(default_factory=lambda: new_record("r9-1", fix="first", meaning="first"))
    entries: list[Entry] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    past: list[State] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = [self.start] * 3
        self.sign(None, self.start)

    def sign(self, before: State | None, after: State) -> None:
        """Log a write."""
        detail = record_detail(before, after)
        self.entries.append(Entry(STORE, "r9-1", 1, EMPTY, {}, TIME, "edit", "ada", "memory/x", None, None, detail, EMPTY))
        self.past.append(after)

    def step(self, at: int, what: str, which: int) -> None:
        """One replica writes, or merges another's state."""
        before = self.states[at]
        if what == "merge":
            self.states[at] = merge(before, self.states[which])
            self.past.append(self.states[at])
            return
        pen = Pen(before, f"r{at}-1")
        _write(pen, what, ("fix", "meaning", "more")[which])
        if pen.state != before:
            self.states[at] = pen.state
            self.sign(before, pen.state)


def _write(pen: Pen, what: str, name: str) -> None:
    match what:
        case "set":
            pen.set(name, lambda path, dot: f"{path} {dot}")
        case "unset":
            pen.unset(name)
        case "add":
            pen.add("tags", name, lambda path, dot: [path, dot])
        case "drop":
            pen.drop("tags", name)
        case "count":
            pen.count(name, 2)
        case "touch":
            pen.touch("changed", f"2026-11-{10 + len(name)}T00:00:00Z")
        case "die":
            pen.die()
        case "live":
            pen.live()


def _world(steps: list[tuple[int, str, int]]) -> World:
    world = World()
    for step in steps:
        world.step(*step)
    return world


@given(_STEPS)
def test_every_honest_state_is_explained(steps: list[tuple[int, str, int]]) -> None:
    """Each state any replica ever had, and the join of all, holds nothing unsigned; the join also lacks nothing."""
    world = _world(steps)
    ledger = Ledger.of(world.entries)
    newest = merge_all(world.states)
    assert [ledger.surplus(state) for state in [*world.past, newest]] == [None] * (len(world.past) + 1)
    assert ledger.missing(newest) is None


@given(_STEPS)
def test_a_state_that_lacks_something_is_behind(steps: list[tuple[int, str, int]]) -> None:
    """A state that is not yet the join of all is found to be behind: a rollback is."""
    world = _world(steps)
    ledger, newest = Ledger.of(world.entries), merge_all(world.states)
    for state in world.past:
        assert (ledger.missing(state) is None) == (state == newest)


@given(_STEPS, st.data())
def test_a_tampered_state_is_found(steps: list[tuple[int, str, int]], data: st.DataObject) -> None:
    """Any one part of the newest state changed, taken out or put in is either unsigned or behind."""
    world = _world(steps)
    ledger, newest = Ledger.of(world.entries), merge_all(world.states)
    wrong = newest.copy()
    _tamper(wrong, data)
    if wrong != newest:
        assert ledger.surplus(wrong) or ledger.missing(wrong)


def _tamper(state: State, data: st.DataObject) -> None:
    registers = [register for _, register in state.registers()] + [state.life]
    register = data.draw(st.sampled_from([register for register in registers if register]))
    key = data.draw(st.sampled_from(sorted(register)))
    match data.draw(st.sampled_from(["value", "drop", "add", "seen", "count", "last", "schema", "move"])):
        case "value":
            register[key] = "dead" if register[key] == "alive" else "evil"
        case "drop":
            del register[key]
        case "add":
            register["evil-1.1"] = "alive"
        case "seen":
            state.seen[data.draw(st.sampled_from(sorted(state.seen)))] += data.draw(st.sampled_from([-1, 1]))
        case "count":
            state.counts.setdefault("fixed", {})["r1-1"] = data.draw(st.integers(1, 9))
        case "last":
            state.last["changed"] = "2099-01-01T00:00:00Z"
        case "schema":
            state.schema += 1
        case "move":
            state.fields["elsewhere"] = {key: register.pop(key)}


def test_what_a_detail_says() -> None:
    """The parts of a delta, and nothing that did not change."""
    before = new_record("a-1", fix="old", meaning="m")
    pen = Pen(before, "a-1")
    pen.set("fix", lambda _path, _dot: "new")
    pen.count("fixed", 2)
    pen.count("failed")
    pen.touch("used", TIME)
    detail = record_detail(before, pen.state)
    adds = detail.pop("adds")
    assert detail == {
        "dots": {"a-1": [4, 4]},
        "gone": {"a-1": [1]},
        "counts": {"fixed": {"a-1": [0, 2]}, "failed": {"a-1": [0, 1]}},
        "last": {"used": TIME},
    }
    assert isinstance(adds, dict)
    assert list(adds) == ["a-1"]
    assert list(adds["a-1"]) == ["4"]  # type: ignore[arg-type]
    assert dots_in(detail) == {"a-1": (4, 4)}
    assert raised_in(detail) == {"fixed": 2, "failed": 1}
    assert record_detail(pen.state, pen.state) == {}
    assert record_detail(None, before)["schema"] == 1


def test_a_state_from_outside() -> None:
    """Vouching for a state as a whole also answers for what it no longer holds."""
    before = new_record("a-1", fix="old", meaning="m")
    outside = before.copy()
    del outside.fields["meaning"]
    world = World(before)
    assert Ledger.of(world.entries).surplus(outside)
    world.sign(None, outside)
    world.entries[-1].detail.update(record_detail(None, outside, outside=True))
    ledger = Ledger.of(world.entries)
    assert (ledger.surplus(outside), ledger.missing(outside)) == (None, None)


def test_what_an_entry_covers_and_does_not_add_is_gone() -> None:
    """A write that replaced another is signed on top of a history that has gone back behind both."""
    first = new_record("a-1", fix="old")
    pen = Pen(first, "a-1")
    pen.set("fix", lambda _path, _dot: "new")
    world = World(first)
    world.sign(None, pen.state)
    assert "gone" not in world.entries[-1].detail
    ledger = Ledger.of(world.entries)
    assert (ledger.surplus(pen.state), ledger.missing(pen.state)) == (None, None)
    assert ledger.missing(first)


@given(_STEPS)
def test_what_is_left_of_a_collected_record_holds_no_value(steps: list[tuple[int, str, int]]) -> None:
    """However its histories met, what is collected adds up to nothing; what stands, or is written anew, does not."""
    world = _world(steps)
    newest = merge_all(world.states)
    assert not any(newest.registers()) or not Ledger.of(world.entries).is_empty()
    pen = Pen(newest, "r9-2")
    pen.die()
    world.sign(newest, grave_of(pen.state))
    assert Ledger.of(world.entries).is_empty()
    world.sign(None, new_record("r7-1", fix="again"))
    assert not Ledger.of(world.entries).is_empty()


def test_a_record_that_was_begun_twice_may_be_gone() -> None:
    """Two clones sign the same record as new (one after a reset), git joins them, and it is collected once."""
    world = World()
    other = merge(world.start, new_record("r8-1", fix="first"))
    pen = Pen(other, "r8-1")
    pen.die()
    world.sign(None, pen.state)
    world.sign(pen.state, grave_of(pen.state))
    hashes = [(None, "a"), (None, "b"), ("c", None)]
    entries = [replace(entry, before=old, after=new) for entry, (old, new) in zip(world.entries, hashes, strict=True)]
    path = "memory/team/pattern/aa/p-aa.yaml"
    assert list(check_file(FileHistory(path, {}, None, []), entries, {})) == []
    dropped = replace(entries[0], before=None, after="d", detail=record_detail(None, new_record("r7-1", fix="again")))
    (problem,) = check_file(FileHistory(path, {}, None, []), [*entries, dropped], {})
    assert problem.what == "missing file"


def test_a_range_without_end_costs_nothing() -> None:
    """A signer may claim any numbers."""
    first = new_record("a-1", fix="old")
    world = World(first)
    world.sign(first, first)
    world.entries[-1].detail["dots"] = {"a-1": [-(10**40), 10**40], "b-1": [1, 10**40]}
    ledger = Ledger.of(world.entries)
    assert ledger.gone == ledger.values.keys()


_ODD: list[Json] = [
    None,
    True,
    7,
    "x",
    [],
    ["x"],
    [1, 2, 3],
    [True, 1],
    {},
    {"a-1": None},
    {"a-1": {"x": 1}},
    {"a-1": [1, "x"]},
]


def test_counters_that_no_record_can_hold_are_not_told() -> None:
    """Their sum could have more digits than Python turns into text."""
    huge: Json = {f"w{number}-1": [0, 9 * 10**4299] for number in range(20)}
    assert raised_in({"counts": {"fixed": huge, "failed": {"a-1": [1, 3], "b-1": [5, 4]}}}) == {"failed": 2}


@pytest.mark.parametrize("name", ["dots", "adds", "gone", "counts", "last", "schema", "whole"])
@pytest.mark.parametrize("value", [*_ODD, *({"fixed": value} for value in _ODD)], ids=lambda value: repr(value)[:40])
def test_details_of_any_shape_are_read(name: str, value: Json) -> None:
    """Signed by a member and still nonsense: it vouches for nothing, and nothing breaks."""
    detail: dict[str, Json] = {name: value}
    entry = Entry(STORE, "r9-1", 1, EMPTY, {}, TIME, "edit", "ada", "memory/x", None, None, detail, EMPTY)
    assert Ledger.of([entry]).surplus(new_record("a-1", fix="x"))
    dots_in(detail)
    raised_in(detail)
