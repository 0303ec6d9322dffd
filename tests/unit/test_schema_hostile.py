"""A schema from someone else's hands either describes a kind or is refused with the reason; it never hangs or fetches."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.kinds.schema import Kind
from gitmem.errors import InvalidRecord

GOOD: dict[str, Any] = {
    "x-gitmem": {"prefix": "i", "title": "what", "identity": ["what"]},
    "type": "object",
    "additionalProperties": False,
    "required": ["what"],
    "properties": {"what": {"type": "string"}, "where": {"$ref": "#/$defs/place"}},
    "$defs": {"place": {"type": "object", "additionalProperties": False, "properties": {"host": {"type": "string"}}}},
}


def changed(*path: str, to: Any) -> dict[str, Any]:
    """The good schema with one part replaced, or removed if `to` is Ellipsis."""
    schema = copy.deepcopy(GOOD)
    node = schema
    for step in path[:-1]:
        node = node.setdefault(step, {})
    if to is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return schema


def refusal(schema: object) -> str:
    """Why a schema is refused, be it at once or when it is compiled."""
    with pytest.raises(InvalidRecord) as caught:
        Kind("incident", 3, schema, "incident.json").compile()
    message, start = caught.value.message, "the schema of kind 'incident' version 3 cannot be used: "
    assert message.startswith(start)
    assert "incident.json" in caught.value.hint
    return message.removeprefix(start)


def test_the_good_one_is_good() -> None:
    """What the refusals below start from is accepted, and references are followed."""
    kind = Kind("incident", 1, GOOD)
    kind.validate({"what": "x", "where": {"host": "h"}})
    assert list(kind.fields) == ["what", "where.host"]


SHAPES = [
    ([], "it must be a mapping"),
    (changed("type", to=...), 'the schema needs "type": "object"'),
    (changed("additionalProperties", to=...), 'the schema needs "type": "object" and "additionalProperties": false'),
    (changed("additionalProperties", to=True), 'the schema needs "type": "object" and "additionalProperties": false'),
    (changed("$defs", "place", "additionalProperties", to={}), 'where needs "type": "object" and "additionalProperties"'),
    (changed("properties", to=...), '"properties" of the schema must be a mapping'),
    (changed("properties", "on", to={}), "the name of property 'on' must be"),
    (changed("properties", "a.b", to={}), "the name of property 'a.b' must be"),
    (changed("properties", "../x", to={}), "the name of property '../x' must be"),
    (changed("properties", "x", to=True), "a property must be a mapping"),
    (changed("required", to="what"), '"required" of the schema must be a list'),
    (changed("required", to=["nothing"]), "names 'nothing', which is no property"),
    (changed("required", to=["where"]), 'where is required: give it "minProperties"'),
    (changed("x-gitmem", to=...), '"x-gitmem" at the top must be a mapping'),
    (changed("x-gitmem", "prefix", to="PP"), "prefix must be one lower-case letter"),
    (changed("x-gitmem", "identiy", to=["what"]), "knows prefix, title and identity, not 'identiy'"),
    (changed("x-gitmem", "title", to="nothing"), "title must name the field"),
    (changed("x-gitmem", "title", to=["what"]), "title must name the field"),
    (changed("x-gitmem", "identity", to="what"), "identity must be a list"),
    (changed("x-gitmem", "identity", to=["where"]), "identity names 'where', which is no text field"),
    (changed("$defs", "place", "x-gitmem", to={"weight": 1}), "where: x-gitmem belongs to each of its properties"),
    (changed("properties", "what", "x-gitmem", to={"secert": False}), "knows secret, merge and weight, not 'secert'"),
    (changed("properties", "what", "x-gitmem", to={"secret": 0}), "secret must be true or false"),
    (changed("properties", "what", "x-gitmem", to={"weight": 11}), "weight must be a number from 0 to 10"),
    (changed("properties", "what", "x-gitmem", to={"weight": True}), "weight must be a number from 0 to 10"),
    (changed("properties", "what", "x-gitmem", to={"merge": "counter"}), 'merge must be "field" or "set"'),
    (changed("properties", "what", "x-gitmem", to={"merge": "set"}), "what is a set: it must be a list whose items"),
]


@pytest.mark.parametrize(("schema", "why"), SHAPES, ids=lambda v: v if isinstance(v, str) else "")
def test_what_cannot_describe_a_kind(schema: object, why: str) -> None:
    """Shape and annotations are checked, since a misspelt `secret` would otherwise be silently ignored."""
    assert why in refusal(schema)


def test_a_required_set_must_not_be_empty() -> None:
    """What was accepted must be accepted when it is read back, where an empty set has left nothing."""
    tags: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "x-gitmem": {"merge": "set"}}
    schema = changed("properties", "what", to={"type": "string"})
    schema["properties"]["tags"] = tags
    schema["required"] = ["tags"]
    assert 'tags is required: give it "minItems": 1' in refusal(schema)
    tags["minItems"] = 1
    Kind("incident", 1, schema).compile()


JSON_SCHEMA = [
    (changed("properties", "what", "maxLength", to="x"), "it is not valid JSON Schema"),
    (changed("properties", "x", to={"type": "strin"}), "it is not valid JSON Schema"),
    (changed("properties", "what", "pattern", to="("), "it is not valid JSON Schema"),
    (changed("properties", "what", "pattern", to="(?=x)"), "it is not valid JSON Schema"),
    (changed("properties", "what", "pattern", to="((a{1000}){1000}){1000}"), "it is not valid JSON Schema"),
    (changed("$schema", to="http://json-schema.org/draft-07/schema#"), '"$schema" must be'),
    (changed("$schema", to="http://127.0.0.1:9/schema"), '"$schema" must be'),
    (changed("properties", "what", "$ref", to="http://127.0.0.1:9/x"), "nothing is ever fetched"),
    (changed("properties", "what", "$ref", to="file:///etc/passwd"), "nothing is ever fetched"),
    (changed("properties", "what", "$ref", to="#"), "nothing is ever fetched"),
    (changed("properties", "what", "$ref", to="#/$defs/nothing"), "nothing is ever fetched"),
    (changed("properties", "what", "$ref", to=["#/$defs/place"]), "nothing is ever fetched"),
    (changed("properties", "what", "$dynamicRef", to="#x"), '"$dynamicRef" is not used here'),
    (changed("properties", "what", "$id", to="http://127.0.0.1:9/"), '"$id" is not used here'),
    (changed("$defs", "place", to={"not": {"$ref": "#/$defs/place"}}), "#/$defs/place leads back to itself"),
    (changed("$defs", to=[]), '"$defs" must be a mapping'),
]


@pytest.mark.parametrize(("schema", "why"), JSON_SCHEMA, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_not_our_json_schema(schema: object, why: str) -> None:
    """Only the one dialect, only its own definitions, no circle, and expressions that match in linear time."""
    assert why in refusal(schema)


def test_deep_and_exploding_schemas_are_refused_at_once() -> None:
    """Neither depth nor references that multiply at each step cost more than the check; to write them out would not end."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        deep = {"not": deep}
    exploding: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 20} for n in range(8)}
    chain: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(800)}
    assert "levels deep" in refusal(changed("properties", "what", to=deep))
    assert "written out it has more than" in refusal(changed("$defs", to={**exploding, "d8": {"type": "string"}}))
    assert "leve" in refusal(changed("$defs", to={**chain, "d800": {"type": "string"}}))


