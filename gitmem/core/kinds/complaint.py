"""What is wrong with a record, in plain words.

Values are secret, so no message repeats one: it names fields, types and limits, which are the schema's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from gitmem.core.kinds.shape import FieldSpec, Schema, json_type, types_of
from gitmem.core.nearest import nearest, one, printable, shown

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_WORDS: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of names to values",
    "null": "null",
}
_FIRST: Final = {"additionalProperties": 0, "required": 1}
_FORMATS: Final = {"date-time": "a date and time like 2026-11-20T10:00:00Z", "date": "a date like 2026-11-20"}

_LIMITS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "maxLength": lambda rule: f"must have at most {rule['limit']:,} characters",
    "minLength": lambda rule: _at_least(rule["limit"], "characters"),
    "maxItems": lambda rule: f"must have at most {rule['limit']:,} entries",
    "minItems": lambda rule: _at_least(rule["limit"], "entries"),
    "maxProperties": lambda rule: f"must have at most {rule['limit']:,} entries",
    "minProperties": lambda rule: _at_least(rule["limit"], "entries"),
    "maximum": lambda rule: f"must be at most {rule['limit']}",
    "minimum": lambda rule: f"must be at least {rule['limit']}",
    "exclusiveMaximum": lambda rule: f"must be less than {rule['limit']}",
    "exclusiveMinimum": lambda rule: f"must be more than {rule['limit']}",
    "uniqueItems": lambda _: "must not name anything twice",
    "enum": lambda rule: f"must be one of: {', '.join(map(str, rule['options']))[:200]}",
    "format": lambda rule: f"must be {_FORMATS.get(rule['format'], 'a valid ' + rule['format'])}",
}


def complaint(kind: str, schema: Schema, fields: Mapping[str, FieldSpec], errors: Iterable[ValidationError]) -> str:
    """One sentence on the most telling of `errors` (never empty), which jsonschema_rs found in a record of `kind`."""
    error = _innermost(min(errors, key=_rank))
    rule, node = error.kind.as_dict(), _node(schema, error.schema_path[:-1])
    place = place_of(kind, schema, error.instance_path)
    if error.kind.name == "additionalProperties":
        word = str(rule["unexpected"][0])
        known = fields if not error.instance_path else {}
        return f"unknown field {shown(word)} of {place}" + _suggestion(word, node.get("properties", {}), known)
    if error.kind.name == "required":
        return f"{place} needs '{rule['property']}'"
    return f"{place} {printable(_sentence(error, rule, schema, node, fields))[:300]}"


def place_of(kind: str, schema: Schema, path: Iterable[str | int]) -> str:
    """A path into a record in words: 'path' of entry 1 of 'files' of a pattern. Keys that no schema declares stay unnamed."""
    declared = set(_declared(schema))
    words, names = one(kind), ""
    for step in path:
        if isinstance(step, int):
            words, names = f"entry {step + 1} of {_named(names, words)}", ""
        elif step in declared:
            names = f"{names}.{step}" if names else step
        else:
            words, names = f"a value in {_named(names, words)}", ""
    return _named(names, words)


def _at_least(limit: int, what: str) -> str:
    return "must not be empty" if limit == 1 else f"must have at least {limit:,} {what}"


def _named(names: str, words: str) -> str:
    return f"'{names}' of {words}" if names else words


def _declared(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties")
        yield from properties if isinstance(properties, dict) else ()
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _declared(child)


def _rank(error: ValidationError) -> tuple[int, int]:
    return _FIRST.get(error.kind.name, 2), -len(error.instance_path)


def _innermost(error: ValidationError) -> ValidationError:
    """The error inside the one alternative of `error` whose type fits the value, or `error` itself if that is not one."""
    branches: list[list[ValidationError]] = error.kind.as_dict().get("context", [])
    fitting = [b for b in branches if b and not any(_mistyped(inner, error) for inner in b)]
    return _innermost(min(fitting[0], key=_rank)) if len(fitting) == 1 else error


def _mistyped(inner: ValidationError, outer: ValidationError) -> bool:
    return inner.kind.name == "type" and len(inner.instance_path) == len(outer.instance_path)


def _node(schema: Schema, path: Iterable[str | int]) -> Schema:
    node: Any = schema
    for step in path:
        node = node[step]
    return node if isinstance(node, dict) else {}


def _suggestion(word: str, level: Schema, fields: Mapping[str, FieldSpec]) -> str:
    """Where an unknown key probably belongs: a near name on its own level, or inside one of the groups."""
    if "." not in word and (near := nearest(word, level)):
        return f"; did you mean '{near}'?"
    inside = {name.rpartition(".")[2]: name for name in reversed(list(fields)) if "." in name}
    if near := nearest(word.rpartition(".")[2], inside):
        group, _, member = inside[near].rpartition(".")
        return f"; did you mean '{member}' inside '{group}'?"
    return ""


def _sentence(
    error: ValidationError, rule: dict[str, Any], schema: Schema, node: Schema, fields: Mapping[str, FieldSpec]
) -> str:
    if error.kind.name in _LIMITS:
        return _LIMITS[error.kind.name](rule)
    wanted = types_of(schema, node)
    if wanted and not _fits(error.instance, wanted):
        return f"must be {' or '.join(_WORDS.get(t, t) for t in wanted)}, not {_WORDS[json_type(error.instance)]}"
    if error.kind.name == "pattern" and rule["pattern"] == r"\S":
        return "must not be blank"
    spec = fields.get(".".join(str(step) for step in error.instance_path))
    described = node.get("description") or (spec.description if spec else "")
    return f"does not fit its description: {described}" if described else f"breaks the schema's {error.kind.name!r}"


def _fits(value: object, wanted: tuple[str, ...]) -> bool:
    found = json_type(value)
    return found in wanted or (found == "integer" and "number" in wanted)
