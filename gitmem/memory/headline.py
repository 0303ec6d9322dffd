"""The one line a record is known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitmem.errors import InvalidRecord
from gitmem.memory.context import Context


def headline(context: Context, kind: str, fields: Mapping[str, Any]) -> str:
    """The one line a record is known by: its kind's headline field, first line; of an unknown kind the first text there is."""
    try:
        name = context.kinds.get(kind).headline
    except InvalidRecord:
        name = next((name for name in sorted(fields) if isinstance(fields[name], str)), "")
    value: Any = fields
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    lines = str(value).strip().splitlines()
    return lines[0] if lines else ""
