"""Verifying the store that a clone holds, also against what this clone knew of it before."""

from __future__ import annotations

from gitmem.core.audit import Problem
from gitmem.core.pin import Pin, held_against
from gitmem.errors import Tampered
from gitmem.git import remote
from gitmem.memory import pins
from gitmem.memory.audit import TRUNCATION, AuditReport, Examined, examine, notes, report
from gitmem.memory.context import Context


def verify_store(context: Context) -> AuditReport:
    """Verify what HEAD holds, and that it lacks nothing of what this clone's pin names; if all is well, move the pin on."""
    store = context.store
    found, pin = examine(store.repo, store.prefix), pins.kept(context)
    remarks = notes(store.repo, store.prefix)
    if pin is None:
        remarks.append(TRUNCATION)
    else:
        found.problems.extend(_against(pin, found))
        remarks.append("held against this clone's pin: nothing that it knew of may be cut off unseen")
    if not found.problems and found.segments:
        _move_on(context, found)
    return report(found, remarks)


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
