"""What an entry vouches for inside a record, so that merges, rebases and squashes explain themselves.

The hash of a file is of no help once a rebase has joined it with somebody else's writes: the signed state is then in no
commit. So an entry also lists what its commit did to the record: the writes it added (with a hash of each value), those it
took away, how far it raised counters. These lists join like the records do, in any order. A record is genuine when it holds
just what its entries add up to, and a state from its past is genuine when nothing in it is without an entry.

A delta in an entry's detail, every part left out when empty:

    dots    {writer: [from, to]}               numbers of the writes it covers: a value among them that it does not add is gone
    adds    {writer: {n: hash}}                values it added: 128 bits of SHA-256 over path, dot and value
    gone    {writer: [n, ...]}                 values it replaced or removed
    counts  {name: {writer: [before, after]}}  counters it raised
    last    {name: time}                       times it moved
    schema  n                                  the schema's version, when it rose
    whole   true                               the state came from outside, and all of it is vouched for
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gitmem.core.auditing.audit import Entry
from gitmem.core.dots import Dot, dot_of, json_line
from gitmem.core.record import ALIVE, DEAD, MAX_NUMBER, Json, Register, State

_LIFE: Final = "life"
_DIGEST: Final = 16  # bytes: 128 bits
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")

Values = dict[Dot, set[str]]
"""The hashes of the values that stand under each dot."""


def record_detail(before: State | None, after: State, *, outside: bool = False, told: Iterable[Entry] = ()) -> dict[str, Json]:
    """What turned `before` (None: no record) into `after`, as an entry's detail says it, but for what others have `told`.

    With `outside`, the whole of `after` is vouched for, because no entry explains it (`before` is not read then).
    """
    start = State(after.kind, 0, after.scope, after.id) if before is None or outside else before
    old, new = values_of(start), values_of(after)
    if told := [*told]:
        ledger = Ledger.of(told)
        start, old = ledger.brought_on(start), ledger.with_values(old)
    detail: dict[str, Json] = {
        "dots": {w: [start.seen.get(w, 0) + 1, n] for w, n in after.seen.items() if n > start.seen.get(w, 0)},
        "adds": _added(old, new),
        "gone": _gone(old, new),
        "counts": _raised(start.counts, after.counts),
        "last": {name: time for name, time in after.last.items() if time > start.last.get(name, "")},
    }
    detail = {name: part for name, part in detail.items() if part}
    if after.schema > start.schema:
        detail["schema"] = after.schema
    return detail | {"whole": True} if outside else detail


def values_of(state: State) -> Values:
    """The hashes of all values in a record, `life` among them."""
    values: Values = {}
    for path, register in _registers(state):
        for dot, digests in values_in(path, register).items():
            values.setdefault(dot, set()).update(digests)
    return values


def values_in(path: str, register: Register) -> Values:
    """The hashes of the values in one register."""
    values: Values = {}
    for key, value in register.items():
        dot = dot_of(key)
        values.setdefault(dot, set()).add(_digest(path, dot, value))
    return values


def says_life(dot: Dot, *words: str) -> set[str]:
    """The hashes of the values that say that a record lives, or is dead."""
    return {_digest(_LIFE, dot, word) for word in words}


def _digest(path: str, dot: Dot, value: Json) -> str:
    text = f"{path}\0{dot}\0{json_line(value)}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(sha256(text).digest()[:_DIGEST]).decode().rstrip("=")


def _registers(state: State) -> Iterator[tuple[str, Register]]:
    yield from state.registers()
    yield _LIFE, state.life


def _added(before: Values, after: Values) -> dict[str, Json]:
    added: dict[str, Any] = {}
    for dot, digests in after.items():
        new = sorted(digests - before.get(dot, set()))
        if new:
            added.setdefault(dot.writer, {})[str(dot.n)] = new[0] if len(new) == 1 else new
    return added


def _gone(before: Values, after: Values) -> dict[str, Json]:
    gone: dict[str, Any] = {}
    for dot in sorted(before.keys() - after.keys()):
        gone.setdefault(dot.writer, []).append(dot.n)
    return gone


def _raised(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> dict[str, Json]:
    raised: dict[str, Any] = {}
    for name, counts in after.items():
        old = before.get(name, {})
        if more := {writer: [old.get(writer, 0), n] for writer, n in counts.items() if n > old.get(writer, 0)}:
            raised[name] = more
    return raised


@dataclass(slots=True)
class Ledger:
    """What all entries about one record vouch for together."""

    seen: dict[str, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    gone: set[Dot] = field(default_factory=set)
    counts: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    last: dict[str, set[str]] = field(default_factory=dict)
    schemas: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Ledger:
        """Add entries up. Parts that are not of the right form vouch for nothing."""
        ledger, deltas = cls(), [_Delta.read(entry.detail) for entry in entries]
        for delta in deltas:
            ledger._take(delta)
        written: dict[str, set[int]] = {}
        for dot in ledger.values:
            written.setdefault(dot.writer, set()).add(dot.n)
        for delta in deltas:
            ledger.gone |= delta.passed_over(written)
        return ledger

    def _take(self, delta: _Delta) -> None:
        for writer, (_, n) in delta.seen.items():
            self.seen[writer] = max(n, self.seen.get(writer, 0))
        for dot, digests in delta.adds.items():
            self.values.setdefault(dot, set()).update(digests)
        self.gone |= delta.gone
        for place, pair in delta.counts.items():
            self.counts.setdefault(place, set()).update(pair)
        for name, time in delta.last.items():
            self.last.setdefault(name, set()).add(time)
        self.schemas |= delta.schemas

    def with_values(self, values: Values) -> Values:
        """What is left of these values after the entries, and what they added."""
        held = {dot: digests | self.values.get(dot, set()) for dot, digests in values.items()}
        return {dot: digests for dot, digests in (self.values | held).items() if dot not in self.gone}

    def brought_on(self, start: State) -> State:
        """A state after the entries, but for its values, which they only have the hashes of."""
        state = start.copy()
        life = {
            str(dot): word for dot in self.values for word in (ALIVE, DEAD) if _digest(_LIFE, dot, word) in self.values[dot]
        }
        state.life = {key: word for key, word in (state.life | life).items() if dot_of(key) not in self.gone}
        for writer, n in self.seen.items():
            state.seen[writer] = max(n, state.seen.get(writer, 0))
        for (name, writer), numbers in self.counts.items():
            counts = state.counts.setdefault(name, {})
            counts[writer] = max(*numbers, counts.get(writer, 0))
        for name, times in self.last.items():
            state.last[name] = max(*times, state.last.get(name, ""))
        state.schema = max(state.schema, *self.schemas, 0)
        return state

    def surplus(self, state: State) -> str | None:
        """What in `state` no entry vouches for, or what is missing from it although none took it away; None if all is well."""
        held = values_of(state)
        for dot, digests in held.items():
            if not digests <= self.values.get(dot, set()):
                return f"the value written as {dot} has no entry"
        for dot in self.values.keys() - held.keys() - self.gone:
            if dot.n <= state.seen.get(dot.writer, 0):
                return f"the value written as {dot} was taken out without an entry"
        for writer, n in state.seen.items():
            if n > self.seen.get(writer, 0):
                return f"write {n} of {writer} has no entry"
        for name, counts in state.counts.items():
            for writer, n in counts.items():
                if n and n not in self.counts.get((name, writer), ()):
                    return f"{n} {name} by {writer} is not what its entries count"
        return self._surplus_header(state)

    def _surplus_header(self, state: State) -> str | None:
        for name, time in state.last.items():
            if time not in self.last.get(name, ()):
                return f"the time {name!r} has no entry"
        return None if state.schema in self.schemas else f"schema {state.schema} has no entry"

    def is_empty(self) -> bool:
        """Whether every value was taken away again but for those that say that the record lives, or is dead."""
        left = ((dot, digests) for dot, digests in self.values.items() if dot not in self.gone)
        return all(digests <= says_life(dot, ALIVE, DEAD) for dot, digests in left)

    def missing(self, state: State) -> str | None:
        """What entries vouch for and `state`, the newest, does not hold; None if it holds all. Call after `surplus`."""
        held = values_of(state)
        for writer, n in self.seen.items():
            if state.seen.get(writer, 0) < n:
                return f"write {n} of {writer} is gone from it"
        for dot in held:
            if dot in self.gone:
                return f"the value written as {dot} was replaced and stands again"
        for (name, writer), counts in self.counts.items():
            if state.counts.get(name, {}).get(writer, 0) < max(counts):
                return f"{name} by {writer} was {max(counts)} and is less"
        for name, times in self.last.items():
            if state.last.get(name, "") < max(times):
                return f"the time {name!r} has gone back"
        return None if state.schema >= max(self.schemas, default=0) else "its schema has gone back"


def standing_values(entries: Iterable[Entry]) -> Values:
    """The values that each of some entries adds and does not take out in one go, as whoever takes back a refused write does."""
    values: Values = {}
    for ledger in (Ledger.of([entry]) for entry in entries):
        for dot, digests in ledger.values.items():
            if dot not in ledger.gone:
                values.setdefault(dot, set()).update(digests)
    return values


@dataclass(slots=True)
class _Delta:
    """A detail's delta, read with distrust: signed by a member, and yet of any shape."""

    seen: dict[str, tuple[int, int]]
    adds: Values
    gone: set[Dot]
    counts: dict[tuple[str, str], tuple[int, int]]
    last: dict[str, str]
    schemas: set[int]

    @classmethod
    def read(cls, detail: dict[str, Json]) -> _Delta:
        adds = {dot: digests for dot, value in _by_dot(detail.get("adds")) if (digests := _texts(value))}
        gone = {
            Dot(writer, n)
            for writer, numbers in _items(detail.get("gone"))
            if isinstance(numbers, list)
            for n in _ints(numbers)
        }
        counts = {
            (name, writer): pair
            for name, by_writer in _items(detail.get("counts"))
            for writer, value in _items(by_writer)
            if (pair := _pair(value))
        }
        last = {name: time for name, time in _items(detail.get("last")) if isinstance(time, str)}
        return cls(dots_in(detail), adds, gone, counts, last, set(_ints([detail.get("schema")])))

    def passed_over(self, written: dict[str, set[int]]) -> set[Dot]:
        """The values that it covers and does not add: a state that has seen a write and lacks it says that it was replaced.

        They are not in `gone` where the commit's parent had never held them: the journal's state then came on top of a history
        that had gone back behind the write and what replaced it.
        """
        found: set[Dot] = set()
        for writer, (first, last) in self.seen.items():
            held = written.get(writer, set())
            few = range(first, last + 1) if last - first < len(held) else held
            found.update(Dot(writer, n) for n in few if first <= n <= last and n in held)
        return found - self.adds.keys()


