"""What a history that went on without gitmem has taken from a record, and how it is brought back.

A store only grows: whatever git's history does, the record at HEAD must hold what every earlier state of it held, but for what
a write replaced. A revert, a merge that took one side, or a file that went by hand break that. Given the states of a record in
a commit and in its parents, there are two kinds of loss:

- The child knows less than its parents: the file is gone or broken, `seen` or a counter went back, a value is missing that the
  child has not seen. Joining the parents brings it back, any number of times.
- The child has *seen* a write whose value it lacks, and has none of its own that replaced it: somebody took one side's value
  and both sides' `seen`. Joining cannot bring that back, it would only carry the loss on. The value must be **written again**,
  as a write of its own beside whatever stands there.

A value that a later write has replaced looks the same as one that was lost beside a later write. `Loss.beside` names the
writes that may have replaced it, `Loss.amid` those among which one may be that left nothing in its place. The log of who wrote
what decides.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from gitmem.core.dots import Dot, dot_of
from gitmem.core.merge import BY_HAND, merge, merge_all, normalise
from gitmem.core.record import Json, Register, State


class Loss(NamedTuple):
    """A value that is missing although the record claims to have seen it: the register it stood in (`fields/<name>`,
    `sets/<name>/<element>` or `life`), its key there, and itself.

    `beside` are the writes that may have replaced it. `amid` are, where nothing stands in its place, the writes that are new to
    the record: of each writer the first and the last.
    """

    path: str
    key: str
    value: Json
    beside: frozenset[Dot]
    amid: tuple[tuple[str, int, int], ...] = ()

    @property
    def dot(self) -> Dot:
        """The write that the value came with."""
        return dot_of(self.key)


class Finding(NamedTuple):
    """What a commit did to a record: whether its parents must be joined in again, and which values joining does not bring."""

    join: bool
    losses: list[Loss]


def examine(child: State | None, parents: Sequence[State]) -> Finding:
    """Hold a commit's state of a record (None: absent or broken) against the sound states its parents have."""
    if not parents:
        return Finding(False, [])
    if child is None:
        return Finding(True, [])
    expected, child = merge_all(parents), normalise(child)
    return Finding(merge(child, expected) != child, losses(child, expected))


def losses(child: State, expected: State) -> list[Loss]:
    """The values of `expected` that `child` has seen and does not hold. Both are normalised."""
    found, after = [], dict(registers(child))
    for path, register in registers(expected):
        held = {dot_of(key) for key in after.get(path, ())}
        gone = [key for key in register if dot_of(key) not in held and _knows(child, dot_of(key))]
        own = _own(after.get(path, {}), expected)
        if gone and not any(dot.writer.startswith(BY_HAND) for dot in own):  # whoever edits a field by hand has seen it
            beside, amid = (own, ()) if own else (_own(child.life, expected), _new(child, expected))
            found += [Loss(path, key, register[key], beside, amid) for key in gone]
    return found


def registers(state: State) -> Iterator[tuple[str, Register]]:
    """Every register of a record with its path, `life` among them."""
    yield from state.registers()
    yield "life", state.life


def without(state: State, dots: Container[Dot]) -> tuple[State, set[str]]:
    """A record without the values of some writes, which stay known; and the registers that held any."""
    left, hit = state.copy(), set[str]()
    for path, register in registers(left):
        for key in [key for key in register if dot_of(key) in dots]:
            del register[key]
            hit.add(path)
    left.fields = {name: register for name, register in left.fields.items() if register}
    left.sets = {name: kept for name, elements in left.sets.items() if (kept := {key: r for key, r in elements.items() if r})}
    return left, hit


def put_back(state: State, losses: Sequence[Loss]) -> State:
    """`state` with lost values in place again, under their own dots: for a state that nobody else has seen yet."""
    result = state.copy()
    for path, key, value, *_ in losses:
        container, _, rest = path.partition("/")
        if container == "sets":
            name, _, element = rest.partition("/")
            result.sets.setdefault(name, {}).setdefault(element, {})[key] = value
        else:
            (result.fields.setdefault(rest, {}) if rest else result.life)[key] = value
    return result


def settled(chosen: State, expected: State) -> State:
    """What a conflict becomes: what a person made of it (`chosen`) counts as far as they wrote something of their own, and
    nothing else of `expected`, the join of both sides, is lost.
    """
    chosen = normalise(chosen)
    dropped = [loss for loss in losses(chosen, expected) if not loss.beside]
    return merge(put_back(chosen, dropped), expected)


def _knows(state: State, dot: Dot) -> bool:
    return state.seen.get(dot.writer, 0) >= dot.n


def _own(register: Register, expected: State) -> frozenset[Dot]:
    """The writes in a register that none of the parents knew."""
    return frozenset(dot for dot in map(dot_of, register) if not _knows(expected, dot))


def _new(child: State, expected: State) -> tuple[tuple[str, int, int], ...]:
    """The writes that none of the parents knew, as ranges."""
    known = expected.seen
    return tuple((writer, known.get(writer, 0) + 1, n) for writer, n in child.seen.items() if n > known.get(writer, 0))
