"""What the facade returns: frozen values whose names are those of the JSON that other programs rely on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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
class Record:
    """One thing learned, values in the clear. `fields` is nested as its schema says; `created` is news of `learn` alone."""

    id: str
    kind: str
    scope: str
    schema: int
    fields: dict[str, Any]
    sets: dict[str, list[Json]]
    usage: Usage
    alive: bool
    conflicts: dict[str, list[Value]]
    created: bool = False

    def as_json(self) -> dict[str, Any]:
        """The JSON of `show`."""
        shown = asdict(self)
        del shown["created"]
        return shown


@dataclass(frozen=True, slots=True)
class Match:
    """An answer to an error: `score` and `confidence` in 0..1, `why` in words."""

    id: str
    kind: str
    score: float
    confidence: float
    fields: dict[str, Any]
    usage: Usage
    why: list[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search."""

    id: str
    kind: str
    score: float
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made: its id, how many records and audit entries it holds, and in `skipped` what it left out."""

    commit: str
    records: int
    entries: int
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: commits sent and fetched, files changed on both sides, and records it brought that are in conflict."""

    pushed: int
    pulled: int
    merged: int
    conflicts: int
    attempts: int
    head: str | None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """A person or a service that may read the store."""

    name: str
    role: str
    recipients: list[str]
    keys: list[str]
    me: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """How the store stands on this replica."""

    store: str
    root: str
    member: str | None
    replica: str
    plain: bool
    records: int
    pending: int
    conflicts: int
    ahead: int
    behind: int
    branch: str | None
    remote: str | None
    scopes: list[str]
