"""What a schema may refer to, and how large it may become.

A team's schemas come with the repository, from whoever can push. They must neither make a validator fetch anything nor make it
work without end, so references lead only to the schema's own `$defs`, never in a circle, and the schema with every reference
written out stays small.
"""

from __future__ import annotations

from typing import Final

from gitmem.core.kinds.shape import Schema, SchemaProblem, mapping

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_DEPTH: Final = 40
MAX_NODES: Final = 10_000
_DEFS: Final = "#/$defs/"
# These name or change what references mean; a schema of one file has no need of them.
_REFUSED: Final = frozenset({"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"})


def check_references(schema: Schema) -> None:
    """Raise SchemaProblem if `schema` refers to anything but its own definitions, to itself, or is too deep or too large."""
    measure = _Measure(mapping(schema.get("$defs", {}), '"$defs"'))
    for name in measure.defs:
        measure.reference(_DEFS + name, 1)
    measure.size({key: value for key, value in schema.items() if key != "$defs"}, 0)


class _Measure:
    """Sizes (nodes, height) of parts of a schema as they are when every reference is written out."""

    def __init__(self, defs: Schema) -> None:
        self.defs = defs
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()

    def size(self, node: object, depth: int) -> tuple[int, int]:
        if depth > MAX_DEPTH:
            raise SchemaProblem(f"it is nested more than {MAX_DEPTH} levels deep")
        if not isinstance(node, dict | list):
            return 1, 0
        parts = [self.size(child, depth + 1) for child in (node.values() if isinstance(node, dict) else node)]
        if isinstance(node, dict):
            _check_keywords(node)
            if "$ref" in node:
                parts.append(self.reference(node["$ref"], depth + 1))
        nodes, height = 1 + sum(n for n, _ in parts), 1 + max((h for _, h in parts), default=0)
        if nodes > MAX_NODES or depth + height > MAX_DEPTH:
            raise SchemaProblem(f"written out it has more than {MAX_NODES:,} parts or {MAX_DEPTH} levels")
        return nodes, height

    def reference(self, ref: object, depth: int) -> tuple[int, int]:
        name = ref.removeprefix(_DEFS) if isinstance(ref, str) and ref.startswith(_DEFS) else ""
        if not name.isidentifier() or name not in self.defs:
            raise SchemaProblem(f'"$ref" may only name its own definitions ("{_DEFS}name"); nothing is ever fetched')
        if name in self._open:
            raise SchemaProblem(f"{_DEFS}{name} leads back to itself")
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.size(self.defs[name], depth)
            self._open.remove(name)
        return self._known[name]


def _check_keywords(node: Schema) -> None:
    if refused := _REFUSED & node.keys():
        raise SchemaProblem(f'"{min(refused)}" is not used here: a schema refers only to its own definitions')
    if node.get("$schema", DIALECT) != DIALECT:
        raise SchemaProblem(f'"$schema" must be "{DIALECT}"')
