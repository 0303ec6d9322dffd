"""What recording and finding return: frozen values whose names are those of the JSON that other programs rely on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gitmem.core.record import Json
from gitmem.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Value:
    """One of several concurrent values of a field: the dot to pick it by, and who wrote it when (None: not in the log yet)."""

    dot: str
    value: Json
    by: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was replaced in a field before it was recorded: how many of which kind. Never the secrets themselves."""

    what: str
    field: str
    count: int


@dataclass(frozen=True, slots=True)
class Record:
    """One thing learned, values in the clear. `fields` is nested as its schema says.

    `contested` says that one person deleted it while another edited it; `created` is news of `learn` alone. `sealed`: no key at
    hand opens it, and so `fields`, `sets` and `conflicts` tell nothing. `redacted` tells what was replaced in what was just
    written.
    """

    id: str
    kind: str
    scope: str
    schema: int
    fields: dict[str, Any]
    sets: dict[str, list[Json]]
    usage: Usage
    alive: bool
    conflicts: dict[str, list[Value]]
    contested: bool = False
    created: bool = False
    sealed: bool = False
    redacted: tuple[Redaction, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The JSON of `show`."""
        shown = asdict(self)
        del shown["created"], shown["redacted"]
        return shown


@dataclass(frozen=True, slots=True)
class Match:
    """An answer to an error: `score` and `confidence` in 0..1, `why` in words.

    `conflicts` is the number of fields with several values that wait for a person: where it is not 0, `show` before you trust.
    """

    id: str
    kind: str
    score: float
    confidence: float
    fields: dict[str, Any]
    usage: Usage
    why: list[str]
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search."""

    id: str
    kind: str
    score: float
    fields: dict[str, Any]
