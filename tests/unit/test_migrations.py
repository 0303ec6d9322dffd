"""Migration steps: the numbered cases of docs/migrating.md, frozen files, and two replicas that migrate in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen
from gitmem.core.merge import merge
from gitmem.core.migrations import STEPS, fixed_in, migrate, open_steps, roll_back, since
from gitmem.core.record import Json, State

VECTORS: Final = Path(__file__).parents[1] / "vectors/format-1/migrations"
CASES: Final = sorted(path.name for path in VECTORS.iterdir())


def in_the_clear(_path: str, _where: str, value: Json) -> Json:
    """How a plain store seals and opens."""
    return value


def migrated(state: State, *, again: bool = False) -> State:
    """A state with everything worked out."""
    return migrate(state, STEPS, in_the_clear, in_the_clear, again=again)


def quirk(versions: str | None = "since 14.2", writer: str = "a-1") -> State:
    """A quirk that a gitmem without the newer version wrote."""
    return said(State("quirk", 1, "team", "q-abc"), writer, versions=versions)


def said(state: State, writer: str, **fields: str | None) -> State:
    """A state after somebody wrote some fields and removed those that are None."""
    pen = Pen(state, writer)
    for name, value in fields.items():
        if value is None:
            pen.unset(name)
        else:
            pen.set(name, lambda _path, _dot, value=value: value)
    pen.live()
    return pen.state


def values(state: State, field: str) -> set[str]:
    """What stands in a field."""
    return {str(value) for value in state.fields.get(field, {}).values()}


@pytest.mark.parametrize("case", CASES)
def test_frozen_files_migrate_as_they_did(case: str) -> None:
    """What was a file's migration once is its migration for ever, byte for byte."""
    before = parse((VECTORS / case / "before.yaml").read_bytes(), case)
    assert emit(migrated(before)) == (VECTORS / case / "after.yaml").read_bytes()


@pytest.mark.parametrize(
    ("text", "first", "fixed"),
    [
        ("since 14.2", "14.2", None),
        ("3.1+", "3.1", None),
        ("v2.0 and later", "2.0", None),
        (">= 1.2, < 2.0.1", "1.2", "2.0.1"),
        ("before 3.2", None, "3.2"),
        ("3.0 to 3.4", "3.0", None),
        ("from version 9, fixed in v9.5-rc1.", "9", "9.5-rc1"),
        ("<= 4", None, None),
        ("all of them", None, None),
        (17, None, None),
        ("x" * 100_000, None, None),
    ],
)
def test_what_is_read_out_of_versions(text: Json, first: str | None, fixed: str | None) -> None:
    """A version is taken where the words name one, and nothing is guessed."""
    assert (since(text), fixed_in(text)) == (first, fixed)


def test_case_1_nobody_has_written_the_field() -> None:
    """It is written; a second time changes nothing, and neither does a field that says nothing."""
    state = migrated(quirk("since 14.2, fixed in 15.1"))
    assert (values(state, "since"), values(state, "fixed_in")) == ({"14.2"}, {"15.1"})
    assert migrated(state) is state
    silent = migrated(quirk("some"))
    assert values(silent, "since") == set()
    assert open_steps(silent, STEPS) == []
    assert migrated(quirk(None)).fields == {}


def test_case_2_what_somebody_wrote_stands() -> None:
    """Before, after or beside the migration: theirs is left alone."""
    assert values(migrated(said(quirk(), "b-1", since="13")), "since") == {"13"}
    beside = migrated(merge(migrated(quirk()), said(quirk(), "b-1", since="13")))
    assert values(beside, "since") == {"13"}
    assert values(migrated(said(migrated(quirk()), "b-1", since="13")), "since") == {"13"}


def test_case_3_an_older_gitmem_replaces_the_source_meanwhile() -> None:
    """What comes of the newer value takes the place of what came of the older; if nothing does, it stays."""
    old = quirk()
    newer = merge(migrated(old), said(old, "b-1", versions="since 15"))
    assert values(migrated(newer), "since") == {"15"}
    vaguer = merge(migrated(old), said(old, "b-1", versions="some"))
    assert values(migrated(vaguer), "since") == {"14.2"}


def test_case_4_concurrent_sources_give_siblings() -> None:
    """Two values that wait for a person have two consequences, until one is picked."""
    old = quirk("all")
    both = migrated(merge(said(old, "a-1", versions="since 1"), said(old, "b-1", versions="since 2")))
    assert values(both, "since") == {"1", "2"}
    assert values(migrated(said(both, "a-1", versions="since 2.1")), "since") == {"2.1"}


def test_case_5_what_somebody_removed_stays_away() -> None:
    """A default that is not wanted does not come back."""
    assert values(migrated(said(migrated(quirk()), "b-1", since=None)), "since") == set()


def test_taking_back_and_again() -> None:
    """A rollback leaves what people wrote, is not undone by writing, and is by another run; the later of two wins."""
    done = said(migrated(quirk("since 1, fixed in 2")), "b-1", fixed_in="2.1")
    back = roll_back(done, STEPS)
    assert (values(back, "since"), values(back, "fixed_in")) == (set(), {"2.1"})
    assert migrated(back) is back
    assert roll_back(back, STEPS) is back
    again = migrated(back, again=True)
    assert values(again, "since") == {"1"}
    assert values(merge(again, back), "since") == {"1"}
    assert values(merge(done, back), "since") == set()
    assert merge(merge(done, back), again) == merge(done, merge(back, again))


def test_a_deleted_record_is_left_alone() -> None:
    """Nothing is worked out for what does not stand, and migrating revives nothing."""
    pen = Pen(quirk(), "b-1")
    pen.die()
    assert migrated(pen.state) is pen.state
    assert not merge(migrated(quirk()), pen.state).alive


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["versions", "since", "migrate", "again", "back", "pull"]),
        st.integers(0, 1),
        st.sampled_from(["since 1", "before 2", "some", None]),
    ),
    max_size=12,
)


@given(ACTS)
def test_two_replicas_agree_in_any_order(acts: list[tuple[str, int, str | None]]) -> None:
    """Whatever two replicas write and migrate, they merge to the same bytes, before and after another migration."""
    states = [quirk("all"), quirk("all")]
    for act, who, text in acts:
        if act in ("versions", "since"):
            states[who] = said(states[who], f"{'bc'[who]}-1", **{act: text})
        elif act == "pull":
            states[who] = merge(states[who], states[1 - who])
        else:
            states[who] = roll_back(states[who], STEPS) if act == "back" else migrated(states[who], again=act == "again")
    left, right = states
    assert emit(merge(left, right)) == emit(merge(right, left))
    assert emit(migrated(merge(left, right))) == emit(migrated(merge(right, left)))
    assert merge(migrated(left), migrated(right)) == merge(merge(migrated(left), right), merge(left, migrated(right)))
    ended = migrated(merge(left, right))
    assert migrated(ended) is ended
    assert parse(emit(ended), "test") == ended
