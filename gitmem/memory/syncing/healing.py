"""Deciding what is to be done about each file that lost something: joined, written again, put back or taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from gitmem.core.auditing.audit import ANSWERS, HEAL, MAX_SEGMENT, QUARANTINE
from gitmem.core.auditing.delta import record_detail, standing_values
from gitmem.core.codec import emit
from gitmem.core.collected import is_list_path
from gitmem.core.dots import dot_of
from gitmem.core.heal import Loss, registers
from gitmem.core.merge import merge_all
from gitmem.core.record import Json, State
from gitmem.errors import GitmemError
from gitmem.memory.auditing.unvouched import entries_of_lists, part_of, why_not
from gitmem.memory.auditing.vouched import Vouched, vouched_for
from gitmem.memory.committing.commit import Extra
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, is_newer, not_genuine, sound_or_none
from gitmem.memory.syncing.wounds import Found, Wound
from gitmem.store.layout import AUDIT, MEMORY, is_record_path


@dataclass(slots=True)
class Plan:
    """What one file is to become: `state` for a record, `data` for any other (both None: it goes).

    `before` is what HEAD holds, `known` the record in it if it is sound. `losses` are to be written again, `answers` are the
    contents to answer for, `broken` the reasons why contents were not taken.
    """

    path: str
    before: bytes | None
    state: State | None = None
    data: bytes | None = None
    known: State | None = None
    losses: list[Loss] = field(default_factory=list)
    answers: set[str | None] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes | None:
        """What the file is to hold."""
        return self.data if self.state is None else emit(self.state)

    def extra(self) -> Extra:
        """The file with its entry."""
        content = self.content()
        detail: dict[str, Json] = {} if self.state is None else record_detail(self.known, self.state)
        gone: dict[str, set[int]] = {}
        known = detail.get("gone")
        for writer, numbers in known.items() if isinstance(known, dict) else ():
            gone[writer] = {n for n in numbers if isinstance(n, int)} if isinstance(numbers, list) else set()
        for loss in self.losses:
            gone.setdefault(loss.dot.writer, set()).add(loss.dot.n)
        if gone:
            detail["gone"] = {writer: [*sorted(numbers)] for writer, numbers in gone.items()}
        if self.answers:
            detail[ANSWERS] = [*sorted(self.answers, key=str)]
        return Extra(self.path, content, QUARANTINE if content is None else HEAL, detail, complete=True)


def plans(context: Context, found: Found) -> Iterator[Plan]:
    """What is still to be done, given what HEAD holds and what the log answers for already."""
    _leave_unvouched(context, found)
    paths = sorted(found.wounds)
    held = contents_at(context, context.store.repo.head(), paths)
    vouched = vouched_for(context.store.root, paths)
    for path in paths:
        is_record = holds_record(path) or path.startswith(f"{MEMORY}/")
        plan = (_plan_record if is_record else _plan_other)(context, path, found.wounds[path], held.get(path), vouched[path])
        if plan is not None:
            yield plan


def _leave_unvouched(context: Context, found: Found) -> None:
    """Of lists of collected records bring nothing back that nobody with the right to it signed for: a sync has left it out."""
    store, head = context.store, context.store.repo.head()
    lists = [path for path in found.wounds if is_list_path(path)]
    lost = {p: original(context, w) for p, w in found.wounds.items() if p.startswith(f"{AUDIT}/") and w.original and lists}
    joins = {path: [emit(state) for state in found.wounds[path].joins] for path in lists}
    entries = entries_of_lists(store.repo, store.prefix, head, joins, lost) if head and lists else {}
    for path in lists:
        wound, some = found.wounds[path], entries.get(path, [])
        parts = [state if not why_not(path, emit(state), entries) else part_of(state, some) for state in wound.joins]
        wound.joins = [state for state in parts if state]
        wound.losses = [loss for loss in wound.losses if loss.dot in standing_values(some)]
        if not wound.joins:
            del found.wounds[path]


def original(context: Context, wound: Wound) -> bytes:
    """The first content of a file that is no record."""
    return next(data for _, data in context.store.repo.read_blobs([wound.original or ""]))


def _plan_other(context: Context, path: str, wound: Wound, before: bytes | None, vouched: Vouched) -> Plan | None:
    """A log file that was changed, or any file that went: its first content stands again."""
    if any(entry.after is None for entry in vouched.entries) and not path.startswith(f"{AUDIT}/"):
        return None  # it was taken out by somebody who signed for that
    became = {blob for blob in wound.blobs if blob is not None and blob != wound.original}
    digests = {sha256(data).hexdigest() for _, data in context.store.repo.read_blobs(sorted(became), MAX_SEGMENT)}
    answers = {answer for answer in (*digests, *wound.blobs & {None}) if not vouched.knows(answer)}
    data = original(context, wound) if before is None or path.startswith("log/") else before
    if data == before and not answers:
        return None
    return Plan(path, before, data=data, answers=answers)


def _plan_record(context: Context, path: str, wound: Wound, before: bytes | None, vouched: Vouched) -> Plan | None:
    if before is not None and is_newer(before):
        return None
    known = _sound(context, path, wound, before)
    state = _whole(context, path, wound, known)
    pressing = {answer for answer in (*wound.broken, None) if answer in wound.answers and not vouched.knows(answer)}
    losses = [] if state is None else _missing(context, path, state, vouched.were_lost(wound.losses))
    same = before is None if state is None else known == state  # by sense: a hand edit's stamp that nobody wrote is no loss
    if same and not pressing and not losses:
        return None
    answers = {answer for answer in wound.answers if not vouched.knows(answer)}
    return Plan(path, before, state, None, known, losses, answers, wound.broken)


def _sound(context: Context, path: str, wound: Wound, data: bytes | None) -> State | None:
    """The record in a content, None if there is none that may stand."""
    if data is None or sha256(data).hexdigest() in wound.broken:
        return None
    state = sound_or_none(path, data)
    return None if state and wound.broken and not_genuine(context, path, state) else state


def _whole(context: Context, path: str, wound: Wound, known: State | None) -> State | None:
    """The record with all that is known of it: in HEAD, in the commits before, in the work tree and in the journal."""
    parts = [*([known] if known else []), *wound.joins, *_here(context, path, wound)]
    if not parts:
        return None
    state = merge_all(parts)
    return context.store.graves.bury(path, state) if is_record_path(path) else state


def _here(context: Context, path: str, wound: Wound) -> Iterator[State]:
    if not is_record_path(path):
        return
    pending = context.store.pending.get(path)
    if pending is not None:
        yield pending
    try:
        on_disk = context.store.read_file(path)
    except GitmemError:
        return
    if on_disk is not None and not (wound.broken and not_genuine(context, path, on_disk)):
        yield on_disk


def _missing(context: Context, path: str, state: State, losses: Iterable[Loss]) -> list[Loss]:
    """Those of the values that `state` has seen and does not hold, each once. What was collected is meant to be gone."""
    grave = context.store.graves.of(path) if is_record_path(path) else None
    buried = {} if grave is None else grave.seen
    held = {(at, dot_of(key)) for at, register in registers(state) for key in register}
    found = {(loss.path, loss.key, str(loss.value)): loss for loss in losses}
    return [
        loss
        for loss in found.values()
        if (loss.path, loss.dot) not in held
        and loss.dot.n <= state.seen.get(loss.dot.writer, 0)
        and loss.dot.n > buried.get(loss.dot.writer, 0)
    ]
