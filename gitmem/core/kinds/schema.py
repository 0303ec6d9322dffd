"""Kinds: what a record of one kind may hold.

A `Kind` is made from a parsed JSON Schema. It validates what people and programs give as nested values, and turns those into
the flat registers a record file keeps, and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gitmem.core.kinds import registers
from gitmem.core.kinds.complaint import complaint, place_of
from gitmem.core.kinds.identity_fields import identity_text
from gitmem.core.kinds.references import check_references
from gitmem.core.kinds.registers import Fields, Sets
from gitmem.core.kinds.shape import ANNOTATION, FieldSpec, Schema, SchemaProblem, fields_of, mapping
from gitmem.core.kinds.storable import flaw
from gitmem.core.nearest import one, printable
from gitmem.core.record import Json
from gitmem.errors import InvalidRecord

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_REGEX_BYTES: Final = 1 << 20  # the compiled size of one `pattern`; the engine itself is linear-time


def unknown_kind(name: str, version: int) -> Kind:
    """A kind to show records with whose schema is not at hand: every register keeps its dotted name, nothing can be checked."""
    nothing = {"type": "object", "additionalProperties": False, "properties": {"text": {"type": "string"}}}
    return Kind(name, version, {**nothing, ANNOTATION: {"prefix": name[0], "title": "text"}})


class Kind:
    """One version of one kind.

    `name`, `version`; `prefix`: the letter its ids begin with; `identity_fields`: the dotted fields that make two records the
    same one; `headline`: the dotted field to show as its title; `title`, `description`; `fields`: dotted name -> FieldSpec, in
    the schema's order; `schema`: the schema itself, not to be changed.
    """

    def __init__(self, name: str, version: int, schema: object, origin: str = "") -> None:
        """`origin` names the schema's file in errors.

        Raises InvalidRecord if `schema` cannot describe a kind; whether it is valid JSON Schema as well, `compile` tells.
        """
        self.name, self.version, self._origin = name, version, origin
        self._validator: Draft202012Validator | None = None
        try:
            self.schema: Schema = mapping(schema, "it")
            check_references(self.schema)
            self.fields: dict[str, FieldSpec] = fields_of(self.schema)
            self._groups = registers.groups_of(self.fields)
            self._read_annotation(mapping(self.schema.get(ANNOTATION), f'"{ANNOTATION}" at the top'))
        except SchemaProblem as problem:
            raise self._unusable(str(problem)) from None
        self.title = str(self.schema.get("title", name))
        self.description = str(self.schema.get("description", ""))

    def _unusable(self, why: str) -> InvalidRecord:
        hint = f"correct {self._origin}; docs/kinds.md says how a kind is described" if self._origin else ""
        return InvalidRecord(f"the schema of kind '{self.name}' version {self.version} cannot be used: {printable(why)}", hint)

    def _read_annotation(self, notes: Schema) -> None:
        prefix, headline, identity = notes.get("prefix"), notes.get("title"), notes.get("identity", [])
        if unknown := notes.keys() - {"prefix", "title", "identity"}:
            raise SchemaProblem(f"{ANNOTATION} at the top knows prefix, title and identity, not {min(unknown)[:40]!r}")
        if not (isinstance(prefix, str) and len(prefix) == 1 and "a" <= prefix <= "z"):
            raise SchemaProblem(f"{ANNOTATION}: prefix must be one lower-case letter")
        if not isinstance(headline, str) or headline not in self.fields:
            raise SchemaProblem(f"{ANNOTATION}: title must name the field that is shown as the headline")
        if not isinstance(identity, list) or not all(isinstance(name, str) for name in identity):
            raise SchemaProblem(f"{ANNOTATION}: identity must be a list of fields")
        for name in identity:
            if name not in self.fields or self.fields[name].types != ("string",):
                raise SchemaProblem(f"{ANNOTATION}: identity names {name[:40]!r}, which is no text field")
        self.prefix, self.headline, self.identity_fields = prefix, headline, tuple(identity)

    def compile(self) -> Draft202012Validator:
        """The validator, built at the first call. Raises InvalidRecord if the schema is not valid JSON Schema 2020-12."""
        if self._validator is None:
            from jsonschema_rs import Draft202012Validator, RegexOptions  # 25 ms, and reading needs none of it

            engine = RegexOptions(size_limit=_REGEX_BYTES)
            try:
                self._validator = Draft202012Validator(self.schema, validate_formats=True, pattern_options=engine, offline=True)
            except ValueError as error:
                why = str(error).partition("\n")[0][:200]
                raise self._unusable(f"it is not valid JSON Schema: {why}") from None
        return self._validator

    def validate(self, values: Any) -> None:
        """Return if the nested `values` are a record of this kind, else raise InvalidRecord naming the field and the fault."""
        validator = self.compile()
        fault = flaw(values)
        if fault is None and validator.is_valid(values):
            return
        # The library's own error quotes values, which are secret: it is read for its facts and never chained or shown.
        if fault:
            message = f"{place_of(self.name, self.schema, fault[0])} {fault[1]}"
        else:
            message = complaint(self.name, self.schema, self.fields, validator.iter_errors(values))
        names = ", ".join(self.schema["properties"])
        raise InvalidRecord(message, f"{one(self.name)} may have: {names}; see docs/kinds.md or `gitmem learn --help`")

    def split(self, values: dict[str, Any]) -> tuple[Fields, Sets]:
        """Registers of valid nested `values`: (dotted field -> value, set field -> elements); see `core.kinds.registers`."""
        return registers.split(self.fields, self._groups, values)

    def join(self, fields: Mapping[str, Json], sets: Mapping[str, list[Json]]) -> dict[str, Any]:
        """Nested values of registers, the inverse of `split`; unknown registers keep their dotted names at the top."""
        return registers.join(self.fields, self._groups, fields, sets)

    def identity(self, values: dict[str, Any]) -> str | None:
        """The normalised identity of valid `values` (`core.kinds.identity_fields`), None if the record is like no other."""
        fields, _ = self.split(values)
        return identity_text([str(fields.get(name, "")) for name in self.identity_fields])

    def weights(self) -> dict[str, float]:
        """How much the words of each field count in search; fields that do not count are left out."""
        return {name: spec.weight for name, spec in self.fields.items() if spec.weight > 0}
