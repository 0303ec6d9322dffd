"""Which kinds there are: the shipped ones and a team's own.

A kind is read when it is first asked for, and no other with it: most commands need one. A team's schemas come with the
repository from whoever can push, so they are read as hostile input: bounded, through no link, and never in place of a shipped
kind. What may stand in them is for `core.kinds.references` and `core.kinds.shape` to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from gitmem.core.kinds.schema import Kind
from gitmem.core.nearest import meant, shown
from gitmem.core.record import KIND, name_problem
from gitmem.errors import InvalidRecord
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import SCHEMAS
from gitmem.store.resources import resource_dir

MAX_SCHEMA_BYTES: Final = 256 << 10
_VERSION_FILE: Final = re.compile(r"([1-9][0-9]{0,5})\.json")

Files = dict[int, Path]


class Kinds:
    """The kinds of the store whose work tree is `root`, or the shipped ones alone."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root
        self._shipped = resource_dir("schemas")
        self._shipped_files: dict[str, Files] = {}
        self._loaded: dict[Path, tuple[bytes, Kind]] = {}

    def names(self) -> list[str]:
        """The names of all kinds, sorted. Reads no schema."""
        return sorted({*_kind_names(self._shipped), *self._team_names()})

    def get(self, name: str, version: int | None = None) -> Kind:
        """The kind `name` in `version`, the newest by default.

        Raises InvalidRecord for a name (the nearest is named) or version there is none of, and for a schema that cannot be
        used. A team's schema is looked at each time, so that a long-lived process sees what a pull brought.
        """
        if problem := name_problem("kind", name, KIND):
            raise InvalidRecord(problem, self._hint())
        shipped = self._shipped_versions(name)
        files = shipped or self._team_versions(name)
        if not files:
            self._unknown(name)
        wanted = max(files) if version is None else version
        if wanted not in files:
            raise InvalidRecord(
                f"kind '{name}' has no schema version {wanted} here; the newest is {max(files)}",
                "update gitmem, or get the team's schemas with `gitmem sync`",
            )
        return self._shipped_kind(name, wanted) if shipped else self._team_kind(name, wanted, files[wanted])

    def check(self) -> list[InvalidRecord]:
        """What is wrong with the team's own schemas, each read and compiled: an error for every kind that cannot be used."""
        problems: list[InvalidRecord] = []
        for name in self._team_names():
            try:
                self._refuse_shadow(name)
                for version in self._team_versions(name):
                    self.get(name, version).compile()
            except InvalidRecord as problem:
                problems.append(problem)
        return problems

    def _shipped_versions(self, name: str) -> Files:
        if name not in self._shipped_files:
            files = _versions(self._shipped / name)
            self._refuse_shadow(name)
            self._shipped_files[name] = files
        return self._shipped_files[name]

    def _refuse_shadow(self, name: str) -> None:
        shadow = next(iter(self._team_versions(name).values()), None)
        if shadow and (self._shipped / name).is_dir():
            where = self._relative(shadow)
            raise InvalidRecord(f"{where} would stand in for the shipped kind '{name}'", f"rename it: `git mv {where} …`")

    def _shipped_kind(self, name: str, version: int) -> Kind:
        path = self._shipped_files[name][version]
        if path not in self._loaded:
            self._loaded[path] = b"", Kind(name, version, parse_schema(path.read_bytes(), path.name))
        return self._loaded[path][1]

    def _team_names(self) -> list[str]:
        return _kind_names(inside(self._root, SCHEMAS)) if self._root else []

    def _team_versions(self, name: str) -> Files:
        """The team's schema files of a kind: `<kind>/<version>.json`, and `<kind>.json`, which is version 1."""
        if self._root is None:
            return {}
        folder = f"{SCHEMAS}/{name}"
        files = {n: inside(self._root, f"{folder}/{n}.json") for n in _versions(inside(self._root, folder))}
        single = inside(self._root, f"{SCHEMAS}/{name}.json")
        if single.is_file():
            if other := files.get(1):
                both = f"{self._relative(single)} and {self._relative(other)}"
                raise InvalidRecord(f"{both} are the same version of one kind", "remove one of them")
            files[1] = single
        return files

    def _team_kind(self, name: str, version: int, path: Path) -> Kind:
        where = self._relative(path)
        try:
            data = read_bounded(path, MAX_SCHEMA_BYTES) or b""
        except InvalidRecord as problem:
            raise InvalidRecord(f"the schema of kind '{name}': {problem.message}", f"correct {where}") from None
        known = self._loaded.get(path)
        if known is None or known[0] != data:
            known = self._loaded[path] = data, Kind(name, version, parse_schema(data, where), where)
        return known[1]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix() if self._root else path.name

    def _unknown(self, name: str) -> NoReturn:
        others = [other for other in self.names() if other != name]  # a directory may be left of it
        raise InvalidRecord(f"there is no kind {shown(name)}{meant(name, others)}", self._hint())

    def _hint(self) -> str:
        return f"the kinds are: {', '.join(self.names())}; a team's own lie in {SCHEMAS}"


def parse_schema(data: bytes, where: str) -> object:
    """The JSON in a schema file, read strictly. `where` names the file in errors. Raises InvalidRecord."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_no_repetition, parse_constant=_no_constant)
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:
        why = str(error)[:200]
    raise InvalidRecord(f"{where} is not JSON that gitmem reads: {why}", f"correct {where}")


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def check_pattern(kind: Kind, values: Mapping[str, Any]) -> None:
    """Refuse a pattern that could never match: a regular expression with a mistake in it. Raises InvalidRecord."""
    if kind.name == "pattern":
        from gitmem.core.recall.pattern import parse as parse_pattern

        parse_pattern(str(values.get("pattern", "")))


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _kind_names(folder: Path) -> list[str]:
    """The kinds that have a directory or a file of their own in `folder`; what bears no kind's name is none."""
    stems = {name.removesuffix(".json") for name in _entries(folder)}
    return sorted(stem for stem in stems if name_problem("kind", stem, KIND) is None)


def _versions(folder: Path) -> Files:
    found = {name: _VERSION_FILE.fullmatch(name) for name in _entries(folder)}
    return {int(match[1]): folder / name for name, match in found.items() if match}


def _entries(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
