"""Whether a value can be written down at all, whatever its schema says."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

Path = tuple[str | int, ...]

MAX_DEPTH: Final = 32
_INT: Final = 1 << 63


def flaw(value: object, path: Path = ()) -> tuple[Path, str] | None:
    """The path of the first part of `value` that JSON, UTF-8 or a 64-bit reader cannot hold, and what is wrong; else None."""
    if isinstance(value, list | dict):
        return _flaw_inside(value, path)
    why = _scalar_flaw(value)
    return (path, why) if why else None


def _flaw_inside(value: list[Any] | dict[Any, Any], path: Path) -> tuple[Path, str] | None:
    if len(path) > MAX_DEPTH:
        return path[:1], f"is nested more than {MAX_DEPTH} levels deep"
    if isinstance(value, dict) and (why := _key_flaw(value)):
        return path, why
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        if found := flaw(member, (*path, key)):
            return found
    return None


def _key_flaw(value: dict[Any, Any]) -> str:
    for key in value:
        if not isinstance(key, str):
            return "has a key that is not text: put it in quotes"
        if not (key.isascii() or _is_unicode(key)):
            return "has a key that is not valid Unicode"
    return ""


def _scalar_flaw(value: object) -> str:
    if isinstance(value, str):
        return "" if value.isascii() or _is_unicode(value) else "holds half of a surrogate pair, which is not valid Unicode"
    if isinstance(value, float):
        return "" if isfinite(value) else "must be a finite number"
    if isinstance(value, int):
        return "" if -_INT <= value < _INT else "is too large a number"
    return "" if value is None else f"is of type {type(value).__name__}, which JSON does not have: write it as text"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
