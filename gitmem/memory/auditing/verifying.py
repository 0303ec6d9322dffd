"""Verifying the store that a clone holds, also against what this clone knew of it before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitmem.core.auditing.audit import Problem
from gitmem.core.auditing.pin import Pin, held_against
from gitmem.errors import GitmemError, Tampered
from gitmem.git import remote
from gitmem.memory.auditing import pins
from gitmem.memory.auditing.audit import TRUNCATION, AuditReport, Examined, examine, notes, report
from gitmem.memory.auditing.position import load, position_of, save
from gitmem.memory.auditing.since import position_since
from gitmem.memory.auditing.witness import check
from gitmem.memory.context import Context


def verify_store(context: Context, *, full: bool = False) -> AuditReport:
    """Verify what HEAD holds, and that it lacks nothing of what this clone's pin names; if all is well, move the pin on.

    Where this member verified it before, only what came since is looked at, unless with `full` or anything is odd about it.
    """
    store = context.store
    pin = pins.kept(context)
    found = None if full else _since(context, pin)
    if found is None:
        found = _everything(context, pin)
    remarks = notes(store.repo, store.prefix)
    remarks.append(TRUNCATION if pin is None else "held against this clone's pin: nothing that it knew of was cut off unseen")
    if not found.problems and found.segments:
        noted(context, lambda: _move_on(context, found))
    return report(found, remarks)


def noted(context: Context, act: Callable[[], None]) -> None:
    """Keep what was found; where the disk takes nothing, it is found all the same."""
    try:
        act()
    except GitmemError as error:
        context.warn(f"the verdict stands, but could not be noted for the next time: {error.message}")


def against_witness(context: Context, found: AuditReport, statement: bytes) -> AuditReport:
    """A report with what the log lacks of what a witness saw. Raises as `witness.check` does."""
    problems, told = check(context, statement)
    return replace(found, ok=found.ok and not problems, problems=[*found.problems, *problems], notes=[*found.notes, told])


def _since(context: Context, pin: Pin | None) -> Examined | None:
    """What is found by looking at what came since the last time; None where that is not enough."""
    store, known = context.store, load(context)
    position = None if known is None else position_since(store.repo, store.prefix, known)
    if position is None:
        return None
    found = Examined(position.entries, position.segments, [])
    if pin is not None and _against(pin, found):
        return None
    if position is not known:
        noted(context, lambda: save(context, position))
    return found


def _everything(context: Context, pin: Pin | None) -> Examined:
    store = context.store
    head = store.repo.head()
    found = examine(store.repo, store.prefix)
    found.problems.extend([] if pin is None else _against(pin, found))
    if head is not None and found.segments and not found.problems:
        noted(context, lambda: save(context, position_of(head, found.segments)))
    return found


def _against(pin: Pin, found: Examined) -> list[Problem]:
    hashes = {(entry.writer, entry.seq): entry.hash for segment in found.segments for entry in segment.entries}
    lost = held_against(pin.ends, lambda writer, seq: hashes.get((writer, seq)), "this clone")
    try:
        return pins.other_founder(pin, [segment for segment in found.segments if segment.number == 1]) + lost
    except Tampered:
        return lost  # several beginnings, or none: that is a problem of its own already


def _move_on(context: Context, found: Examined) -> None:
    repo, head = context.store.repo, context.store.repo.head()
    source = remote.upstream(repo, repo.branch())
    theirs = repo.ref(source.tracking) if source else None
    shared = head is not None and theirs is not None and repo.is_ancestor(head, theirs)
    last = {segment.writer: segment.head for segment in sorted(found.segments, key=lambda segment: segment.number)}
    ends = {writer: (end.seq, end.hash) for writer, end in last.items()}
    pins.move_on(context, ends, pins.founder(found.segments), shared=shared)
