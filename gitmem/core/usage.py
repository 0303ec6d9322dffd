"""What a record's counters say about its use."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.core.record import State


@dataclass(frozen=True, slots=True)
class Usage:
    """How often a record was matched, tried and worked.

    `success_rate` is None before the first try, `avg_fix_ms` (milliseconds) before the first one whose time was told.
    `last_matched` and `last_used` are times in UTC, such as 2026-11-20T10:00:00Z, or None.
    """

    matched: int
    fixed: int
    failed: int
    success_rate: float | None
    avg_fix_ms: float | None
    last_matched: str | None
    last_used: str | None


def usage_of(state: State) -> Usage:
    """Compute the usage of a record from its counters, exactly: nothing derived is ever stored."""
    return usage_from(totals(state), state.last)


def totals(state: State) -> dict[str, int]:
    """Every counter, summed over all writers."""
    return {name: state.total(name) for name in state.counts}


def usage_from(totals: dict[str, int], last: dict[str, str]) -> Usage:
    """The usage that goes with summed counters."""
    fixed, failed = totals.get("fixed", 0), totals.get("failed", 0)
    timed = totals.get("timed", 0)
    return Usage(
        matched=totals.get("matched", 0),
        fixed=fixed,
        failed=failed,
        success_rate=fixed / (fixed + failed) if fixed + failed else None,
        avg_fix_ms=totals.get("ms", 0) / timed if timed else None,
        last_matched=last.get("matched"),
        last_used=last.get("used"),
    )
