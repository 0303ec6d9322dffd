"""Steps from one version of a kind to the next: pure functions of a record's state.

A version adds fields and takes none away, so that an older gitmem reads, writes and keeps records of a newer one. A step is a
`Derivation`: it works a field out of an older one, for a record in which nobody has said it yet. Replicas that migrate
separately write the same bytes: what is worked out of the write `d` is the write `m-<hash of record, step and d>.n`, and it is
sealed with a nonce that follows from the value and its place.

`n` says how far the step has come with `d`: odd numbers write the value, the next even one takes it back (`gitmem migrate
rollback`), so that a later run may write it again. So `seen` alone tells what is to be done, without a key.

Where a value that was worked out meets others (numbered as in docs/migrating.md):

    1  nobody has written the field                      it is written
    2  somebody has                                      theirs stands, and what was worked out gives way
    3  it was worked out of a value that was replaced    it gives way to what comes of the new value, if anything does
    4  concurrent values of the older field              each gives one: they are siblings, as their sources are
    5  somebody has removed it                           it stays away
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from gitmem.core.dots import Dot, dot_of, long_hash, spell
from gitmem.core.record import Json, Register, State

Open = Callable[[str, str, Json], Json]
"""Called with a register's path, a key in it and what stands there; returns the value."""
Seal = Callable[[str, str, Json], Json]
"""Called with a register's path, a dot and a value; returns what is stored: always the same for the same."""

_MARK: Final = "m-"


class Derivation(NamedTuple):
    """One step: version `version` of `kind` has the field `target`, worked out of the field `source`; None is no value."""

    kind: str
    version: int
    source: str
    target: str
    derive: Callable[[Json], str | None]

    def writer(self, record: str, dot: Dot) -> str:
        """The writer of what is worked out of one write."""
        return f"{_MARK}{long_hash(record, self.kind, str(self.version), self.target, str(dot))[:16]}"


_NUMBER: Final = r"v?(\d[\w.+-]*\w|\d)"
_SINCE: Final = (
    re.compile(rf"(?:since|from|starting with|>=)\s*(?:version\s+)?{_NUMBER}", re.IGNORECASE),
    re.compile(rf"{_NUMBER}\s*(?:\+|(?:and|or)\s+(?:later|newer|above|up)\b)", re.IGNORECASE),
    re.compile(rf"^\s*{_NUMBER}\s*(?:\.\.|-|–|to)\s*v?\d", re.IGNORECASE),  # noqa: RUF001 - people type both dashes
)
_FIXED_IN: Final = (
    re.compile(rf"fixed\s+(?:in|by|with|since)\s+(?:version\s+)?{_NUMBER}", re.IGNORECASE),
    re.compile(rf"(?:before|prior to|older than|<(?!=))\s*(?:version\s+)?{_NUMBER}", re.IGNORECASE),
)


def since(versions: Json) -> str | None:
    """The first version that a text such as `since 14.2`, `3.1+` or `>= 2, < 4` names; None where it names none."""
    return _found(_SINCE, versions)


def fixed_in(versions: Json) -> str | None:
    """The first version without the quirk, as in `before 3.2`, `< 4` or `fixed in 1.9.1`; None where none is named."""
    return _found(_FIXED_IN, versions)


def _found(shapes: Sequence[re.Pattern[str]], text: Json) -> str | None:
    if not isinstance(text, str):
        return None
    return next((match[1] for shape in shapes if (match := shape.search(text[:2000]))), None)


STEPS: Final = (
    Derivation("quirk", 2, "versions", "since", since),
    Derivation("quirk", 2, "versions", "fixed_in", fixed_in),
)


def steps_of(kind: str) -> tuple[Derivation, ...]:
    """The steps of a kind, the oldest first."""
    return tuple(step for step in STEPS if step.kind == kind)


def open_steps(state: State, steps: Sequence[Derivation], *, again: bool = False) -> list[Derivation]:
    """The steps that have something to do on a record that stands; with `again` also what was taken back. Needs no key."""
    if not state.alive:
        return []
    return [step for step in steps if any(_due(state, step, again=again)) or _yields(state, step)]


def migrate(state: State, steps: Sequence[Derivation], opener: Open, seal: Seal, *, again: bool = False) -> State:
    """`state` with everything worked out that is due; the same object where nothing is.

    Raises what `opener` and `seal` raise: without the key nothing can be worked out.
    """
    for step in open_steps(state, steps, again=again):
        state = _step(state, step, opener, seal, again=again)
    return state


def roll_back(state: State, steps: Sequence[Derivation]) -> State:
    """`state` without the values that these steps worked out; the same object where there are none. Needs no key."""
    for step in steps:
        going = [key for key in state.fields.get(step.target, {}) if _is_derived(key)]
        if going:
            state = state.copy()
            for dot in map(dot_of, going):
                state.seen[dot.writer] = max(state.seen.get(dot.writer, 0), dot.n + 1)
            _put(state, step.target, _without(state.fields[step.target], going))
    return state


def _step(state: State, step: Derivation, opener: Open, seal: Seal, *, again: bool) -> State:
    result, path = state.copy(), f"fields/{step.target}"
    fresh: Register = {}
    for dot, writer in _due(state, step, again=again):
        n = result.seen[writer] = state.seen.get(writer, 0) + 1
        texts = [step.derive(value) for value in _values(state, step.source, dot, opener)]
        fresh |= spell(path, Dot(writer, n), [seal(path, f"{writer}.{n}", text) for text in texts if text is not None])
    standing = state.fields.get(step.target, {})
    if _is_written(standing):
        _put(result, step.target, {key: value for key, value in standing.items() if not _is_derived(key)})
    elif fresh:
        sources = {step.writer(state.id, dot) for dot in _dots(state, step.source)}
        _put(result, step.target, fresh | {key: value for key, value in standing.items() if dot_of(key).writer in sources})
    return result


def _due(state: State, step: Derivation, *, again: bool) -> Iterator[tuple[Dot, str]]:
    """The writes of the source that the step has not dealt with, each with the writer of what comes of it."""
    for dot in _dots(state, step.source):
        writer = step.writer(state.id, dot)
        n = state.seen.get(writer, 0)
        if n == 0 or (again and n % 2 == 0):
            yield dot, writer


def _yields(state: State, step: Derivation) -> bool:
    """Whether a value that was worked out stands beside one that somebody wrote."""
    standing = state.fields.get(step.target, {})
    return _is_written(standing) and any(map(_is_derived, standing))


def _values(state: State, source: str, dot: Dot, opener: Open) -> list[Json]:
    register = state.fields[source]
    return [opener(f"fields/{source}", key, value) for key, value in register.items() if dot_of(key) == dot]


def _dots(state: State, field: str) -> list[Dot]:
    return sorted({dot_of(key) for key in state.fields.get(field, {})})


def _is_derived(key: str) -> bool:
    return key.startswith(_MARK)


def _is_written(register: Register) -> bool:
    return not all(map(_is_derived, register))


def _without(register: Register, keys: Sequence[str]) -> Register:
    return {key: value for key, value in register.items() if key not in keys}


def _put(state: State, field: str, register: Register) -> None:
    if register:
        state.fields[field] = register
    else:
        state.fields.pop(field, None)
