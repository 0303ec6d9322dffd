"""Reading a segment back, strictly: one spelling, every line checked, anything else refused by file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeGuard

from gitmem.core.auditing.audit import (
    EMPTY,
    MAX_LINE,
    MAX_SEGMENT,
    MEMBER,
    VERSION,
    Entry,
    Segment,
    line_hash,
    object_problem,
    op_problem,
    place_of,
)
from gitmem.core.codec import is_time
from gitmem.core.dots import json_line
from gitmem.core.record import RECORD_ID, WRITER, Json
from gitmem.errors import InvalidRecord, Tampered

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_MAX_SEQ: Final = 10**15
_MAX_KEY: Final = 200
_MAX_SIGNATURE: Final = 1000


def parse_segment(data: bytes, where: str) -> Segment:
    """The segment that lies at `where`, its path in the store.

    Checks the form and the chain inside the file; the signature, and how it joins the segments before it, are for the caller.
    Raises Tampered with file and line for anything that `build_segment` would not have written.
    """
    place = place_of(where)
    if place is None:
        _refuse(where, None, "no segment belongs at this path")
    if len(data) > MAX_SEGMENT:
        _refuse(where, None, f"{len(data):,} bytes; a segment is at most {MAX_SEGMENT:,}")
    if not data.endswith(b"\n"):
        _refuse(where, data.count(b"\n") + 1, "the last line does not end: the file is cut off")
    *lines, last = data[:-1].split(b"\n")
    if not lines:
        _refuse(where, 1, "holds no entry")
    key, signature = _signature(where, len(lines) + 1, last)
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        entry = _entry(where, number, line)
        _check_place(where, number, entry, place[0], entries)
        entries.append(entry)
    _check_objects(where, entries)
    body = data[: len(data) - len(last) - 1]
    return Segment(where, place[1], data, body, tuple(entries), key, signature)


def parse_ends(data: bytes, where: str) -> Segment:
    """The segment that lies at `where` with its first and last entry alone: what it has seen, how far it goes, and who signed.

    The form of the lines between is not looked at. Raises Tampered for what does not begin and end like a segment.
    """
    place = place_of(where)
    *lines, last = data.removesuffix(b"\n").split(b"\n")
    if place is None or not lines or not data.endswith(b"\n"):
        _refuse(where, None, "no segment belongs at this path, or it is cut off")
    key, signature = _signature(where, len(lines) + 1, last)
    numbers = sorted({1, len(lines)})
    entries = tuple(_entry(where, number, lines[number - 1]) for number in numbers)
    if any(entry.writer != place[0] for entry in entries):
        _refuse(where, 1, "an entry of another writer")
    return Segment(where, place[1], data, data[: len(data) - len(last) - 1], entries, key, signature)


def _refuse(where: str, line: int | None, why: str) -> NoReturn:
    at = where if line is None else f"{where}:{line}"
    raise Tampered(f"{at}: {why}", "`gitmem audit verify` shows all that is wrong; git has the file as it was signed")


def _mapping(where: str, number: int, line: bytes) -> dict[str, Any]:
    """The object on one line, which must be spelled canonically."""
    if len(line) > MAX_LINE:
        _refuse(where, number, f"a line of {len(line):,} bytes; the limit is {MAX_LINE:,}")
    try:
        value = json.loads(line)
        again = json_line(value).encode("utf-8") if isinstance(value, dict) else b""
    except (ValueError, RecursionError, InvalidRecord):
        _refuse(where, number, "not a line of JSON")
    if again != line:
        _refuse(where, number, "not in the canonical spelling, so it is not what was signed")
    return dict(value)


def _signature(where: str, number: int, line: bytes) -> tuple[str, str]:
    fields = _mapping(where, number, line)
    key, signature = fields.get("key"), fields.get("sig")
    if fields.keys() != {"key", "sig"} or not isinstance(key, str) or not isinstance(signature, str):
        _refuse(where, number, "the last line is not a signature: the file is cut off")
    if len(key) > _MAX_KEY or len(signature) > _MAX_SIGNATURE:
        _refuse(where, number, "the signature is too long")
    return key, signature


def _is_hash(value: Json) -> TypeGuard[str]:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_end(value: Json) -> bool:
    """Whether `value` is `[seq, hash]`, the end of a chain."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    seq = value[0]
    return isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < _MAX_SEQ and _is_hash(value[1])


def _is_seen(value: Json) -> bool:
    return isinstance(value, dict) and all(WRITER.fullmatch(name) and is_end(end) for name, end in value.items())


def _shaped(pattern: re.Pattern[str]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_FIELDS: Final[dict[str, Callable[[Json], bool]]] = {
    "v": lambda value: value == VERSION and value is not True,
    "store": _shaped(RECORD_ID),
    "writer": _shaped(WRITER),
    "seq": lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_SEQ,
    "prev": _is_hash,
    "seen": _is_seen,
    "time": lambda value: isinstance(value, str) and is_time(value),
    "op": lambda value: isinstance(value, str) and not op_problem(value),
    "subject": _shaped(MEMBER),
    "object": lambda value: isinstance(value, str) and not object_problem(value),
    "before": lambda value: value is None or _is_hash(value),
    "after": lambda value: value is None or _is_hash(value),
    "detail": lambda value: isinstance(value, dict),
}


def _entry(where: str, number: int, line: bytes) -> Entry:
    fields = _mapping(where, number, line)
    if fields.keys() != _FIELDS.keys():
        odd = sorted(fields.keys() ^ _FIELDS.keys())
        _refuse(where, number, f"missing or unknown: {', '.join(odd)[:80]!r}")
    for name, fits in _FIELDS.items():
        if not fits(fields[name]):
            _refuse(where, number, f"{name!r} is not of the right form")
    del fields["v"]
    seen = {name: (seq, digest) for name, (seq, digest) in fields.pop("seen").items()}
    return Entry(**fields, seen=seen, hash=line_hash(line))


def _check_place(where: str, number: int, entry: Entry, writer: str, before: list[Entry]) -> None:
    if entry.writer != writer:
        _refuse(where, number, f"an entry of {entry.writer} in the log of {writer}")
    if not before:
        if (entry.seq == 1) != (entry.prev == EMPTY):
            _refuse(where, number, "only the first entry of a chain has none before it")
        return
    last = before[-1]
    if (entry.seq, entry.prev) != (last.seq + 1, last.hash):
        _refuse(where, number, f"does not follow entry {last.seq} on the line before")
    if entry.seen:
        _refuse(where, number, "'seen' belongs in the first entry of a segment")
    if (entry.store, entry.subject, entry.time) != (last.store, last.subject, last.time):
        _refuse(where, number, "store, member and time are the same in all entries of a segment")


def _check_objects(where: str, entries: list[Entry]) -> None:
    lines: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        if entry.object in lines:
            _refuse(where, number, f"{entry.object} has an entry on line {lines[entry.object]} already")
        lines[entry.object] = number
