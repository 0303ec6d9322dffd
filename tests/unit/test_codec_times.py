"""The times in `last` are those there are, which the codec finds out by itself (see its `is_time`)."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.errors import InvalidRecord
from tests.unit.strategies import new_state


def _accepted(time: str) -> bool:
    state = new_state()
    state.last = {"used": time}
    data = emit(state)
    try:
        return parse(data, "x") == state
    except InvalidRecord:
        return False


def _exists(year: int, month: int, day: int, hour: int, minute: int, second: int) -> bool:
    try:
        datetime(year, month, day, hour, minute, second)
    except ValueError:
        return False
    return True


def test_every_day_of_some_years() -> None:
    """Leap years, centuries, the ends of months, and days that are none."""
    for year in (0, 1, 4, 1900, 1999, 2000, 2024, 2026, 2100, 2400, 9999):
        for month in range(14):
            for day in (0, 1, 28, 29, 30, 31, 32):
                time = f"{year:04}-{month:02}-{day:02}T10:00:00Z"
                assert _accepted(time) == _exists(year, month, day, 10, 0, 0), time


@given(st.tuples(st.integers(0, 29), st.integers(0, 99), st.integers(0, 99)))
def test_every_second_of_a_day(clock: tuple[int, int, int]) -> None:
    """No leap seconds, no 24 o'clock."""
    hour, minute, second = clock
    assert _accepted(f"2026-11-20T{hour:02}:{minute:02}:{second:02}Z") == _exists(2026, 11, 20, hour, minute, second)


@pytest.mark.parametrize(
    "time", ["2026-11-20T10:00:00", "2026-11-20 10:00:00Z", "2026-11-20T10:00:00.0Z", "2026-1-20T10:00:00Z", "x"]
)
def test_one_spelling(time: str) -> None:
    """In UTC, to the second."""
    assert not _accepted(time)
