"""From a kind's JSON Schema to its fields.

An object with declared properties is a group: `problem: {message}` is stored as the register `problem.message`, so that two
people can change two members of it at once. Lists and free objects are leaves, one value each. What a schema says beyond JSON
Schema stands under `x-gitmem`.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from gitmem.core.record import RESERVED

ANNOTATION: Final = "x-gitmem"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST: Final = 128  # what a record file allows as the name of a register
_SCALARS: Final = frozenset({"string", "number", "integer", "boolean"})
_JSON_TYPES: Final = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_NOTES: Final = frozenset({"secret", "merge", "weight"})

Schema = dict[str, Any]


class SchemaProblem(ValueError):
    """Why a schema cannot describe a kind, in words for its author."""


class FieldSpec(NamedTuple):
    """What is known of one field.

    `name` is dotted; `types` are the JSON types it accepts (empty: any); `secret` values are encrypted; `merge` is "field" (one
    value, concurrent ones wait for a person) or "set" (elements come and go one by one); `weight` counts its words in search,
    0 to 10; `required` means that no record may lack it.
    """

    name: str
    types: tuple[str, ...]
    secret: bool
    merge: str
    weight: float
    description: str
    required: bool


def fields_of(schema: Schema) -> dict[str, FieldSpec]:
    """Every field by its dotted name, in the order of the schema. Raises SchemaProblem. References must have been checked."""
    fields: dict[str, FieldSpec] = {}
    _flatten(schema, schema, "", True, fields)
    return fields


def resolve(schema: Schema, node: object) -> Schema:
    """`node` with its `$ref` followed; what stands beside the reference wins."""
    found = mapping(node, "a property")
    while "$ref" in found:
        target = mapping(schema["$defs"][found["$ref"].removeprefix("#/$defs/")], found["$ref"])
        found = {**target, **{key: value for key, value in found.items() if key != "$ref"}}
    return found


def types_of(schema: Schema, node: object) -> tuple[str, ...]:
    """The JSON types that a value of `node` may have, in the schema's order; empty if it does not say."""
    if isinstance(node, bool):
        return ()
    found = resolve(schema, node)
    if "type" in found:
        return tuple(map(str, found["type"] if isinstance(found["type"], list) else [found["type"]]))
    if "const" in found:
        return (json_type(found["const"]),)
    if "enum" in found:
        return tuple(dict.fromkeys(json_type(value) for value in _listed(found["enum"], "an enum")))
    branches = [types_of(schema, branch) for branch in _listed(found.get("anyOf", found.get("oneOf", [])), "anyOf")]
    return tuple(dict.fromkeys(name for branch in branches for name in branch)) if all(branches) else ()


def json_type(value: object) -> str:
    """The JSON Schema name of a value's type."""
    return _JSON_TYPES.get(type(value), "null")


def mapping(value: object, where: str) -> Schema:
    """`value` as a mapping. Raises SchemaProblem if it is none."""
    if not isinstance(value, dict):
        raise SchemaProblem(f"{where} must be a mapping")
    return value


def _listed(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SchemaProblem(f"{where} must be a list")
    return value


def is_group(node: Schema) -> bool:
    """Whether a property's members are fields of their own."""
    return node.get("type") == "object" and "properties" in node


def _flatten(schema: Schema, node: Schema, prefix: str, needed: bool, fields: dict[str, FieldSpec]) -> None:
    where = prefix.rstrip(".") or "the schema"
    if node.get("type") != "object" or node.get("additionalProperties") is not False:
        raise SchemaProblem(f'{where} needs "type": "object" and "additionalProperties": false: misspelt keys are refused')
    properties = mapping(node.get("properties"), f'"properties" of {where}')
    required = _required(node, where, properties)
    for name, raw in properties.items():
        _check_name(prefix + name, name)
        inner = resolve(schema, raw)
        if is_group(inner):
            _check_group(prefix + name, inner, name in required)
            _flatten(schema, inner, f"{prefix}{name}.", needed and name in required, fields)
        else:
            fields[prefix + name] = _spec(schema, prefix + name, inner, needed and name in required)


def _required(node: Schema, where: str, properties: Schema) -> list[str]:
    required = _listed(node.get("required", []), f'"required" of {where}')
    for name in required:
        if not isinstance(name, str) or name not in properties:
            raise SchemaProblem(f'"required" of {where} names {str(name)[:40]!r}, which is no property')
    return required


def _check_name(dotted: str, name: str) -> None:
    if not _NAME.fullmatch(name) or dotted in RESERVED or len(dotted) > _LONGEST:
        why = f"lower-case letters, digits and _, at most {_LONGEST} characters, and no word that YAML reads as a boolean"
        raise SchemaProblem(f"the name of property {dotted[:80]!r} must be {why}")


def _check_group(name: str, node: Schema, required: bool) -> None:
    if ANNOTATION in node:
        raise SchemaProblem(f"{name}: {ANNOTATION} belongs to each of its properties")
    # An empty group leaves nothing behind, so what was accepted would be refused when it is read back.
    if required and not (node.get("required") or node.get("minProperties")):
        raise SchemaProblem(f'{name} is required: give it "minProperties": 1 or required properties of its own')


def _spec(schema: Schema, name: str, node: Schema, required: bool) -> FieldSpec:
    notes = mapping(node.get(ANNOTATION, {}), f"{ANNOTATION} of {name}")
    if unknown := notes.keys() - _NOTES:
        raise SchemaProblem(f"{ANNOTATION} of {name} knows secret, merge and weight, not {min(unknown)[:40]!r}")
    secret, merge, weight = notes.get("secret", True), notes.get("merge", "field"), notes.get("weight", 1)
    if not isinstance(secret, bool):
        raise SchemaProblem(f"{ANNOTATION} of {name}: secret must be true or false")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 10:
        raise SchemaProblem(f"{ANNOTATION} of {name}: weight must be a number from 0 to 10")
    if merge not in ("field", "set"):
        raise SchemaProblem(f'{ANNOTATION} of {name}: merge must be "field" or "set"')
    if merge == "set":
        _check_set(schema, name, node, required)
    return FieldSpec(name, types_of(schema, node), secret, merge, float(weight), str(node.get("description", "")), required)


def _check_set(schema: Schema, name: str, node: Schema, required: bool) -> None:
    elements = types_of(schema, node.get("items", {}))
    if node.get("type") != "array" or not elements or not _SCALARS.issuperset(elements):
        raise SchemaProblem(f"{name} is a set: it must be a list whose items are text, numbers or booleans")
    if required and not node.get("minItems"):
        raise SchemaProblem(f'{name} is required: give it "minItems": 1, an empty set leaves nothing behind')
