"""Nested values and flat registers are two spellings of one record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.kinds.identity_fields import identity_text, normalised
from gitmem.core.kinds.schema import Kind
from gitmem.store.kinds import Kinds

KINDS = Kinds()
DEEP = Kind(
    "incident",
    1,
    {
        "x-gitmem": {"prefix": "i", "title": "what", "identity": ["what", "where.host.name"]},
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "what": {"type": "string"},
            "where": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "region": {"enum": ["eu", 1, None]},
                    "host": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"name": {"type": "string"}, "cpus": {"type": "integer"}},
                    },
                    "seen": {"type": "array", "items": {"type": ["integer", "boolean"]}, "x-gitmem": {"merge": "set"}},
                },
            },
            "raw": {"type": "object", "x-gitmem": {"secret": False, "weight": 0}},
        },
    },
)

scalars = st.none() | st.booleans() | st.integers() | st.text()
leaves = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def registers(kind: Kind) -> st.SearchStrategy[tuple[dict[str, Any], dict[str, list[Any]]]]:
    """Any registers a record of `kind` may have, some of them from a schema nobody here knows."""
    single = [name for name, spec in kind.fields.items() if spec.merge == "field"]
    sets = [name for name, spec in kind.fields.items() if spec.merge == "set"]
    unknown = st.sampled_from(["later", "where.later", "where.host.later", "problem.later", "later.still"])
    return st.tuples(
        st.dictionaries(st.sampled_from(single) | unknown, leaves),
        st.dictionaries(st.sampled_from(sets), st.lists(st.integers(2) | st.text() | st.booleans(), min_size=1, unique=True)),
    )


@given(st.sampled_from([DEEP, *map(KINDS.get, KINDS.names())]), st.data())
def test_split_is_the_inverse_of_join(kind: Kind, data: st.DataObject) -> None:
    """Registers survive the way through nested values, also those that this version does not know."""
    fields, sets = data.draw(registers(kind))
    assert kind.split(kind.join(fields, sets)) == (fields, sets)


def test_join_is_the_inverse_of_split() -> None:
    """Nested values survive the way through registers, in the order of the schema."""
    values = {"what": "x", "where": {"region": None, "host": {"name": "h", "cpus": 2}, "seen": [1, True]}, "raw": {"a": {}}}
    fields, sets = DEEP.split(values)
    assert fields == {"what": "x", "where.region": None, "where.host.name": "h", "where.host.cpus": 2, "raw": {"a": {}}}
    assert sets == {"where.seen": [1, True]}
    assert DEEP.join(dict(reversed(fields.items())), sets) == values
    assert list(DEEP.join(dict(reversed(fields.items())), sets)) == list(values)


def test_a_value_under_the_name_of_a_group_hides_nothing() -> None:
    """Where a later schema made one value of a group, the value and the old members are all shown."""
    fields: dict[str, Any] = {"where.host": "h1", "where.host.cpus": 2, "where.region": "eu"}
    joined = DEEP.join(fields, {})
    assert joined == {"where": {"region": "eu"}, "where.host": "h1", "where.host.cpus": 2}
    assert DEEP.split(joined) == (fields, {})


def test_empty_groups_and_sets_leave_nothing() -> None:
    """A register exists only where something was said; a set holds each element once."""
    assert DEEP.split({"where": {"host": {}, "seen": []}}) == ({}, {})
    assert DEEP.split({"where": {"seen": [1, True, 1, 0, False]}})[1] == {"where.seen": [1, True, 0, False]}


def test_the_fields_of_a_kind() -> None:
    """Groups are flattened, free objects are not, annotations have their defaults, types are read through unions."""
    assert list(DEEP.fields) == ["what", "where.region", "where.host.name", "where.host.cpus", "where.seen", "raw"]
    assert DEEP.fields["where.region"].types == ("string", "integer", "null")
    assert DEEP.fields["raw"]._asdict() == {
        "name": "raw",
        "types": ("object",),
        "secret": False,
        "merge": "field",
        "weight": 0.0,
        "description": "",
        "required": False,
    }
    assert DEEP.weights() == {name: 1.0 for name in DEEP.fields if name != "raw"}
    assert KINDS.get("pattern").fields["commands"].types == ("string", "array")
    assert KINDS.get("pattern").fields["pattern"].required


# These are frozen: an id made from another text would be another id.
IDENTITIES = [
    ("pattern", {"pattern": "  fatal:\tno \u00a0 upstream\r\n"}, "fatal: no upstream"),
    ("pattern", {"pattern": "cafe\u0301"}, "caf\u00e9"),
    ("pattern", {"pattern": "a\0b\u3000c\u2028d"}, "a b c d"),
    ("pattern", {"pattern": "zero\u200bwidth \x1c kept"}, "zero\u200bwidth \x1c kept"),
    ("solution", {"problem": {"error_type": "E1", "message": "no  luck"}}, "E1\0no luck"),
    ("solution", {"problem": {"message": "no luck"}}, "\0no luck"),
    ("solution", {"problem": {"error_type": " ", "context": "x"}}, None),
    ("quirk", {"service": "db", "quirk": "sleeps"}, "db\0sleeps"),
    ("decision", {"question": "x", "chosen_option": "y"}, None),
]


@pytest.mark.parametrize(("kind", "values", "text"), IDENTITIES)
def test_identity_is_frozen(kind: str, values: dict[str, Any], text: str | None) -> None:
    """The identity text of these records has been this one since the first version."""
    assert KINDS.get(kind).identity(values) == text


@given(st.lists(st.text(), max_size=3))
def test_identity_is_normal_and_unambiguous(values: list[str]) -> None:
    """Normalising twice changes nothing, and the joined text gives back its parts."""
    text = identity_text(values)
    parts = [normalised(value) for value in values]
    assert parts == [normalised(part) for part in parts]
    assert (text is None and not any(parts)) or (text is not None and text.split("\0") == parts)
