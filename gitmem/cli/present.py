"""How a record reads: a headline, its fields, what is known of its use. Every text from the store goes through `Ui`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmem.cli.text import one_line, safe_text

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.core.usage import Usage

LABEL = 10
"""Width of the names before values."""


def labelled(ui: Ui, label: str, value: Any) -> None:
    """One labelled value; further lines of it stand below its first."""
    lines = safe_text(as_text(value)).rstrip("\n").split("\n")
    name = ui.styled(f"{label:<{LABEL}}", "dim")
    ui.line(f"  {name} {lines[0]}".rstrip())
    for line in lines[1:]:
        ui.line(f"  {'':<{LABEL}} {line}".rstrip())


def fields(ui: Ui, values: Mapping[str, Any]) -> None:
    """Every field of a record with its name; long values start on a line of their own."""
    for name, value in flat(values).items():
        text = as_text(value)
        if len(name) <= LABEL and len(text) < 2000:
            labelled(ui, name, value)
        else:
            ui.line(f"  {ui.styled(name, 'dim')}")
            ui.block(text, indent="    ")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.") or {f"{prefix}{name}": ""}
        else:
            found[prefix + name] = value
    return found


def as_text(value: Any) -> str:
    """A value as a person reads it: a list one entry a line, other structure as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str | int | float) for item in value):
        return "\n".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def headline(values: Mapping[str, Any], name: str) -> str:
    """The field `name` (dotted) of a record on one line, the first that is not blank."""
    text = as_text(flat(values).get(name, ""))
    return next((one_line(line) for line in text.splitlines() if line.strip()), "")


def usage_words(usage: Usage) -> str:
    """What use says about a record, in words."""
    tried = usage.fixed + usage.failed
    if not tried:
        return f"not tried yet, matched {times(usage.matched)}" if usage.matched else "not tried yet"
    once = "tried once, fixed it" if usage.fixed else "tried once, did not help"
    words = once if tried == 1 else f"fixed it {usage.fixed:,} of {tried:,} times"
    return words if usage.avg_fix_ms is None else f"{words}, in {duration(usage.avg_fix_ms)} on average"


def duration(ms: float) -> str:
    """Milliseconds as a person says them."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    seconds = ms / 1000
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count:,} times"
