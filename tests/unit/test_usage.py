"""What counters say about a record's use."""

from __future__ import annotations

from gitmem.core.record import State
from gitmem.core.usage import Usage, usage_from, usage_of
from tests.unit.strategies import new_state


def used(**counts: int) -> State:
    """A state in which two writers share each counter."""
    state = new_state()
    state.counts = {name: {"a-1": n // 2, "b-1": n - n // 2} for name, n in counts.items()}
    return state


def test_a_record_nobody_used() -> None:
    """Rates are unknown, not nought."""
    assert usage_of(new_state()) == Usage(0, 0, 0, None, None, None, None)


def test_rates_are_exact() -> None:
    """Summed over writers; the average is over the reports that carried a time, not over all."""
    state = used(matched=9, fixed=3, failed=1, ms=100, timed=2)
    state.last = {"matched": "2026-11-20T10:00:00Z", "used": "2026-11-21T10:00:00Z", "changed": "2026-11-22T10:00:00Z"}
    assert usage_of(state) == Usage(9, 3, 1, 0.75, 50.0, "2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z")


def test_only_failures() -> None:
    """Nothing ever fixed is a rate of nought, and no time is no average."""
    assert usage_of(used(failed=2, ms=7)) == Usage(0, 0, 2, 0.0, None, None, None)


def test_from_totals() -> None:
    """The index keeps sums; unknown counters are left aside."""
    assert usage_from({"fixed": 1, "x-new": 5}, {}) == Usage(0, 1, 0, 1.0, None, None, None)
    assert usage_from({"timed": 2}, {}).avg_fix_ms == 0.0
