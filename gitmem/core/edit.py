"""Writing to a record: every change takes the next dot of its writer and replaces what it has seen."""

from __future__ import annotations

from collections.abc import Callable

from gitmem.core.dots import Dot, dot_of, key_for
from gitmem.core.record import ALIVE, DEAD, MAX_NUMBER, Json, Register, State
from gitmem.errors import InvalidRecord

Seal = Callable[[str, str], Json]
"""Called with the path of a register and the dot of the write; returns the value as it is to be stored."""


def unsealed(value: Json) -> Seal:
    """A seal that leaves `value` as it is."""
    return lambda _path, _dot: value


def sealed_by(seal: Callable[[str, str, Json], Json], value: Json) -> Seal:
    """The seal of one `value`, by what seals any (called with path, dot and value)."""
    return lambda path, dot: seal(path, dot, value)


class Pen:
    """One writer's pen on a copy of one record's state; `state` is the result."""

    def __init__(self, state: State, writer: str) -> None:
        self.state = state.copy()
        self.writer = writer

    def set(self, name: str, seal: Seal) -> None:
        """Write a field, replacing all values it has now (concurrent ones included: writing resolves)."""
        self.state.fields[name] = self._written(f"fields/{name}", seal)

    def unset(self, name: str) -> None:
        """Remove a field's values. What a replica has not seen yet survives the merge."""
        self.state.fields.pop(name, None)

    def add(self, name: str, key: str, seal: Seal) -> None:
        """Put an element into a set; one that is already there stays as it is."""
        elements = self.state.sets.setdefault(name, {})
        if key not in elements:
            elements[key] = self._written(f"sets/{name}/{key}", seal)

    def drop(self, name: str, key: str) -> None:
        """Take an element out of a set."""
        elements = self.state.sets.get(name, {})
        elements.pop(key, None)
        if not elements:
            self.state.sets.pop(name, None)

    def beside(self, path: str, seal: Seal) -> None:
        """Write a value into the register at `path` (as `State.registers` spells it, or `life`), beside those that stand."""
        container, _, rest = path.partition("/")
        if container == "sets":
            name, _, key = rest.partition("/")
            register = self.state.sets.setdefault(name, {}).setdefault(key, {})
        else:
            register = self.state.fields.setdefault(rest, {}) if rest else self.state.life
        written = self._written(path, seal)
        register.update(written if rest else {str(dot_of(key)): value for key, value in written.items()})

    def live(self) -> None:
        """Say that the record stands; each edit does, so that it outlives a deletion it has not seen."""
        self.state.life = {str(self._next()): ALIVE}

    def die(self) -> None:
        """Delete the record: the file stays as its tombstone."""
        self.state.life = {str(self._next()): DEAD}

    def count(self, counter: str, by: int = 1) -> None:
        """Add to one of this writer's counters."""
        self.state.counts.setdefault(counter, {})[self.writer] = _raised(self.state, self.writer, counter, by)

    def touch(self, name: str, when: str) -> None:
        """Note that something happened at `when` (RFC 3339 UTC); the latest stays."""
        self.state.last[name] = max(when, self.state.last.get(name, ""))

    def _written(self, path: str, seal: Seal) -> Register:
        dot = str(self._next())
        value = seal(path, dot)
        return {key_for(path, dot, value): value}

    def _next(self) -> Dot:
        n = self.state.seen.get(self.writer, 0) + 1
        if n > MAX_NUMBER:
            raise InvalidRecord(
                f"record {self.state.id} claims {n - 1} writes of {self.writer}, more than can be",
                "gitmem did not write that number: restore an earlier version of the file with git",
            )
        self.state.seen[self.writer] = n
        return Dot(self.writer, n)


def counted(state: State, writer: str, names: dict[str, int], last: dict[str, str]) -> State:
    """A fragment of `state` that holds nothing but `writer`'s counters `names`, raised by the given amounts, and times.

    It claims to have seen nothing, so that merging it adds to any state of the record and overwrites none; its counters are
    absolute, so that merging it twice counts once.
    """
    counts = {name: {writer: _raised(state, writer, name, by)} for name, by in names.items()}
    return State(state.kind, state.schema, state.scope, state.id, counts=counts, last=last)


def _raised(state: State, writer: str, counter: str, by: int) -> int:
    """What the counter becomes; it stops at the largest number a file may hold."""
    return min(state.counts.get(counter, {}).get(writer, 0) + by, MAX_NUMBER)
