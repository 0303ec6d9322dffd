"""One record as it was, put back by writes of today: so it converges like any other edit, and nothing has to be taken back.

A state of the past is contained in today's, for states only grow. What was dropped since is written anew, what differs
is left as it is or written over, as is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.core.auditing.audit import RESTORE
from gitmem.core.dots import json_line
from gitmem.core.edit import Pen, sealed_by
from gitmem.core.ids import element_key
from gitmem.core.merge import merge
from gitmem.core.record import Json, State
from gitmem.memory.context import Context
from gitmem.store.opened import Opened
from gitmem.store.store import Write


@dataclass(slots=True)
class Difference:
    """What a record lacks today of what it was (`lost`), says otherwise (`newer`), and did not have then (`since`).

    Fields by name, elements of sets as (set, value). Where the record itself is gone, all of it is lost.
    """

    gone: bool
    lost: dict[str, Json] = field(default_factory=dict)
    newer: dict[str, Json] = field(default_factory=dict)
    since: list[str] = field(default_factory=list)
    lost_elements: list[tuple[str, Json]] = field(default_factory=list)
    since_elements: list[tuple[str, Json]] = field(default_factory=list)

    def writes(self, *, replace: bool) -> bool:
        """Whether putting it back changes anything."""
        merged = bool(self.gone or self.lost or self.lost_elements)
        return merged or (replace and bool(self.newer or self.since or self.since_elements))


def compare(then: Opened, now: Opened | None) -> Difference:
    """What a record was, held against what it is; None where there is none.

    Of a field that had concurrent values then, the one that was shown counts: it is the same in every clone.
    """
    was = then.fields
    if now is None or not now.state.alive:
        elements = [(name, value) for name, values in then.sets.items() for value in values]
        return Difference(True, lost=dict(was), lost_elements=elements)
    same = {name for name, value in was.items() if name in now.fields and json_line(value) == json_line(now.fields[name])}
    return Difference(
        False,
        lost={name: value for name, value in was.items() if name not in now.fields},
        newer={name: value for name, value in was.items() if name in now.fields and name not in same},
        since=sorted(now.fields.keys() - then.fields.keys()),
        lost_elements=_beyond(then.sets, now.sets),
        since_elements=_beyond(now.sets, then.sets),
    )


def put_back(context: Context, path: str, then: Opened, different: Difference, *, replace: bool) -> Write:
    """The write that puts a record back. Called under the store's lock. Raises NoKey without the scope's key."""
    store, old = context.store, then.state
    now, grave = store.read(path), store.graves.of(path)
    known = now if now is not None else grave
    base = old if known is None else known if now is None else merge(now, old)
    pen = Pen(base, store.writer_for(path, known))
    _write_values(context, pen, then, different, replace=replace)
    pen.state.schema = max(pen.state.schema, old.schema)
    pen.live()
    pen.touch("changed", context.now())
    return Write(path, pen.state, events=[_event(context, pen.state)])


def _write_values(context: Context, pen: Pen, then: Opened, different: Difference, *, replace: bool) -> None:
    seal = context.store.sealing(pen.state)
    if different.gone:
        _clear(pen, then)
    for name, value in sorted({**different.lost, **(different.newer if replace else {})}.items()):
        pen.set(name, sealed_by(seal, value))
    for name in different.since if replace else ():
        pen.unset(name)
    for name, value in different.since_elements if replace else ():
        pen.drop(name, _key(context, pen.state, name, value))
    for name, value in different.lost_elements:
        pen.add(name, _key(context, pen.state, name, value), sealed_by(seal, value))


def _clear(pen: Pen, then: Opened) -> None:
    """Take out what a record that is gone still holds, to be written anew: a `gc` elsewhere may just be collecting it."""
    for name in [*pen.state.sets]:
        for key in [*pen.state.sets[name]]:
            pen.drop(name, key)
    for name in pen.state.fields.keys() - then.fields.keys():
        pen.unset(name)


def _key(context: Context, state: State, name: str, value: Json) -> str:
    return element_key(context.store.vault.id_key(state.scope), f"{state.id}/{name}", value)


def take_out(context: Context, path: str, now: State) -> Write:
    """The write that forgets a record which was not there then."""
    pen = Pen(now, context.store.writer_for(path, now))
    pen.die()
    pen.touch("changed", context.now())
    return Write(path, pen.state, events=[_event(context, pen.state)])


def _beyond(some: dict[str, list[Json]], others: dict[str, list[Json]]) -> list[tuple[str, Json]]:
    """The elements of sets that others lack."""
    known = {(name, json_line(value)) for name, values in others.items() for value in values}
    return [(name, value) for name, values in sorted(some.items()) for value in values if (name, json_line(value)) not in known]


def _event(context: Context, state: State) -> dict[str, Json]:
    writer = context.store.replica.writer
    return {"op": RESTORE, "id": state.id, "at": context.now(), "by": writer, "n": state.seen[writer]}
