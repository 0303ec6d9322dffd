"""What every use case works with: the open store, its kinds, and the clock and randomness of the edge."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitmem.core.kinds.schema import unknown_kind
from gitmem.errors import InvalidRecord
from gitmem.store.kinds import Kinds
from gitmem.store.store import Store

if TYPE_CHECKING:
    from gitmem.core.kinds.schema import Kind
    from gitmem.core.record import State
    from gitmem.memory.results import Record
    from gitmem.store.index import Index

TEAM = "team"
"""The scope of a record that names none."""


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Context:
    """One open store in use. `warn` is told what went wrong beside the answer; `progress` is (what, done, of) for long work.

    `agent` is the agent at work, if it is one: what it records is its own unless it says otherwise. `put_back` are the files
    of the work tree that stand there until a heal commits them, because git's history lost what the store is opened with;
    `recalled` are key files in whose place HEAD has another content (its blob), and whose keys are in use all the same.
    `redact` says whether what is written is redacted, `names` are those of the account it runs under, `env` is its environment.
    """

    store: Store
    kinds: Kinds
    clock: Callable[[], datetime] = utc_now
    entropy: Callable[[int], bytes] = os.urandom
    warn: Callable[[str], None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda _what, _done, _of: None
    index: Index | None = None
    paths: dict[str, str] = field(default_factory=dict)
    agent: str | None = None
    put_back: set[str] = field(default_factory=set)
    recalled: dict[str, str] = field(default_factory=dict)
    redact: bool = True
    names: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)

    def now(self) -> str:
        """The current time as records keep it: RFC 3339, UTC, seconds."""
        return timestamp(self.clock())


def kind_of(context: Context, record: State | Record) -> Kind:
    """The schema to read a record with: its own version, or the newest known one for a record of a newer gitmem.

    Raises InvalidRecord for a kind that is not known here.
    """
    latest = context.kinds.get(record.kind)
    return latest if record.schema >= latest.version else context.kinds.get(record.kind, record.schema)


def kind_to_show(context: Context, record: State | Record) -> Kind:
    """The same, and for what is not known here a kind that knows no fields: all are shown under the names they have."""
    try:
        return kind_of(context, record)
    except InvalidRecord:
        return unknown_kind(record.kind, record.schema)


def timestamp(when: datetime) -> str:
    """A time as records keep it: RFC 3339, UTC, seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
