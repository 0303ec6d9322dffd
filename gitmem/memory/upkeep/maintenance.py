"""What a store needs once a day, one step after the other; a step that fails does not stop those after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gitmem.core.nearest import counted
from gitmem.errors import GitmemError
from gitmem.memory.auditing.verifying import verify_store
from gitmem.memory.backups import snapshots
from gitmem.memory.backups.chain import place_here
from gitmem.memory.catchup import current_index, drop_index
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import may_write
from gitmem.memory.upkeep.event_archive import archive_events
from gitmem.memory.upkeep.gc import gc
from gitmem.memory.upkeep.prune import prune

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, whether it was `done`, `skipped` or `failed`, what came of it, and how many seconds it took."""

    name: str
    result: str
    said: str
    seconds: float


class _Skip(GitmemError):
    """There is nothing for a step to do here."""


def maintain(context: Context, *, dry_run: bool = False) -> list[Step]:
    """Run every step; with `dry_run` tell what each would do. A step that fails is told of, and the next one follows."""
    steps: list[tuple[str, Callable[[Context, bool], str]]] = [
        ("snapshot", _snapshot),
        ("backup", _backup),
        ("prune", _for_writers(_prune)),
        ("archive", _for_writers(_archive)),
        ("gc", _for_writers(_gc)),
        ("verify", _verify),
        ("index", _index),
        ("git", _git),
    ]
    done: list[Step] = []
    for number, (name, act) in enumerate(steps):
        context.progress(name, number, len(steps))
        done.append(_run(context, name, act, dry_run=dry_run))
    return done


def _run(context: Context, name: str, act: Callable[[Context, bool], str], *, dry_run: bool) -> Step:
    start = time.monotonic()
    try:
        result, said = DONE, act(context, dry_run)
    except _Skip as skip:
        result, said = SKIPPED, skip.message
    except GitmemError as error:
        result, said = FAILED, error.message + (f" ({error.hint})" if error.hint else "")
    except OSError as error:
        result, said = FAILED, f"{error.strerror or error}".lower()
    return Step(name, result, said, round(time.monotonic() - start, 3))


def _for_writers(act: Callable[[Context, bool], str]) -> Callable[[Context, bool], str]:
    """A step that changes the store: a reader leaves it to others."""

    def step(context: Context, dry_run: bool) -> str:
        if not may_write(context):
            raise _Skip("you are a reader, who changes nothing: this is for others to do")
        return act(context, dry_run)

    return step


def _snapshot(context: Context, dry_run: bool) -> str:
    if dry_run:
        return "would make one"
    with context.store.lock:
        return snapshots.before(context, "maintenance").ref


def _backup(context: Context, dry_run: bool) -> str:
    where = place_here(context)
    if where is None:
        raise _Skip("no place for backups is known here: `gitmem backup create --to DIR` says it once")
    if dry_run:
        return f"would back up to {where}"
    from gitmem.memory.backups.create import create

    made = create(context)
    return f"{made.id} ({made.type}, {made.bytes:,} bytes)" if made.created else f"nothing has changed since {made.id}"


def _prune(context: Context, dry_run: bool) -> str:
    report = prune(context, dry_run=dry_run)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.by_reason.items()) or "none"
    back = f"; `gitmem prune --undo {report.archive}` brings them back" if report.archive else ""
    did = "would prune" if dry_run else "pruned"
    return f"{did} {len(report.records):,} of {counted(report.standing, 'record')} ({reasons}){back}"


def _archive(context: Context, dry_run: bool) -> str:
    report = archive_events(context, dry_run=dry_run)
    if report.problems:
        raise GitmemError("; ".join(report.problems))
    saved = f", {report.before:,} bytes as {report.after:,}" if report.archives else ""
    return f"{'would archive' if dry_run else 'archived'} {counted(report.batches, 'file')} of events{saved}"


def _gc(context: Context, dry_run: bool) -> str:
    report = gc(context, dry_run=dry_run)
    did = "would collect" if dry_run else "collected"
    return f"{did} {len(report.collected):,}, {len(report.waiting):,} wait for other replicas"


def _verify(context: Context, _dry_run: bool) -> str:
    report = verify_store(context)
    if not report.ok:
        first = report.problems[0]
        raise GitmemError(
            f"{counted(len(report.problems), 'problem')}, the first: {first.where}: {first.why}", "gitmem audit verify"
        )
    return f"{report.entries:,} signed entries by {counted(report.writers, 'writer')} vouch for every change"


def _index(context: Context, _dry_run: bool) -> str:
    try:
        return f"holds {counted(current_index(context).count(), 'record')}"
    except GitmemError:
        drop_index(context)
        return f"was damaged, and is built anew: {counted(current_index(context).count(), 'record')}"


def _git(context: Context, dry_run: bool) -> str:
    if dry_run:
        return "would run `git gc --auto`"
    context.store.repo.run("gc", "--auto", "--quiet")
    return "packed what was loose, as far as it was worth it"
