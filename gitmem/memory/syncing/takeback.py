"""What the tree must hold again where entries of somebody without the right to them had changed it.

A record keeps what honest members wrote since: the refused values go (their writes stay known, so that no merge brings them
back), and values that they had replaced are written again beside what stands. Counts stay, for they only ever grow: one use
more or less does too little harm to be worth a mechanism of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from gitmem.core.auditing.audit import ANSWERS, QUARANTINE, Entry
from gitmem.core.auditing.delta import Ledger, record_detail
from gitmem.core.codec import emit
from gitmem.core.dots import Dot, dot_of
from gitmem.core.edit import Pen
from gitmem.core.heal import Loss, registers, without
from gitmem.core.record import Json, Register, State
from gitmem.errors import NoKey
from gitmem.memory.auditing.history import OWN, read_history
from gitmem.memory.committing.commit import Extra
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record
from gitmem.memory.syncing.heal import Healed, write_again
from gitmem.memory.syncing.healing import Plan

_FEW: Final = 200  # paths that git is asked about by name; of more all is read


@dataclass(slots=True)
class Touched:
    """What refused entries did to one file: the first segment that holds one, and the entries."""

    segment: str
    entries: list[Entry] = field(default_factory=list)


class Past:
    """What a commit's history says of single files."""

    def __init__(self, context: Context, head: str) -> None:
        self.context = context
        self.head = head
        self._brought: dict[str, dict[str, str]] = {}

    def look_up(self, paths: Iterable[str]) -> None:
        """Read what the history says of some files in one go: asked one by one, each has git walk all of it."""
        store, wanted = self.context.store, sorted({*paths} - self._brought.keys())
        if wanted:
            below = wanted if len(wanted) <= _FEW else OWN
            states = read_history(store.repo, store.prefix, self.head, paths=below).states
            self._brought.update({path: states.get(path, {}) for path in wanted})

    def below(self, folder: str) -> dict[str, bytes]:
        """The files below a folder at HEAD."""
        store = self.context.store
        paths = store.repo.ls_tree(self.head, [f"{store.prefix}{folder}/"])
        return contents_at(self.context, self.head, [path.removeprefix(store.prefix) for path in paths])

    def now(self, path: str) -> bytes | None:
        """A file as HEAD has it."""
        return contents_at(self.context, self.head, [path]).get(path)

    def before(self, path: str, segment: str) -> bytes | None:
        """A file as it was before the commit that brought a segment."""
        self.look_up([segment])
        brought = next(iter(self._brought[segment].values()), None)
        parent = self.context.store.repo.resolve(f"{brought}^") if brought else None
        return contents_at(self.context, parent, [path]).get(path)

    def contents(self, path: str) -> dict[str, bytes]:
        """All that a file ever was, by SHA-256."""
        self.look_up([path])
        return {sha256(data).hexdigest(): data for _, data in self.context.store.repo.read_blobs(self._brought[path])}


def taken_back(context: Context, past: Past, path: str, what: Touched, counted: list[Entry]) -> Extra | None:
    """The file without what refused entries did to it, with the entry that answers for that; None if nothing is to be done.

    Raises NoKey where a value must be written again that the caller cannot read.
    """
    data, base = past.now(path), past.before(path, what.segment)
    signed = {entry.after for entry in counted}
    refused = past.contents(path).keys() | {None for entry in what.entries if entry.after is None}
    answers: list[Json] = [*sorted(refused - signed, key=str)]
    state = None if data is None or not holds_record(path) else parse_or_none(data, path)
    if state is None:
        if path.startswith("log/"):  # logs are only added to: what it tells of is gone from the records
            return Extra(path, data, QUARANTINE, {ANSWERS: answers}, complete=True)
        theirs = {entry.after for entry in what.entries} - signed
        mine = None if data is None else sha256(data).hexdigest()
        if mine in theirs:
            return Extra(path, base, QUARANTINE, {ANSWERS: answers}, complete=True)
        if data is not None or not answers:
            return None
        return Extra(path, None, QUARANTINE, {ANSWERS: [*answers, None]}, complete=True)  # left out already, by whoever met it
    plan = _plan(path, state, None if base is None else parse_or_none(base, path), what, counted)
    if base is None and plan.state is not None and not plan.state.life:
        pen = Pen(plan.state, context.store.writer_for(path, state))
        pen.die()  # it was never there
        plan.state = pen.state
    healed = Healed()
    if not write_again(context, plan, healed):
        raise NoKey(healed.problems[0], "")
    if plan.state is None or (plan.state == state and not answers):
        return None
    return Extra(path, emit(plan.state), QUARANTINE, _detail(state, plan, what.entries) | {ANSWERS: answers}, complete=True)


def _plan(path: str, state: State, base: State | None, what: Touched, counted: Iterable[Entry]) -> Plan:
    bad, good = Ledger.of(what.entries), Ledger.of(counted)
    left, emptied = without(state, bad.values.keys() - good.values.keys())
    losses = [] if base is None else _losses(state, left, base, emptied, bad.gone)
    return Plan(path, emit(state), left, None, state, losses)


def _losses(state: State, left: State, base: State, hit: set[str], gone: set[Dot]) -> list[Loss]:
    """The values that refused writes had replaced or removed, where nothing that counts has replaced them since."""
    held: dict[str, Register] = dict(registers(left))
    found = []
    for path, register in registers(base):
        for key, value in register.items():
            dot = dot_of(key)
            known = state.seen.get(dot.writer, 0) >= dot.n and key not in held.get(path, {})
            if known and (path in hit or (dot in gone and not held.get(path))):
                found.append(Loss(path, key, value, frozenset()))
    return found


def _detail(state: State, plan: Plan, refused: list[Entry]) -> dict[str, Json]:
    """What the entry vouches for: all of the record as it is now, and that the refused writes were there and are gone."""
    assert plan.state is not None  # noqa: S101 - the caller has looked
    detail = record_detail(None, plan.state, outside=True)
    was, now = Ledger.of(refused), {dot_of(key) for _, register in registers(plan.state) for key in register}
    adds, gone = dict[str, dict[str, Json]](), dict[str, list[Json]]()
    for dot, digests in was.values.items():
        adds.setdefault(dot.writer, {})[str(dot.n)] = [*sorted(digests)]
    standing = {dot_of(key) for _, register in registers(state) for key in register}
    for dot in sorted((was.values.keys() | was.gone | standing) - now):
        gone.setdefault(dot.writer, []).append(dot.n)
    mine = detail.get("adds")
    for writer, by_number in mine.items() if isinstance(mine, dict) else ():
        adds[writer] = (by_number if isinstance(by_number, dict) else {}) | adds.get(writer, {})
    return detail | {"adds": dict(adds), "gone": dict(gone)}
