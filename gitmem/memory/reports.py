"""What commits, syncs and looks at the store return; the names are those of the JSON that other programs rely on."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.memory.results import Redaction


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made: its id, how many records and audit entries it holds, and in `skipped` what it left out.

    `redacted` is what was replaced in the message that was given.
    """

    commit: str
    records: int
    entries: int
    skipped: list[str] = field(default_factory=list)
    redacted: tuple[Redaction, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: commits sent and fetched, files changed on both sides, and records it brought that are in conflict.

    `attempts` is how often it pushed, `remote` the remote's name (None: there is none yet). `side` is the ref there that took
    the commits because the branch was busy, `folded` how many such refs of others were taken in. `problems` are what a person
    should look at, `notes` what is merely good to know.
    """

    pushed: int
    pulled: int
    merged: int
    conflicts: int
    attempts: int
    head: str | None
    problems: list[str] = field(default_factory=list)
    remote: str | None = None
    side: str | None = None
    folded: int = 0
    notes: list[str] = field(default_factory=list)


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
    """How the store stands on this replica; None for what only a key could tell.

    `sealed` counts those of the `records` that no key at hand opens, `sealed_scopes` names the `scopes` they may be in.
    """

    store: str
    root: str
    member: str | None
    replica: str
    plain: bool
    records: int | None
    pending: int
    conflicts: int | None
    ahead: int
    behind: int
    branch: str | None
    remote: str | None
    scopes: list[str]
    sealed: int | None = None
    sealed_scopes: list[str] = field(default_factory=list)
