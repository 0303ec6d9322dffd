"""Which cases of merging a pair of states brings up, so that a test can tell whether its examples are worth anything.

Found by looking at the states, without any of the code that merges them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from gitmem.core.dots import DOT_KEY, checked
from gitmem.core.record import Json, State
from gitmem.core.token import epoch_of, is_token

CASES = frozenset(
    {
        "1: both hold a write",
        "2: a write the other has not seen",
        "2: a write whose writer the other knows, but not so far",
        "2: in a set",
        "2: alive or dead",
        "3: a write the other has replaced or removed",
        "3: in a set",
        "3: alive or dead",
        "4: values of two epochs",
        "4: two values of one epoch",
        "4: values in the clear",
        "4: alive and dead in one write",
        "5: a hand edit in a field",
        "5: a hand edit in a set",
        "5: a hand edit of the same value on both sides",
        "a second value under one dot, as dot#hash",
        "a value in the clear, as dot~check",
        "a hand edit that was stamped",
        "one dot in two fields",
        "several values wait",
        "deleted",
        "contested",
        "a fragment of counters",
        "a counter that the other has at less",
        "a counter that the other lacks",
        "a later time",
        "names from a newer gitmem",
        "another schema",
        "unequal, and nothing new on one side",
    }
)


def cases(a: State, b: State) -> Iterator[str]:
    """What `a` brings into a merge with `b`."""
    mine, theirs = _writes(a), _writes(b)
    yield from chain.from_iterable(_of_one_dot(place, dot, mine, theirs, b) for place, dot in mine)
    yield from _of_registers(a, b)
    yield from _of_numbers(a, b)
    if not a.seen and a.counts:
        yield "a fragment of counters"
    if a.schema > b.schema:
        yield "another schema"
    if any(name.startswith("x-") for name in (*a.fields, *a.counts, *a.last)):
        yield "names from a newer gitmem"
    if a != b and all(a.seen.get(writer, 0) >= n for writer, n in b.seen.items()):
        yield "unequal, and nothing new on one side"


def _of_one_dot(place: str, dot: str, mine: Writes, theirs: Writes, b: State) -> Iterator[str]:
    here, there = mine[place, dot], theirs.get((place, dot))
    container = place.partition("/")[0]
    where = {"sets": "in a set", "life": "alive or dead"}.get(container)
    if there is not None:
        yield "1: both hold a write"
        yield from _of_two_values(container, here, there)
        return
    writer, _, n = dot.rpartition(".")
    seen = b.seen.get(writer, 0)
    number = 2 if seen < int(n) else 3
    yield f"{number}: {where}" if where else _UNTOLD[number]
    if 0 < seen < int(n):
        yield "2: a write whose writer the other knows, but not so far"
    if any(other == dot and elsewhere != place for elsewhere, other in theirs):
        yield "one dot in two fields"


_UNTOLD = {2: "2: a write the other has not seen", 3: "3: a write the other has replaced or removed"}


def _of_two_values(container: str, here: list[Json], there: list[Json]) -> Iterator[str]:
    if here == there:
        return
    if container == "life":
        yield "4: alive and dead in one write"
    elif not all(map(is_token, [*here, *there])):
        yield "4: values in the clear"
    else:
        epochs = {epoch_of(str(value)) for value in (*here, *there)}
        yield "4: two values of one epoch" if len(epochs) == 1 else "4: values of two epochs"


_MARKS = {
    "h-": "a hand edit that was stamped",
    "#": "a second value under one dot, as dot#hash",
    "~": "a value in the clear, as dot~check",
}


def _of_registers(a: State, b: State) -> Iterator[str]:
    others = dict(b.registers())
    for place, register in a.registers():
        if len(register) > 1:
            yield "several values wait"
        for key, value in register.items():
            yield from (told for mark, told in _MARKS.items() if mark in key)
            if not is_token(value) and key != checked(place, _dot(key), value):
                yield f"5: a hand edit in a {place.partition('s/')[0]}"
                if others.get(place, {}).get(key, value) != value:
                    yield "5: a hand edit of the same value on both sides"
    if not a.alive:
        yield "deleted"
    if a.contested:
        yield "contested"


def _of_numbers(a: State, b: State) -> Iterator[str]:
    for name, by_writer in a.counts.items():
        for writer, n in by_writer.items():
            held = b.counts.get(name, {}).get(writer)
            if held is None:
                yield "a counter that the other lacks"
            elif held < n:
                yield "a counter that the other has at less"
    if any(time > b.last.get(name, time) for name, time in a.last.items()):
        yield "a later time"


Writes = dict[tuple[str, str], list[Json]]


def _writes(state: State) -> Writes:
    found: Writes = {}
    for place, register in (*state.registers(), ("life", state.life)):
        for key, value in register.items():
            found.setdefault((place, _dot(key)), []).append(value)
    return found


def _dot(key: str) -> str:
    match = DOT_KEY.fullmatch(key)
    assert match is not None
    return f"{match[1]}.{match[2]}"
