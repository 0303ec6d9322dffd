"""Merging two states of one record. All that a reader needs is said here; the rest of the core spells it out.

A **writer** (`k3v9q2xa-1`) is the name one clone writes under, at one place and one time. Its n-th write to a record is the
**dot** `k3v9q2xa-1.n`. A **register** is a map from dots to the values they wrote. A `State` is what a record file holds:

    id, kind, scope     which record it is; two states that differ here are never merged
    schema              the version of its kind's schema
    seen                writer -> number: all writes of that writer up to this number are known here
    fields              name -> register
    sets                name -> element -> register
    life                one register of `alive` and `dead`
    counts              name -> writer -> that writer's own total
    last                name -> time

A dot that is known (`seen`) and not held was held once: a later write replaced or removed it. A dot that is not known was never
here. A state must be *well formed* (every dot it holds is covered by `seen`); the codec refuses files that are not.

`merge` is a join: commutative, associative, idempotent, and its result has one spelling only, so that replicas that have seen
the same writes hold the same bytes, whatever the order in which they met. It reads no base version, clock, configuration,
schema or key. The container says how its content merges:

    schema              maximum
    seen, counts        maximum for each writer (one writer's number only ever grows)
    last                maximum
    fields, sets, life  dot by dot: optimised observed-remove (Bieniusa et al., "An optimized conflict-free replicated set",
                        arXiv:1210.3368)

The cases of one dot, numbered as in docs/merging.md:

    1  both hold it                                   kept
    2  one holds it, the other has not seen it        kept: a concurrent write
    3  one holds it, the other has seen it            dropped: the other replaced it
    4  both hold it with different values             all values of the highest epoch are kept under that dot
    5  a value in the clear whose check does not fit  becomes a write of its own first (`normalise`)

In a register a dot is spelled as it is (a sealed value, `ENC[<epoch>,…]`), as `dot~check` (a value in the clear, with a hash of
it and its place) or as `dot#hash` (a second value under one dot); `spell` knows which.
"""

from __future__ import annotations

from gitmem.core.dots import Dot, checked, dot_of, json_line, long_hash, spell
from gitmem.core.record import State
from gitmem.core.token import is_token
from gitmem.errors import InvalidRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitmem.core.record import Json, Register

BY_HAND = "h-"
"""What the writer's name begins with where a hand edit became a write."""


def merge(a: State, b: State) -> State:
    """The join of two states of one record. Raises InvalidRecord when they are states of different records."""
    for name, left, right in (("id", a.id, b.id), ("kind", a.kind, b.kind), ("scope", a.scope, b.scope)):
        if left != right:
            raise InvalidRecord(
                f"cannot merge two different records: {name} {left} and {right}",
                "keep both files: one of them was renamed or copied over the other",
            )
    a, b = normalise(a), normalise(b)
    return State(
        kind=a.kind,
        schema=max(a.schema, b.schema),
        scope=a.scope,
        id=a.id,
        seen=_maximum(a.seen, b.seen),
        fields=_join_registers("fields", a.fields, b.fields, a.seen, b.seen),
        sets=_join_sets(a, b),
        life=_join("life", a.life, b.life, a.seen, b.seen),
        counts={name: _maximum(a.counts.get(name, {}), b.counts.get(name, {})) for name in a.counts | b.counts},
        last={name: max(a.last.get(name, ""), b.last.get(name, "")) for name in a.last | b.last},
    )


def merge_all(states: Iterable[State]) -> State:
    """The join of one or more states of one record."""
    first, *rest = states
    result = normalise(first)
    for state in rest:
        result = merge(result, state)
    return result


def normalise(state: State) -> State:
    """`state` with every hand edit turned into a write of its own; the same object when there is none.

    A hand edit of a plain store keeps the dot and changes the value (or takes both to another field, where the other side would
    count the dot as removed), so that the check no longer fits. It becomes the write `h-<hash>.1`, named by what was edited and
    what it became: two replicas that meet the same edit make the same write. `seen` covers the dot it replaced already.
    """
    edits = [(path, key) for path, register in state.registers() for key in register if _edited(path, key, register[key])]
    if not edits:
        return state
    result = state.copy()
    by_path = dict(result.registers())
    for path, key in edits:
        register = by_path[path]
        value = register.pop(key)
        dot = Dot(f"{BY_HAND}{long_hash(state.id, path, key, json_line(value))[:16]}", 1)
        register[checked(path, str(dot), value)] = value
        result.seen[dot.writer] = 1
    return result


def _edited(path: str, key: str, value: Json) -> bool:
    return not is_token(value) and key != checked(path, str(dot_of(key)), value)


def _maximum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {writer: max(a.get(writer, 0), b.get(writer, 0)) for writer in a | b}


def _join_registers(
    path: str, a: dict[str, Register], b: dict[str, Register], seen_a: dict[str, int], seen_b: dict[str, int]
) -> dict[str, Register]:
    joined = {name: _join(f"{path}/{name}", a.get(name, {}), b.get(name, {}), seen_a, seen_b) for name in a | b}
    return {name: register for name, register in joined.items() if register}


def _join_sets(a: State, b: State) -> dict[str, dict[str, Register]]:
    joined = {
        name: _join_registers(f"sets/{name}", a.sets.get(name, {}), b.sets.get(name, {}), a.seen, b.seen)
        for name in a.sets | b.sets
    }
    return {name: elements for name, elements in joined.items() if elements}


def _join(path: str, a: Register, b: Register, seen_a: dict[str, int], seen_b: dict[str, int]) -> Register:
    if a == b or not (b or seen_b):
        return dict(a)
    if not (a or seen_a):  # as above: a fragment of counters, of which `used` makes one each time
        return dict(b)
    left, right = _by_dot(a), _by_dot(b)
    result: Register = {}
    for dot in left.keys() | right.keys():
        mine, theirs = left.get(dot), right.get(dot)
        if mine is None and seen_a.get(dot.writer, 0) >= dot.n:
            continue
        if theirs is None and seen_b.get(dot.writer, 0) >= dot.n:
            continue
        result |= spell(path, dot, [*(mine or ()), *(theirs or ())])
    return result


def _by_dot(register: Register) -> dict[Dot, list[Json]]:
    values: dict[Dot, list[Json]] = {}
    for key, value in register.items():
        values.setdefault(dot_of(key), []).append(value)
    return values
