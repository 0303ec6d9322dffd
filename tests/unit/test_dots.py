"""Dots and how registers spell them."""

from __future__ import annotations

import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.dots import Dot, checked, dot_of, json_line, key_for, short_hash, spell, too_deep
from gitmem.core.record import Json
from tests.unit.strategies import EPOCHS, json_values

TOKEN = "ENC[1-9f3a1c07,AAAA]"
sealed = st.builds("ENC[{},{}]".format, st.sampled_from(EPOCHS), st.sampled_from(["AA", "BB", "__"]))


@pytest.mark.parametrize("key", ["k3v9q2xa-1.3", "k3v9q2xa-1.3~9f3a1c07", "k3v9q2xa-1.3#5b0e77aa"])
def test_a_key_spells_its_dot(key: str) -> None:
    """In each of the three spellings."""
    assert dot_of(key) == Dot("k3v9q2xa-1", 3)
    assert str(dot_of(key)) == "k3v9q2xa-1.3"


@pytest.mark.parametrize(
    "key", ["", "a-1", "a.1", "a-1.0", "a-1.01", "a-1.-1", "a-1.1~", "a-1.1~ABCDEF01", "a-1.1~9f3a1c0", "a-1.1\n", "-.1"]
)
def test_anything_else_is_no_dot(key: str) -> None:
    """Nothing is read into a misspelt key."""
    with pytest.raises(ValueError, match="is not a dot"):
        dot_of(key)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"b": [1, 2.5], "a": None}, '{"a":null,"b":[1,2.5]}'),
        ("grüße\n\x7f\u2028", '"grüße\\n\\u007f\\u2028"'),
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
    ],
)
def test_a_value_has_one_spelling(value: Json, line: str) -> None:
    """Sorted, tight, readable, nothing that folds a line."""
    assert json_line(value) == line


@given(json_values())
def test_equal_spellings_are_equal_values(value: Json) -> None:
    """The spelling tells values apart that Python calls equal, and no others."""
    assert json_line(json.loads(json_line(value))) == json_line(value)
    assert "\n" not in json_line(value)
    assert not too_deep(value)


def test_the_check_covers_value_and_place() -> None:
    """SHA-256 of path and value, joined by NUL (computed with sha256sum)."""
    assert short_hash("fields/fix", '"use a token"') == "38f32ff6"
    assert checked("fields/fix", "a-1.1", "use a token") == "a-1.1~38f32ff6"
    assert len({checked(path, "a-1.1", value) for path in ("fields/fix", "sets/fix/e2") for value in (1, 1.0, True, "1")}) == 8


def test_a_sealed_value_needs_no_check() -> None:
    """It authenticates itself."""
    assert key_for("fields/fix", "a-1.1", TOKEN) == "a-1.1"
    assert key_for("fields/fix", "a-1.1", [TOKEN]) == checked("fields/fix", "a-1.1", [TOKEN])


def test_values_under_one_dot_are_spelled_by_what_they_are() -> None:
    """Sealed ones of the highest epoch, the smallest bare; values in the clear beside them with their checks."""
    values: list[Json] = ["ENC[2-00000000,BBBB]", "x", "ENC[1-9f3a1c07,AAAA]", "ENC[2-00000000,CCCC]", 1]
    wanted = {
        "a-1.1": "ENC[2-00000000,BBBB]",
        "a-1.1#f384e3ed": "ENC[2-00000000,CCCC]",
        checked("fields/fix", "a-1.1", 1): 1,
        checked("fields/fix", "a-1.1", "x"): "x",
    }
    for order in permutations(values):
        assert spell("fields/fix", Dot("a-1", 1), order) == wanted


def test_life_needs_no_check() -> None:
    """Its two words are spelled like sealed values, without checks."""
    assert spell("life", Dot("a-1", 1), ["dead"]) == {"a-1.1": "dead"}
    assert spell("life", Dot("a-1", 1), ["dead", "alive"]) == {"a-1.1": "alive", "a-1.1#0453462f": "dead"}


@given(st.lists(sealed | json_values(), min_size=1, max_size=6), st.integers(0, 6))
def test_spelling_in_two_steps_is_spelling_at_once(values: list[Json], cut: int) -> None:
    """What makes a merge associative where one dot has several values."""
    dot = Dot("a-1", 1)
    first, second = (list(spell("fields/x", dot, part).values()) for part in (values[:cut], values[cut:]))
    assert spell("fields/x", dot, [*first, *second]) == spell("fields/x", dot, values)