def dots_in(detail: dict[str, Json]) -> dict[str, tuple[int, int]]:
    """The ranges of write numbers that an entry covers, by writer."""
    return {writer: pair for writer, value in _items(detail.get("dots")) if (pair := _pair(value))}


def raised_in(detail: dict[str, Json]) -> dict[str, int]:
    """By how much an entry raised each counter; no more than a counter can hold, for Python writes no number of any size."""
    raised: dict[str, int] = {}
    for (name, _), (before, after) in _Delta.read(detail).counts.items():
        if 0 <= before <= after <= MAX_NUMBER:
            raised[name] = raised.get(name, 0) + after - before
    return raised


def _items(value: Json) -> list[tuple[str, Json]]:
    return list(value.items()) if isinstance(value, dict) else []


def _ints(value: Json) -> list[int]:
    return [n for n in value if isinstance(n, int) and not isinstance(n, bool)] if isinstance(value, list) else []


def _texts(value: Json) -> set[str]:
    return {text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)}


def _pair(value: Json) -> tuple[int, int] | None:
    numbers = _ints(value)
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _by_dot(value: Json) -> Iterator[tuple[Dot, Json]]:
    for writer, by_number in _items(value):
        for number, digests in _items(by_number):
            if _NUMBER.fullmatch(number):
                yield Dot(writer, int(number)), digests
