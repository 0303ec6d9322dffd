"""What people type, read strictly: one YAML (or JSON) mapping, and nothing of YAML that could surprise or hurt.

YAML 1.1 reads `no` as false and 12:30 as 750; aliases grow without bound; tags build objects. Here a plain scalar is null,
true, false, a number or text (the JSON schema of YAML 1.2, chapter 10.2), and anchors, aliases, tags and repeated keys are
refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gitmem.errors import InvalidRecord

if TYPE_CHECKING:
    from yaml import Event

MAX_DEPTH: Final = 64
_TOO_DEEP: Final = f"it is nested more than {MAX_DEPTH} levels deep"
_NOT_TEXT: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2, c-printable
_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")  # what a YAML reader takes for the end of a line, and makes a newline of
_NULL: Final = re.compile(r"^(?:~|null|)$")
_BOOL: Final = re.compile(r"^(?:true|false)$")
_INT: Final = re.compile(r"^-?(?:0|[1-9][0-9]*)$")
_FLOAT: Final = re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$")
_RESOLVERS: Final = (
    ("tag:yaml.org,2002:null", _NULL, ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", _BOOL, ["t", "f"]),
    ("tag:yaml.org,2002:int", _INT, list("-0123456789")),
    ("tag:yaml.org,2002:float", _FLOAT, list("-0123456789")),
)
_HINT: Final = "give one mapping of fields to values, such as `fix: restart it`; docs/kinds.md lists the fields"


def read_mapping(data: bytes, where: str) -> dict[str, Any]:
    """The mapping that `data` (UTF-8) holds as JSON or YAML. Raises InvalidRecord that names `where` and the line."""
    text = _decode(data, where)
    value = _from_json(text) if text.lstrip()[:1] == "{" else None
    if value is None:
        value = _from_yaml(text, where)
    if not isinstance(value, dict):
        raise InvalidRecord(f"{where} is not a mapping of fields to values", _HINT)
    return value


def write_mapping(values: dict[str, Any]) -> str:
    """`values` as YAML that `read_mapping` reads back exactly, with text of several lines as people like to edit it."""
    if not values:
        return ""
    import yaml

    text: str = yaml.dump(
        values, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=1 << 20, default_flow_style=False
    )
    return text


def _decode(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(where, data[: error.start].count(b"\n"), "it is not UTF-8") from None
    if strange := _NOT_TEXT.search(text):
        line = text.count("\n", 0, strange.start())
        raise _refused(where, line, f"it holds the control character U+{ord(strange[0]):04X}")
    return text


def _from_json(text: str) -> Any:
    """The value, or None if this is no JSON and may be YAML's flow style; a name that stands twice is left to YAML to tell."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _from_yaml(text: str, where: str) -> Any:
    import yaml

    try:
        _check(yaml.parse(text, Loader=yaml.CSafeLoader), where)
        return yaml.load(text, Loader=_loader(where))  # noqa: S506 - a safe loader without tags
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = error.problem or "it is not YAML"
        if "nesting depth" in why:  # newer releases of libyaml have a limit of their own, which they meet while they look ahead
            why = _TOO_DEEP
        raise _refused(where, mark.line if mark else 0, why) from None
    except (yaml.YAMLError, ValueError):
        raise InvalidRecord(f"{where} is not YAML", _HINT) from None


def _check(events: Iterator[Event], where: str) -> None:
    """Refuse, before anything is built, what a mapping of fields does not need."""
    import yaml

    depth = documents = 0
    for event in events:
        line = event.start_mark.line if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(where, line, "anchors (&) and aliases (*) are not allowed; put such text in quotes")
        if getattr(event, "tag", None):
            raise _refused(where, line, "tags (!) are not allowed; put such text in quotes")
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refused(where, line, _TOO_DEEP)
        if documents > 1:
            raise _refused(where, line, "a second document begins; give one")


def _refused(where: str, line: int, why: str) -> InvalidRecord:
    return InvalidRecord(f"{where}, line {line + 1}: {why}", _HINT)


def _loader(where: str) -> Any:
    import yaml

    class Loader(yaml.CSafeLoader):
        """Builds JSON values alone, and no mapping that says something twice."""

        yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - the name and form PyYAML asks for

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                line = key.start_mark.line
                if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                    raise _refused(where, line, "a key must be text; put it in quotes")
                if key.value in seen:
                    raise _refused(where, line, f"the key {key.value[:40]!r} stands twice")
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    for tag, shape, first in _RESOLVERS:
        Loader.add_implicit_resolver(tag, shape, first)
    return Loader


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what `read_mapping` would take for something else, and writes long text as a block."""

        yaml_implicit_resolvers: Any = {}  # noqa: RUF012

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    def text(dumper: Dumper, value: str) -> Any:
        style = '"' if _BREAKS.search(value) else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    for tag, shape, first in _RESOLVERS:
        Dumper.add_implicit_resolver(tag, shape, first)
    Dumper.add_representer(str, text)
    return Dumper


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError
