"""What people and programs hand to a command: standard input, files, and `FIELD=VALUE` words. All of it is bounded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from gitmem.errors import GitmemError, InvalidRecord, UsageError

if TYPE_CHECKING:
    from gitmem.core.kinds.schema import Kind

TEXT_LIMIT: Final = 16 << 20
"""Bytes of an error text that are looked at: the first and the last half of this where there is more."""
FILE_LIMIT: Final = 4 << 20
"""Bytes of a file that holds one record."""
_CHUNK: Final = 1 << 20
_LINE_LIMIT: Final = 1 << 18  # characters of an invitation or a request


def read_text(limit: int = TEXT_LIMIT) -> tuple[str, int]:
    """Standard input as text, and how many bytes of its middle were left out. Bytes that are no UTF-8 become U+FFFD."""
    half = limit // 2
    stream = sys.stdin.buffer
    head = stream.read(half)
    tail = bytearray()
    dropped = 0
    while chunk := stream.read(_CHUNK):
        tail += chunk
        if len(tail) > half:
            dropped += len(tail) - half
            del tail[:-half]
    joint = b"\n" if dropped else b""
    return (head + joint + bytes(tail)).decode("utf-8", "replace"), dropped


def read_file(name: str, limit: int = FILE_LIMIT) -> bytes:
    """The content of the file `name`, or of standard input for `-`. Raises InvalidRecord above `limit` bytes."""
    what = "standard input" if name == "-" else name
    try:
        if name == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise GitmemError(f"cannot read {what}: {(error.strerror or str(error)).lower()}", "check the path") from None
    if len(data) > limit:
        raise InvalidRecord(
            f"{what} has more than {limit:,} bytes", "one record is meant; many go through `gitmem learn --batch`"
        )
    return data


def read_line(given: str, prefix: str, what: str, hint: str) -> str:
    """An invitation or a request, which begin with a `prefix`: as it was given, from standard input for `-`, or from a file."""
    if given.strip().startswith(prefix):
        return given
    try:
        return sys.stdin.read(_LINE_LIMIT) if given == "-" else _read_start(Path(given))
    except (OSError, ValueError):
        raise UsageError(f"{given[:80]!r} is neither {what} nor a file with one", hint) from None


def _read_start(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(_LINE_LIMIT)


def clean(text: str) -> str:
    """`text` from the command line with what is no Unicode (bytes of another encoding) replaced, so that it can be stored."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def names(values: Iterable[str]) -> list[str]:
    """The names in the values of an option that is repeatable and takes several with commas between them."""
    return [clean(each.strip()) for value in values for each in value.split(",") if each.strip()]


def assignments(words: Iterable[str], kind: Kind) -> dict[str, Any]:
    """The fields that `FIELD=VALUE` words set, by their dotted names. Raises UsageError for a word that is none."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError("--set needs FIELD=VALUE", "such as --set meaning='The disk is full'")
        found[clean(name)] = _value(clean(value), clean(name), kind)
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`problem.message` = x as {problem: {message: x}}. Raises UsageError where a name is set both as a whole and in part."""
    values: dict[str, Any] = {}
    for name, value in flat.items():
        *path, leaf = name.split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"{name!r} is part of a field that is set as a whole", "set one or the other")
        if isinstance(value, dict) and isinstance(place.get(leaf), dict):
            place[leaf].update(value)
        else:
            place[leaf] = value
    return values


def _value(text: str, name: str, kind: Kind) -> Any:
    """JSON where it is meant: text that happens to be a number stays text in a field that takes no number."""
    from gitmem.core.kinds.shape import json_type

    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str):
        return value
    spec = kind.fields.get(name)
    types = spec.types if spec else ()
    found = json_type(value)
    fits = not types or found in types or (found == "integer" and "number" in types)
    return text if "string" in types and not fits else value


def _no_constant(_: str) -> NoReturn:
    raise ValueError


class Given(NamedTuple):
    """One record as somebody gave it; None where nothing was said."""

    fields: dict[str, Any]
    tags: list[Any]
    kind: str | None = None
    scope: str | None = None


_ENVELOPE: Final = {"kind", "scope", "fields", "tags"}


def given(mapping: Mapping[str, Any]) -> Given:
    """A mapping as a record: flat fields beside `kind`, `scope` and `tags`, or the fields under `fields`.

    Raises InvalidRecord for a kind or scope that is no text, and for tags that are no list.
    """
    rest = dict(mapping)
    if isinstance(rest.get("fields"), dict) and rest.keys() <= _ENVELOPE:
        rest |= rest.pop("fields")
    kind, scope, tags = rest.pop("kind", None), rest.pop("scope", None), rest.pop("tags", [])
    for name, value in (("kind", kind), ("scope", scope)):
        if value is not None and not isinstance(value, str):
            raise InvalidRecord(f"'{name}' must be text", f"such as {name}: {'pattern' if name == 'kind' else 'team'}")
    if not isinstance(tags, list):
        raise InvalidRecord("'tags' must be a list", 'such as tags: ["git", "push"]')
    return Given(rest, tags, kind, scope)
