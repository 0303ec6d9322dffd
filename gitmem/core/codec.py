"""The canonical YAML of a record file, read and written.

One state has one spelling: a fixed skeleton, sorted keys, one entry a line, values as a token or as JSON on one line (JSON is
YAML), a newline at the end. Whatever parses re-serialises to the same bytes; everything else is refused with file and line.
A parser for just this form is small, has no anchors, tags or depth to be attacked through, and needs no YAML library in the
merge driver that git starts once a file.
"""

from __future__ import annotations

import re
from functools import cache

from gitmem.core.dots import DOT_KEY, MAX_NESTING, Dot, dot_of, json_line, spell, too_deep
from gitmem.core.record import (
    ALIVE,
    DEAD,
    FORMAT,
    KIND,
    MAX_BYTES,
    RECORD_ID,
    SCOPE,
    WRITER,
    State,
    name_problem,
)
from gitmem.core.token import is_token
from gitmem.errors import InvalidRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final, NoReturn, TypeAlias

    from gitmem.core.record import Json, Register

Tree: TypeAlias = "dict[str, Tree | str]"

_LINE: Final = re.compile(r"^( *)([A-Za-z0-9_.~#-]+):(?: (.+))?$", re.MULTILINE)
_DEPTHS: Final = {"": 0, "  ": 1, "    ": 2, "      ": 3}
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,127}")
_ELEMENT: Final = re.compile(r"[a-z][a-z2-7]{1,63}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_TIME: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}Z")
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FORMAT_LINE: Final = re.compile(r"gitmem: ([1-9][0-9]{0,8})")
_HEADER: Final = ("gitmem", "kind", "schema", "scope", "id")
_SECTIONS: Final = ("seen", "fields", "sets", "life", "counts", "last")
_HINT: Final = "`gitmem doctor --fix` puts back the last good version of all such files; `gitmem edit` changes a record"
_NOT_PLAIN: Final = ("&", "*", "!")  # how anchors, aliases and tags begin
_UNWANTED: Final = {
    b"\0": "NUL byte: this is no text",
    b"\r": "a carriage return: lines end with a newline alone",
    b"\xef\xbb\xbf": "a byte order mark",
}


def emit(state: State) -> bytes:
    """The one spelling of `state` as a file. Raises InvalidRecord above 1 MiB, or for a value that JSON cannot hold."""
    data = _spelled(state)
    if len(data) > MAX_BYTES:
        raise InvalidRecord(
            f"record {state.id} would be {len(data):,} bytes; the limit is {MAX_BYTES:,}",
            "shorten its longest field, or keep the text in a file of its own and cite it",
        )
    return data


def parse(data: bytes, where: str) -> State:
    """The state in a record file. `where` names the file in errors.

    Raises InvalidRecord, with file and line, for anything that is not the canonical spelling of a well-formed state.
    """
    return _Parser(where).parse(data)


