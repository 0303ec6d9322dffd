"""What became of a record's values, as lines a person reads: `-` is what was, `+` what is, as in a diff of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, Final

from deepdiff import DeepDiff

from gitmem.core.dots import json_line
from gitmem.core.record import Json

_AROUND: Final = 2  # unchanged lines shown around a change in a long text
_CHANGED: Final = ("values_changed", "type_changes")
_ADDED: Final = ("dictionary_item_added", "iterable_item_added")
_REMOVED: Final = ("dictionary_item_removed", "iterable_item_removed")


def changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    """How fields (by dotted name) changed, in the order of their names. Long texts are compared line by line."""
    found = DeepDiff(dict(old), dict(new), view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    lines: list[tuple[str, list[str]]] = []
    for sort in (*_CHANGED, *_ADDED, *_REMOVED):
        for level in found.get(sort, ()):
            name = _place(level.path(output_format="list"))
            before = None if sort in _ADDED else level.t1
            after = None if sort in _REMOVED else level.t2
            lines.append((name, list(_lines(name, before, after, sort))))
    return [line for _, some in sorted(lines) for line in some]


def set_changes(old: Mapping[str, list[Json]], new: Mapping[str, list[Json]]) -> list[str]:
    """Which elements came into sets, and which went."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        before = {json_line(value): value for value in old.get(name, [])}
        after = {json_line(value): value for value in new.get(name, [])}
        lines += [f"- {name}: {_text(before[key])}" for key in sorted(before.keys() - after.keys())]
        lines += [f"+ {name}: {_text(after[key])}" for key in sorted(after.keys() - before.keys())]
    return lines


def _lines(name: str, before: Any, after: Any, sort: str) -> Iterator[str]:
    was = [] if sort in _ADDED else _text(before).splitlines()
    now = [] if sort in _REMOVED else _text(after).splitlines()
    if len(was) > 1 or len(now) > 1:
        yield f"@ {name}"
        hunks = list(unified_diff(was, now, n=_AROUND, lineterm=""))
        yield from (line for line in hunks[2:] if not line.startswith("@@"))
    else:
        yield from (f"- {name}: {line}" for line in (was if sort in _ADDED else was or [""]))
        yield from (f"+ {name}: {line}" for line in (now if sort in _REMOVED else now or [""]))


def _place(path: list[Any]) -> str:
    """A path such as ["commands", 1] as commands[1]."""
    first, *rest = path
    return str(first) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json_line(value)