def test_matching_is_linear() -> None:
    """An expression that would take a backtracking engine longer than the universe has lasted comes to an end."""
    kind = Kind("incident", 1, changed("properties", "what", "pattern", to="^(a+)+$"))
    with pytest.raises(InvalidRecord, match="breaks the schema's 'pattern'"):
        kind.validate({"what": "a" * 50_000 + "b"})


KEYWORDS = ["type", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "allOf", "not", "if", "then"]
KEYWORDS += ["enum", "const", "pattern", "format", "minItems", "minLength", "$ref", "$defs", "description", "patternProperties"]
WORDS = ["x-gitmem", "merge", "set", "secret", "weight", "string", "array", "object", "number", "what", "where", "host"]
words = st.sampled_from([*KEYWORDS, *WORDS, "#/$defs/place", "a/b~c%25", "(", "\x1b[2J"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 99) | words | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


def parts(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [pair for key, child in list(items) for pair in [(node, key), *parts(child)]]


@given(st.data())
def test_any_schema_is_a_kind_or_refused(data: st.DataObject) -> None:
    """Whatever stands in a schema and whatever is then validated by it, the outcome is an answer and never a crash."""
    schema = changed(
        "properties", "more", to={"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/place"}}]}
    )
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(parts(schema)))
        container[key] = data.draw(anything)
    try:
        kind = Kind("incident", 1, schema)
        kind.validate(data.draw(st.dictionaries(st.sampled_from(["what", "where", "more"]), anything)))
    except InvalidRecord as refused:
        error = refused
    else:
        return
    assert error.message.isprintable()
