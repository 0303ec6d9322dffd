"""Pruning: what may go by the store's policies goes, in one signed commit, and can be brought back from it.

That commit's segment of the log is the archive: it names each record, the reason, and what stood there before. The values stay
in the tombstone, sealed as they were, and once `gc` has collected it in git's history; so an archive is in every clone, holds
nothing twice, and respects what was erased since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from gitmem.core.auditing.audit import PRUNE
from gitmem.core.record import Json, State
from gitmem.core.retention import PRUNED, REASONS, Doomed, Known, Rules, choose, pruned, settled
from gitmem.errors import GitmemError
from gitmem.memory.auditing.chain import own_chain
from gitmem.memory.backups import snapshots
from gitmem.memory.catchup import current_index
from gitmem.memory.committing.commit import commit
from gitmem.memory.configuration import thresholds
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.recording.together import commit_together
from gitmem.store.index import Tally
from gitmem.store.layout import is_record_path
from gitmem.store.settings import rules_for

REVIVE = "revive"
_TODAY: Final = timedelta(days=1)
_QUIET: Final = timedelta(days=365)  # a wrong year is the least that a clock without a battery is off by
_DATE: Final = "`date` tells; where it is right, `gitmem prune` in a terminal asks"


@dataclass(frozen=True, slots=True)
class Pruned:
    """One record that is (or would be) pruned: the reason (`core.retention.REASONS`), and the figures behind it."""

    id: str
    kind: str
    scope: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was pruned (or, when `dry_run`, would be), by reason, and the archive to bring it back from."""

    dry_run: bool
    records: list[Pruned]
    by_reason: dict[str, int]
    standing: int
    archive: str | None = None
    commit: str | None = None
    snapshot: str | None = None
    revived: list[str] = field(default_factory=list)


def prune(context: Context, *, dry_run: bool = False, sure: bool = False) -> PruneReport:
    """Prune what the store's policies let go, after a snapshot; nothing is changed with `dry_run`.

    Records in conflict stay, and those sealed to us are left to those who can read them. Raises NoKey without the identity that
    signs, and GitmemError as `commit` does, and where the clock may be far ahead, unless a person is `sure` of it.
    """
    store = context.store
    if dry_run:
        store.refresh()
        doomed, standing = _doomed(context)
        if doomed and (doubt := _doubt(context)):
            context.warn(doubt)
        return _report(doomed, standing)
    with store.lock:
        store.refresh()
        need_role(context)
        if not sure and (doubt := _doubt(context)) and _doomed(context)[0]:
            raise GitmemError(doubt, _DATE)
        commit(context)
        revived = settle(context, [tally.path for tally in current_index(context).tallies() if PRUNED in tally.usage])
        doomed, standing = _doomed(context)
        if not doomed:
            return _report(doomed, standing, dry_run=False, revived=revived)
        snapshot = snapshots.before(context, "prune").ref
        states = {path: state for path, state in _states(context, doomed) if state is not None}
        said: dict[str, dict[str, Json]] = {path: {"reason": doomed[path].reason} for path in states}
        made = commit_together(
            context, f"gitmem: pruned {len(states):,}", PRUNE, {p: pruned(s) for p, s in states.items()}, said
        )
    doomed = {path: doomed[path] for path in states}
    return _report(doomed, standing, dry_run=False, revived=revived, archive=_archive(context), commit=made, snapshot=snapshot)


def _doubt(context: Context) -> str | None:
    """Why this machine's clock may be ahead, in words: to one that is, all is old.

    What was committed in the last day counts for nothing: the same clock may have said when.
    """
    now = context.clock()
    before = f"--before={int((now - _TODAY).timestamp())}"
    said = context.store.repo.run("log", "-1", "--format=%ct", before, "HEAD") if context.store.repo.head() else b""
    last = datetime.fromtimestamp(int(said), UTC) if said.strip() else now
    if now - last < _QUIET:
        return None
    return f"nothing was committed from {last:%Y-%m-%d} until today, {now:%Y-%m-%d}: this machine's clock may be ahead"


def settle(context: Context, paths: Iterable[str]) -> list[str]:
    """Let records stand again that were pruned here and edited or tried there; their ids. Needs no key but the signing one."""
    store = context.store
    with store.lock:
        store.refresh()
        states: dict[str, State] = {}
        for path in paths:
            state = _read(context, path) if is_record_path(path) else None
            if state is not None and (after := settled(state)) is not state:
                states[path] = after
        if states:
            commit_together(context, f"gitmem: {len(states):,} revived", REVIVE, states)
    return [state.id for state in states.values()]


def _doomed(context: Context) -> tuple[dict[str, Doomed], int]:
    """What may go, by path, and how many records stand that can be read."""
    values = thresholds(context)

    @cache
    def rules(kind: str, scope: str) -> Rules:
        return rules_for(values, kind, scope)

    standing = {tally.id: tally for tally in current_index(context).tallies() if _may_go(tally)}
    known = (Known(one.id, one.kind, one.scope, one.usage, one.last) for one in standing.values())
    doomed = choose(known, lambda one: rules(one.kind, one.scope), context.clock())
    return {standing[one.known.id].path: one for one in doomed}, len(standing)


def _may_go(tally: Tally) -> bool:
    return tally.alive and not tally.sealed and not tally.conflicts


def _states(context: Context, doomed: Iterable[str]) -> Iterator[tuple[str, State | None]]:
    for path in doomed:
        state = _read(context, path)
        yield path, state if state is not None and state.alive and state.life else None


def _read(context: Context, path: str) -> State | None:
    try:
        return context.store.read(path)
    except GitmemError as error:
        context.warn(f"left alone: {error.message}")
        return None


def _report(  # noqa: PLR0913 (by name)
    doomed: dict[str, Doomed],
    standing: int,
    *,
    dry_run: bool = True,
    revived: list[str] | None = None,
    archive: str | None = None,
    commit: str | None = None,
    snapshot: str | None = None,
) -> PruneReport:
    records = [Pruned(one.known.id, one.known.kind, one.known.scope, one.reason, one.why) for one in doomed.values()]
    counts = {reason: sum(one.reason == reason for one in records) for reason in REASONS}
    by_reason = {reason: count for reason, count in counts.items() if count}
    return PruneReport(dry_run, records, by_reason, standing, archive, commit, snapshot, revived or [])


def _archive(context: Context) -> str | None:
    """The name of the segment that was just signed."""
    mine, _ = own_chain(context)
    return f"{mine.writer}.{mine.segment}" if mine else None
