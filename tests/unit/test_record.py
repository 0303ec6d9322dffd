"""A record's state as a value."""

from __future__ import annotations

import pytest
from hypothesis import given

from gitmem.core.codec import emit
from gitmem.core.record import KIND, RECORD_ID, SCOPE, State, name_problem
from tests.unit.strategies import new_state, plain, states


@given(states())
def test_a_copy_is_independent(state: State) -> None:
    """Whatever is done to a copy, the original keeps its bytes."""
    before, copy = emit(state), state.copy()
    assert copy == state
    for _, register in copy.registers():
        register.clear()
    for container in (copy.seen, copy.life, copy.last, *copy.counts.values(), *copy.sets.values(), copy.fields, copy.counts):
        container.clear()  # type: ignore[attr-defined]
    assert emit(state) == before


@pytest.mark.parametrize(
    ("life", "alive", "contested"),
    [
        ({}, True, False),
        ({"a-1.1": "alive"}, True, False),
        ({"a-1.1": "dead"}, False, False),
        ({"a-1.1": "dead", "b-1.1": "dead"}, False, False),
        ({"a-1.1": "alive", "b-1.1": "alive"}, True, False),
        ({"a-1.1": "dead", "b-1.1": "alive"}, True, True),
        ({"a-1.1": "alive", "a-1.1#0453462f": "dead"}, True, True),
    ],
)
def test_life(life: dict[str, str], alive: bool, contested: bool) -> None:
    """An edit outlives a deletion at the same time; a fragment of counters stands for no deletion."""
    state = new_state()
    state.life = dict(life)
    assert state.alive is alive
    assert state.contested is contested


def test_registers_have_paths() -> None:
    """Fields by name, set elements by name and key; life is not among them."""
    state = plain(**{"problem.message": "x"})
    state.sets = {"tags": {"eaa": {"a-1.2": "y"}}}
    state.life = {"a-1.3": "alive"}
    assert [path for path, _ in state.registers()] == ["fields/problem.message", "sets/tags/eaa"]


def test_total_sums_over_writers() -> None:
    """A counter nobody raised is nought."""
    state = new_state()
    state.counts = {"fixed": {"a-1": 2, "a-2": 3, "b-1": 5}}
    assert state.total("fixed") == 10
    assert state.total("failed") == 0


@pytest.mark.parametrize(
    ("shape", "name", "problem"),
    [
        (KIND, "pattern", None),
        (SCOPE, "member/ada", None),
        (RECORD_ID, "p-3k7q", None),
        (KIND, "Pattern", "is not of the form"),
        (SCOPE, "../x", "is not of the form"),
        (SCOPE, "team\n", "is not of the form"),
        (SCOPE, "team/on", "reads as a boolean"),
        (KIND, "null", "reads as a boolean"),
        (RECORD_ID, "x" * 200, "is not of the form"),
    ],
)
def test_name_problems(shape: object, name: str, problem: str | None) -> None:
    """Names become paths: the reason is given, short, and safe to print."""
    found = name_problem("name", name, shape)  # type: ignore[arg-type]
    assert (found is None) if problem is None else (found is not None and problem in found and found.isprintable())
    assert found is None or len(found) < 200