def is_time(text: str) -> bool:
    """Whether `text` is a second that there is, in UTC and spelled as in 2026-11-20T10:00:00Z.

    (Importing `datetime` to find out would cost as much as ten merges.)
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return year > 0 and day <= _DAYS[month - 1] + (month == 2 and leap)


def _spelled(state: State) -> bytes:
    lines = [
        f"gitmem: {FORMAT}",
        f"kind: {state.kind}",
        f"schema: {state.schema}",
        f"scope: {state.scope}",
        f"id: {state.id}",
    ]
    _emit_flat(lines, "seen:", state.seen, "  ")
    if state.fields:
        lines.append("fields:")
        _emit_registers(lines, state.fields, "  ")
    if state.sets:
        lines.append("sets:")
        for name in sorted(state.sets):
            lines.append(f"  {name}:")
            _emit_registers(lines, state.sets[name], "    ")
    _emit_flat(lines, "life:", state.life, "  ")
    if state.counts:
        lines.append("counts:")
        for name in sorted(state.counts):
            _emit_flat(lines, f"  {name}:", state.counts[name], "    ")
    _emit_flat(lines, "last:", state.last, "  ")
    lines.append("")
    return "\n".join(lines).encode("utf-8")


def _emit_flat(lines: list[str], title: str, content: Mapping[str, object], indent: str) -> None:
    if content:
        lines.append(title)
        lines += [f"{indent}{key}: {content[key]}" for key in sorted(content)]


def _emit_registers(lines: list[str], registers: dict[str, Register], indent: str) -> None:
    for name in sorted(registers):
        lines.append(f"{indent}{name}:")
        for key, value in sorted(registers[name].items()):
            lines.append(f"{indent}  {key}: {value if is_token(value) else json_line(value)}")


class _Parser:
    """Reads one file; keeps its name and its text for errors."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.text = ""

    def parse(self, data: bytes) -> State:
        self.text = self._decoded(data)
        self._check_format()
        state = self._state(self._tree())
        again = _spelled(state)
        if again != data:
            self._fail("is not in the canonical spelling (order, quoting or spacing)", _first_difference(data, again))
        return state

    def _fail(self, why: str, line: int | None = None, path: tuple[str, ...] = (), hint: str = _HINT) -> NoReturn:
        raise InvalidRecord(f"{self.where}:{line or self._line_of(path)}: {why}", hint)

    def _line_of(self, path: tuple[str, ...]) -> int:
        """Where the entry at `path` stands, in a text that `_tree` has read; 1 if it stands nowhere."""
        above: list[str] = []
        for number, line in enumerate(self.text.split("\n"), 1):
            bare = line.lstrip(" ")
            above[(len(line) - len(bare)) // 2 :] = [bare.partition(":")[0]]
            if tuple(above) == path:
                return number
        return 1

    def _decoded(self, data: bytes) -> str:
        if len(data) > MAX_BYTES:
            self._fail(f"the file is {len(data):,} bytes; a record is at most {MAX_BYTES:,}")
        for unwanted, why in _UNWANTED.items():
            if unwanted in data:
                self._fail(why, data[: data.index(unwanted)].count(b"\n") + 1)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._fail("not UTF-8", data[: error.start].count(b"\n") + 1)
        if not text.endswith("\n"):
            self._fail("the last line does not end: the file is cut off", text.count("\n") + 1)
        return text

    def _check_format(self) -> None:
        """Comes before everything else: the rest of a newer format may look like anything."""
        match = _FORMAT_LINE.fullmatch(self.text.partition("\n")[0])
        if match and int(match[1]) > FORMAT:
            self._fail(f"format {match[1]} is newer than this gitmem reads ({FORMAT})", 1, hint="upgrade gitmem-store")

    def _tree(self) -> Tree:
        root: Tree = {}
        stack = [root]
        for number, (indent, key, value) in enumerate(self._entries(), 1):
            depth = _DEPTHS.get(indent)
            if depth is None or depth >= len(stack):
                self._fail("wrong indentation", number)
            del stack[depth + 1 :]
            parent = stack[depth]
            if key in parent:
                self._fail(f"{key[:60]!r} stands twice", number)
            if not value:
                child: Tree = {}
                parent[key] = child
                stack.append(child)
            elif value.startswith(_NOT_PLAIN):
                self._fail("anchors, aliases and tags are not allowed", number)
            else:
                parent[key] = value
        return root

    def _entries(self) -> list[tuple[str, str, str]]:
        """Indentation, key and value (empty: none) of each line, all lines at once because one by one takes twice as long."""
        entries: list[tuple[str, str, str]] = _LINE.findall(self.text)
        if len(entries) != self.text.count("\n"):
            for number, line in enumerate(self.text[:-1].split("\n"), 1):
                if not _LINE.fullmatch(line):
                    self._fail(_complaint(line), number)
        return entries

    def _state(self, tree: Tree) -> State:
        self._check_names(tree)
        header = {name: self._word(tree, (name,)) for name in _HEADER}
        if header["gitmem"] != str(FORMAT):
            self._fail(f"'gitmem' must be {FORMAT}, the format of the file", path=("gitmem",))
        for name, shape in (("kind", KIND), ("scope", SCOPE), ("id", RECORD_ID)):
            if problem := name_problem(name, header[name], shape):
                self._fail(problem, path=(name,))
        state = State(header["kind"], self._number(header["schema"], ("schema",)), header["scope"], header["id"])
        state.seen = self._counters(tree, ("seen",))
        state.fields = {name: self._register(t, ("fields", name)) for name, t in self._names(tree, ("fields",))}
        for name, elements in self._names(tree, ("sets",)):
            state.sets[name] = self._elements(elements, ("sets", name))
        state.life = self._life(tree)
        state.counts = {name: self._writers(t, ("counts", name)) for name, t in self._names(tree, ("counts",))}
        state.last = self._times(tree)
        for path, register in (*state.registers(), ("life", state.life)):
            self._check_register(path, register, state.seen)
        return state

    def _check_names(self, tree: Tree) -> None:
        for key in tree:
            if key not in _HEADER and key not in _SECTIONS:
                self._fail(f"unknown key {key[:60]!r}{_nearest(key)}", path=(key,))
        for key in _HEADER:
            if key not in tree:
                self._fail(f"{key!r} is missing")

    def _word(self, tree: Tree, path: tuple[str, ...]) -> str:
        value = tree[path[-1]]
        if not isinstance(value, str):
            self._fail(f"{path[-1]!r} must be a word, not a mapping", path=path)
        return value

    def _number(self, text: object, path: tuple[str, ...]) -> int:
        if not isinstance(text, str) or not _NUMBER.fullmatch(text):
            self._fail(f"{path[-1]!r} must be a whole number", path=path)
        return int(text)

    def _section(self, tree: Tree, path: tuple[str, ...]) -> Tree:
        value = tree.get(path[-1], {})
        if not isinstance(value, dict) or (not value and path[-1] in tree):
            self._fail(f"{path[-1]!r} must be a mapping with entries", path=path)
        return value

    def _names(self, tree: Tree, path: tuple[str, ...]) -> list[tuple[str, Tree]]:
        section = self._section(tree, path)
        for name in section:
            if not _NAME.fullmatch(name):
                self._fail(f"{name[:60]!r} cannot be a name in {path[-1]!r}", path=(*path, name))
        return [(name, self._section(section, (*path, name))) for name in section]

    def _counters(self, tree: Tree, path: tuple[str, ...]) -> dict[str, int]:
        return self._writers(self._section(tree, path), path)

    def _writers(self, section: Tree, path: tuple[str, ...]) -> dict[str, int]:
        for writer in section:
            if not WRITER.fullmatch(writer):
                self._fail(f"{writer[:60]!r} is not a writer", path=(*path, writer))
        return {writer: self._number(n, (*path, writer)) for writer, n in section.items()}

    def _elements(self, elements: Tree, path: tuple[str, ...]) -> dict[str, Register]:
        for key in elements:
            if not _ELEMENT.fullmatch(key):
                self._fail(f"{key[:60]!r} is not the key of a set element", path=(*path, key))
        return {key: self._register(self._section(elements, (*path, key)), (*path, key)) for key in elements}

    def _register(self, section: Tree, path: tuple[str, ...]) -> Register:
        return {key: self._value(key, text, path) for key, text in section.items()}

    def _value(self, key: str, text: Tree | str, above: tuple[str, ...]) -> Json:
        try:
            dot_of(key)
        except ValueError as error:
            self._fail(str(error), path=(*above, key))
        if not isinstance(text, str):
            self._fail("a value must stand on the line of its dot", path=(*above, key))
        if not is_token(text):
            return self._json(text, (*above, key))
        return text if "~" not in key else self._fail("a sealed value carries no check", path=(*above, key))

    def _json(self, text: str, path: tuple[str, ...]) -> Json:
        from json import JSONDecodeError

        try:
            value: Json = _decoder()(text)
            deep = too_deep(value)
        except RecursionError:
            deep = True
        except JSONDecodeError:
            self._fail("the value is neither sealed nor JSON on one line", path=path)
        except ValueError:
            self._fail("a number is not finite or too large", path=path)
        return value if not deep else self._fail(f"a value is nested more than {MAX_NESTING} deep", path=path)

    def _life(self, tree: Tree) -> Register:
        life: Register = {}
        for key, text in self._section(tree, ("life",)).items():
            if not DOT_KEY.fullmatch(key) or "~" in key or text not in (ALIVE, DEAD):
                self._fail("'life' holds dots with 'alive' or 'dead'", path=("life", key))
            life[key] = text
        return life

    def _times(self, tree: Tree) -> dict[str, str]:
        times: dict[str, str] = {}
        for name, text in self._section(tree, ("last",)).items():
            if not _NAME.fullmatch(name) or not isinstance(text, str) or not is_time(text):
                self._fail("'last' holds names with UTC times such as 2026-11-20T10:00:00Z", path=("last", name))
            times[name] = text
        return times

    def _check_register(self, path: str, register: Register, seen: dict[str, int]) -> None:
        for key in register:
            writer, n = dot_of(key)
            if seen.get(writer, 0) < n:
                self._fail(f"'seen' does not cover the write {writer}.{n}", path=(*path.split("/"), key))
        if any("#" in key for key in register) and register != _spelled_again(path, register):
            self._fail("values under one dot are not spelled canonically", path=tuple(path.split("/")))


def _spelled_again(path: str, register: Register) -> Register:
    """Several sealed values under one dot have one spelling only, else merging would depend on who spelled them."""
    values: dict[Dot, list[Json]] = {}
    for key, value in register.items():
        values.setdefault(dot_of(key), []).append(value)
    again: Register = {}
    for dot, some in values.items():
        again |= spell(path, dot, some)
    return again


def _first_difference(data: bytes, again: bytes) -> int:
    pairs = zip(data.split(b"\n"), again.split(b"\n"), strict=False)
    return next((number for number, (a, b) in enumerate(pairs, 1) if a != b), 1)


@cache
def _decoder() -> Callable[[str], Json]:
    from json import JSONDecoder  # which a file of sealed values does not need

    return JSONDecoder(parse_float=_finite, parse_constant=_refuse).decode


def _finite(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError(text)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, (*_HEADER, *_SECTIONS), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _complaint(line: str) -> str:
    """What is most likely wrong with a line that is not of the form `key: value`."""
    bare = line.lstrip(" ")
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        return "conflict markers: a merge ran without gitmem; `gitmem sync` heals it from the commits"
    if "\t" in line:
        return "a tab; records are indented with spaces"
    if bare.startswith(("- ", "[", "{")) or bare == "-":
        return "not a mapping of `key: value` lines" if line == bare else "a list where `key: value` is expected"
    if bare.startswith(_NOT_PLAIN) or bare.partition(": ")[2].startswith(_NOT_PLAIN):
        return "anchors, aliases and tags are not allowed"
    return "not a `key: value` line of a record"
