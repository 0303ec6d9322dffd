"""Records as people read them."""

from __future__ import annotations

from collections.abc import Callable

from gitmem.core.kinds.schema import Kind
from gitmem.core.record import State
from gitmem.core.usage import usage_of
from gitmem.memory.results import Record, Value
from gitmem.store.opened import Opened

Author = Callable[[str], tuple[str, str] | None]
"""Who wrote a dot and when, or None if the log does not say (yet)."""


def record_of(opened: Opened, kind: Kind, *, created: bool = False, author: Author = lambda _: None) -> Record:
    """The public value of an opened record."""
    state = opened.state
    nested = kind.join(opened.fields, opened.sets)
    conflicts = {
        name: [Value(s.key, s.value, *(author(s.key) or (None, None))) for s in siblings]
        for name, siblings in opened.conflicts.items()
    }
    return Record(
        id=state.id,
        kind=state.kind,
        scope=state.scope,
        schema=state.schema,
        fields={name: value for name, value in nested.items() if name not in opened.sets},
        sets=opened.sets,
        usage=usage_of(state),
        alive=state.alive,
        conflicts=conflicts,
        contested=state.contested,
        created=created,
    )


def sealed_record(state: State) -> Record:
    """What can be told of a record that no key at hand opens: that it is there, and how it was used."""
    return Record(
        id=state.id,
        kind=state.kind,
        scope=state.scope,
        schema=state.schema,
        fields={},
        sets={},
        usage=usage_of(state),
        alive=state.alive,
        conflicts={},
        contested=state.contested,
        sealed=True,
    )
