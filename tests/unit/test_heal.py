"""What the core says of a commit that lost something: after healing nothing is missing that no write has replaced."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.dots import dot_of
from gitmem.core.edit import Pen
from gitmem.core.heal import examine, losses, registers, settled
from gitmem.core.merge import merge, merge_all
from gitmem.core.record import ALIVE, Json, State

WRITERS = ("aaaaaaaa-1", "bbbbbbbb-1")
HEALER = "hhhhhhhh-1"

_ACTS = st.lists(
    st.tuples(st.sampled_from(("fix", "meaning", "tag", "untag", "unset", "count", "die")), st.integers(0, 3)), max_size=5
)


def _after(state: State, writer: str, acts: list[tuple[str, int]]) -> State:
    """`state` after one writer's edits."""
    pen = Pen(state, writer)
    for act, n in acts:
        if act in ("fix", "meaning"):
            pen.set(act, lambda _path, dot: f"{dot}")
        elif act == "tag":
            pen.add("tags", f"e{'abcd'[n]}", lambda _path, dot: f"{dot}")
        elif act == "untag":
            pen.drop("tags", f"e{'abcd'[n]}")
        elif act == "unset":
            pen.unset("fix")
        elif act == "count":
            pen.count("fixed")
        if act == "die":
            pen.die()
        elif act != "count":
            pen.live()
    return pen.state


def _values(state: State) -> set[tuple[str, str]]:
    """What stands in a record, by register."""
    return {(path, str(value)) for path, register in registers(state) for value in register.values()}


@st.composite
def _spoiled(draw: st.DrawFn) -> tuple[State, list[State]]:
    """A merge commit that somebody made by picking lines of both sides at will, and its parents."""
    base = _after(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), WRITERS[0], [("fix", 0), ("tag", 0), ("tag", 1)])
    sides = [_after(base, writer, draw(_ACTS)) for writer in WRITERS]
    picked = State(base.kind, base.schema, base.scope, base.id)
    picked.seen = dict(draw(st.sampled_from([sides[0].seen, sides[1].seen, merge(*sides).seen])))
    for name in ("fix", "meaning"):
        register = draw(st.sampled_from([side.fields.get(name, {}) for side in sides]))
        picked.fields |= {name: dict(register)} if register else {}
    for key in ("ea", "eb", "ec", "ed"):
        register = draw(st.sampled_from([side.sets.get("tags", {}).get(key, {}) for side in sides]))
        if register:
            picked.sets.setdefault("tags", {})[key] = dict(register)
    picked.life = dict(draw(st.sampled_from([side.life for side in sides])))
    picked.counts = draw(st.sampled_from([side.copy().counts for side in sides]))
    for _, register in registers(picked):
        for dot in map(dot_of, register):
            picked.seen[dot.writer] = max(dot.n, picked.seen.get(dot.writer, 0))
    return picked, sides


def _just(value: Json, _path: str, _dot: str) -> Json:
    return value


def _healed(child: State, parents: list[State], healer: str = HEALER) -> State:
    """The record at HEAD after a heal, as the use case does it."""
    finding = examine(child, parents)
    pen = Pen(merge_all([child, *parents]) if finding.join else child, healer)
    held = {(path, dot_of(key)) for path, register in registers(pen.state) for key in register}
    for loss in finding.losses:
        standing = set(map(str, dict(registers(pen.state)).get(loss.path, {}).values()))
        if (loss.path, loss.dot) not in held and str(loss.value) not in standing:
            pen.beside(loss.path, partial(_just, loss.value))
    return pen.state


@given(_spoiled())
def test_a_healed_record_dominates_its_parents_and_has_every_value(case: tuple[State, list[State]]) -> None:
    """Whatever was picked: HEAD has seen, counted and holds all that both sides have, but for what a write replaced."""
    child, parents = case
    healed = _healed(child, parents)
    assert all(merge(healed, parent) == healed for parent in parents)
    assert _values(merge_all(parents)) <= _values(healed)
    assert merge(healed, child) == healed


@given(_spoiled())
def test_a_second_heal_finds_nothing_to_join_and_two_agree(case: tuple[State, list[State]]) -> None:
    """Healing is idempotent, and what two replicas healed at once merges to the same values."""
    child, parents = case
    healed = _healed(child, parents)
    assert not examine(healed, parents).join
    both = merge(healed, _healed(child, parents, "iiiiiiii-1"))
    assert _values(both) == _values(healed)
    assert all(merge(both, parent) == both for parent in parents)


@given(_ACTS, _ACTS)
def test_a_true_merge_has_nothing_to_heal(mine: list[tuple[str, int]], theirs: list[tuple[str, int]]) -> None:
    """The join of two sides is what is expected of a merge commit, and every edit names the writes that replaced a value."""
    base = _after(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), WRITERS[0], [("fix", 0), ("tag", 0)])
    sides = [_after(base, WRITERS[0], mine), _after(base, WRITERS[1], theirs)]
    finding = examine(merge(*sides), sides)
    assert not finding.join
    assert finding.losses == []
    edited = examine(sides[1], [base])
    assert not edited.join
    assert all(loss.beside for loss in edited.losses)


@given(_spoiled())
def test_a_conflict_settled_by_hand_keeps_both_sides(case: tuple[State, list[State]]) -> None:
    """Before it is committed nothing need be written again: the values stay under their own dots."""
    child, parents = case
    expected = merge_all(parents)
    assert settled(child, expected) == expected


def test_what_a_person_wrote_in_a_conflict_stands() -> None:
    """A write of one's own replaces what it says it has seen, and nothing in other fields."""
    base = _after(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), WRITERS[0], [("fix", 0), ("meaning", 0)])
    sides = [_after(base, writer, [("fix", 0), ("meaning", 0)]) for writer in WRITERS]
    expected = merge(*sides)
    pen = Pen(expected, HEALER)
    pen.set("fix", lambda _path, _dot: "chosen")
    chosen = pen.state
    chosen.fields["meaning"] = dict(sides[0].fields["meaning"])
    result = settled(chosen, expected)
    assert set(result.fields["fix"].values()) == {"chosen"}
    assert result.fields["meaning"] == expected.fields["meaning"]


def test_a_missing_or_broken_child_is_joined() -> None:
    """A file that is gone is brought back; one that nobody had before is not missed."""
    base = _after(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), WRITERS[0], [("fix", 0)])
    assert examine(None, [base]).join
    assert not examine(None, []).join
    assert losses(base, base) == []
    assert base.life == {str(dot_of(next(iter(base.life)))): ALIVE}


def test_a_hand_edit_replaced_what_it_stands_for() -> None:
    """Also once somebody has signed for it, who cannot know what it replaced. What it does not touch is a loss all the same."""
    parent = _after(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), WRITERS[0], [("fix", 0), ("meaning", 0)])
    edited = parent.copy()
    edited.fields["fix"] = dict.fromkeys(parent.fields["fix"], "by hand")
    assert examine(edited, [parent]).losses == []
    edited.fields["meaning"] = {}
    assert [loss.path for loss in examine(edited, [parent]).losses] == ["fields/meaning"]
