"""What each tool does: one call on the facade, and an answer as data and as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gitmem.core.nearest import counted
from gitmem.errors import UsageError
from gitmem.mcp.quoting import bounded, line
from gitmem.mcp.rows import QUOTED, full_id, row, text_of
from gitmem.memory.context import TEAM
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.redaction import in_words

Arguments = Mapping[str, Any]

_SHOWN: Final = 4000  # characters of a field, unless a call asks for more
_LESSON: Final = ("pattern", "fix", "meaning", "commands")  # fields of the main job, which are arguments of their own


@dataclass(frozen=True, slots=True)
class Answer:
    """The same answer for a program (`data`) and for a model (`text`); `wrote`: there is something to commit."""

    data: dict[str, Any]
    text: str
    wrote: bool = False


def match(memory: Memory, arguments: Arguments) -> Answer:
    """memory_match."""
    found = memory.match(arguments["text"], arguments.get("limit", 5), arguments.get("context"), arguments.get("scope"))
    rows = [row(memory, one) for one in found]
    if not rows:
        return Answer({"matches": []}, "No record is close enough. When you have solved it, memory_learn.")
    lines = [f"{len(rows)} of the team's records, best first (id kind score/confidence). {QUOTED}", *text_of(memory, rows)]
    return Answer({"matches": rows, "note": QUOTED}, "\n".join(lines))


def search(memory: Memory, arguments: Arguments) -> Answer:
    """memory_search."""
    kind = arguments.get("kind")
    if kind is not None:
        memory.context.kinds.get(kind)  # a misspelt kind is a mistake, not a search without results
    found = memory.search(arguments["text"], kind, arguments.get("limit", 10), arguments.get("scope"))
    rows = [row(memory, hit) for hit in found]
    if not rows:
        return Answer({"results": []}, "No record holds these words.")
    lines = [f"{counted(len(rows), 'record')}, best first (id kind score). {QUOTED}", *text_of(memory, rows)]
    return Answer({"results": rows, "note": QUOTED}, "\n".join(lines))


def get(memory: Memory, arguments: Arguments) -> Answer:
    """memory_get."""
    data: dict[str, Any] = bounded(memory.get(arguments["id"]).as_json(), arguments.get("max_chars", _SHOWN))
    return Answer({**data, "note": QUOTED}, f"{QUOTED}\n{_compact(data)}")


def learn(memory: Memory, arguments: Arguments) -> Answer:
    """memory_learn."""
    given = {name: arguments[name] for name in _LESSON if name in arguments}
    fields = arguments.get("fields", {})
    if twice := sorted(given.keys() & fields.keys()):
        raise UsageError(f"{twice[0]!r} is given twice: as an argument and in fields", "leave one of them out")
    kind, tags, scope = arguments.get("kind", "pattern"), arguments.get("tags", ()), arguments.get("scope")
    record = memory.learn(kind, {**fields, **given}, tags, scope)
    news = "learned" if record.created else "known already and brought up to date"
    data = {
        "id": record.id,
        "kind": record.kind,
        "created": record.created,
        "scope": record.scope,
        "redacted": [asdict(one) for one in record.redacted],
    }
    whose = "the team has it" if record.scope == TEAM else f"who shares the scope {record.scope} has it"
    hidden = f" Redacted: {in_words(record.redacted)}." if record.redacted else ""
    return Answer(data, f"{record.id} {news}; {whose} after the next `gitmem sync`.{hidden}", wrote=True)


def used(memory: Memory, arguments: Arguments) -> Answer:
    """memory_used."""
    fixed, ms = arguments["fixed"], arguments.get("ms")
    memory.used(arguments["id"], fixed=fixed, ms=ms)
    told = f"{arguments['id']} counted as {'fixed' if fixed else 'failed'}"
    return Answer({"id": full_id(memory, arguments["id"]), "fixed": fixed, "ms": ms}, told, wrote=True)


def status(memory: Memory, _: Arguments) -> Answer:
    """memory_status."""
    data = asdict(memory.status())
    return Answer(data, _compact(data))


CALLS: Final[dict[str, Callable[[Memory, Arguments], Answer]]] = {
    "memory_match": match,
    "memory_search": search,
    "memory_get": get,
    "memory_learn": learn,
    "memory_used": used,
    "memory_status": status,
}
"""Every tool's function by the tool's name."""


def warned(answer: Answer, warnings: list[str]) -> Answer:
    """`answer` with what went wrong beside it."""
    if not warnings:
        return answer
    shown = [line(text, 300) for text in warnings]
    return Answer(
        {**answer.data, "warnings": shown}, "\n".join([answer.text, *(f"warning: {text}" for text in shown)]), answer.wrote
    )


def _compact(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
