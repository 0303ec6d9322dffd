"""Erasing: burying a record at once, without waiting until everybody has heard of it; or taking single values out of it.

The grave of an erased record says when that was, among the times in `last`, which only ever rise. So this mark merges as
everything else in a record does. If somebody who had not heard writes to the record, the mark stays on it: what they wrote
stands alone, and nobody completes it from what was erased.

What git's history holds of it is another matter. A `Rule` says what may stand of any earlier state of a record: nothing that
was written up to a certain point, and nothing of certain writes. Cleaning two states and joining them is the same as joining
and cleaning, so that a history that was cleaned fits together as the one before did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gitmem.core.collected import grave_in, grave_of, places_in
from gitmem.core.dots import Dot, dot_of
from gitmem.core.edit import Pen
from gitmem.core.merge import normalise
from gitmem.core.record import Json, Register, State

ERASED: Final = "erased"
"""The time in a grave, and the part of an entry's detail."""


def erased(state: State, writer: str, when: str) -> State:
    """The grave of a record that `writer` erases at `when` (RFC 3339 UTC): all it has seen is gone, its counts stay."""
    pen = Pen(state, writer)
    pen.die()
    pen.touch(ERASED, when)
    return grave_of(pen.state)


def erased_at(state: State | None) -> str | None:
    """When a record was erased last; None for one that never was."""
    return None if state is None else state.last.get(ERASED)


def erased_in(listing: State) -> dict[str, State]:
    """The graves of erased records in a list, by the path of the record's file."""
    found = {path: grave_in(listing, path) for path in places_in(listing, f"\n  {ERASED}: ")}
    return {path: grave for path, grave in found.items() if grave is not None and erased_at(grave)}


def erased_detail(state: State) -> dict[str, Json]:
    """What the entry about an erased record says: nothing that `state` has seen is to stand anywhere."""
    return {ERASED: {"seen": dict(state.seen)}}


def redacted_detail(values: Iterable[tuple[str, str]]) -> dict[str, Json]:
    """What the entry about a redaction says: no value written there, as (register, key), is to stand anywhere."""
    writes: dict[str, dict[str, list[Json]]] = {}
    for register, dot in sorted({(register, dot_of(key)) for register, key in values}):
        writes.setdefault(register, {}).setdefault(dot.writer, []).append(dot.n)
    return {ERASED: {"writes": {register: {**by_writer} for register, by_writer in writes.items()}}}


def is_redaction(detail: Mapping[str, Json]) -> bool:
    """Whether an entry says that single values were erased, and not the record."""
    told = detail.get(ERASED)
    return isinstance(told, dict) and "writes" in told


class Rule:
    """What may stand of a record's earlier states: nothing written up to a certain point, and nothing of certain writes."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._writes: set[tuple[str, Dot]] = set()

    def add(self, detail: Mapping[str, Json]) -> bool:
        """Take in what a signed entry says was erased; False, and nothing taken in, for what has another form."""
        told = detail.get(ERASED)
        if not isinstance(told, dict) or not (told.get("seen") or told.get("writes")):
            return False
        for writer, n in _items(told.get("seen")):
            if isinstance(n, int):
                self._seen[writer] = max(n, self._seen.get(writer, 0))
        for register, by_writer in _items(told.get("writes")):
            for writer, numbers in _items(by_writer):
                some = numbers if isinstance(numbers, list) else []
                self._writes.update((register, Dot(writer, n)) for n in some if isinstance(n, int))
        return True

    def cleaned(self, state: State) -> State | None:
        """What is left of a state of the record; the same one where it holds nothing that was erased, None for nothing."""
        result = normalise(state).copy()
        result.fields = self._kept("fields", result.fields)
        result.sets = {name: kept for name, some in result.sets.items() if (kept := self._kept(f"sets/{name}", some))}
        result.life = self._left("life", result.life)
        if result == state:
            return state
        return result if result.fields or result.sets or result.life else None

    def _kept(self, above: str, registers: dict[str, Register]) -> dict[str, Register]:
        return {name: left for name, old in registers.items() if (left := self._left(f"{above}/{name}", old))}

    def _left(self, path: str, register: Register) -> Register:
        return {key: value for key, value in register.items() if not self._is_erased(path, dot_of(key))}

    def _is_erased(self, path: str, dot: Dot) -> bool:
        return dot.n <= self._seen.get(dot.writer, 0) or (path, dot) in self._writes


def _items(value: Json) -> list[tuple[str, Json]]:
    return list(value.items()) if isinstance(value, dict) else []
