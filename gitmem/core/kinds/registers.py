"""Between the nested values people write and the flat registers a record keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitmem.core.kinds.shape import FieldSpec
from gitmem.core.record import Json

Fields = dict[str, Json]
Sets = dict[str, list[Json]]


def groups_of(fields: Mapping[str, FieldSpec]) -> frozenset[str]:
    """The dotted names of the objects whose members are fields."""
    parts = [name.split(".") for name in fields]
    return frozenset(".".join(path[:end]) for path in parts for end in range(1, len(path)))


def split(fields: Mapping[str, FieldSpec], groups: frozenset[str], values: Mapping[str, Any]) -> tuple[Fields, Sets]:
    """Registers of nested `values`: (dotted field -> value, set field -> elements, each once and in the order given).

    A group with nothing in it and an empty set leave nothing. What is not known is a field under the name it has.
    """
    found: Fields = {}
    sets: Sets = {}
    for name, value in _flat(groups, values, ""):
        if name in fields and fields[name].merge == "set" and isinstance(value, list):
            if value:
                sets[name] = unique(value)
        else:
            found[name] = value
    return found, sets


def _flat(groups: frozenset[str], values: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if at + key in groups and isinstance(value, dict):
            yield from _flat(groups, value, f"{at}{key}.")
        else:
            yield at + key, value


def unique(elements: list[Json]) -> list[Json]:
    """Scalars without repetition; `true` and `1` are two values, as they are in JSON."""
    return list({(isinstance(element, bool), element): element for element in elements}.values())


def join(
    fields: Mapping[str, FieldSpec], groups: frozenset[str], found: Mapping[str, Json], sets: Mapping[str, list[Json]]
) -> dict[str, Any]:
    """Nested values of registers, in the order of the schema: the inverse of `split`.

    Registers that are not known (a newer schema wrote them) come last, under their dotted names. So do the members of a group
    whose own name holds a value: nothing that is stored may be hidden.
    """
    registers: dict[str, Any] = {**found, **sets}
    taken = groups & registers.keys()
    nested: dict[str, Any] = {}
    for name in [*(known for known in fields if known in registers), *sorted(registers.keys() - fields.keys())]:
        *path, leaf = name.split(".") if name in fields else [name]
        if any(".".join(path[:end]) in taken for end in range(1, len(path) + 1)):
            path, leaf = [], name
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[leaf] = registers[name]
    return nested
