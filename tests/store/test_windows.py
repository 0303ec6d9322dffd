"""Rolling windows are worked out of events when they are asked for: archiving and pruning change none of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitmem.memory.committing.events import every_event
from gitmem.memory.memory import Memory
from gitmem.memory.upkeep.event_archive import archive_events
from gitmem.memory.upkeep.prune import prune
from gitmem.memory.upkeep.prune_undo import undo
from tests.support.stores import found, open_memory

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
AGES = (200, 170, 160, 150, 121, 119, 100, 91, 89, 84, 83, 60, 31, 29, 8, 6, 1, 0)
"""Days ago on which records were tried, on both sides of each edge: 30 days, 12 weeks, 90 days."""


def _tried(memory: Memory) -> list[str]:
    """A record that was tried on all those days, and one that mostly failed and was given up half a year ago."""
    ids = []
    for age in AGES:
        memory.context.clock = lambda then=NOW - timedelta(days=age): then
        if not ids:
            ids = [memory.learn("pattern", {"pattern": text, "fix": "oil it"}).id for text in ("valve stuck", "no route")]
        memory.used(ids[0], fixed=age % 3 > 0, ms=age)
        if age > 150:
            memory.used(ids[1], fixed=False)
        memory.commit()
    memory.context.clock = lambda: NOW
    return ids


def _windows(memory: Memory) -> list[object]:
    """By day for 30 days and by week for 12 weeks, as of now and of former days: tries, successes, milliseconds."""
    events = [event for event in every_event(memory.context) if event["op"] == "used"]
    return [
        _window(events, NOW - timedelta(days=ago), timedelta(days=days), number)
        for ago in (0, 30, 60, 90, 120)
        for days, number in ((1, 30), (7, 12))
    ]


def _window(events: list[dict[str, object]], end: datetime, step: timedelta, number: int) -> object:
    tried, worked, took = Counter[int](), Counter[int](), Counter[int]()
    for event in events:
        place = (end - datetime.fromisoformat(str(event["at"]))) // step
        if 0 <= place < number:
            tried[place] += 1
            worked[place] += event["fixed"] is True
            took[place] += int(str(event.get("ms") or 0))
    return tried, worked, took


def test_windows_stay_right(tmp_path: Path) -> None:
    """After archiving what is older than 90 days, after a pruning of a record with events, and after bringing it back."""
    found(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        kept, pruned = _tried(memory)
        before = _windows(memory)
        assert all(sum(tried.values()) for tried, _, _ in before)
        assert archive_events(memory.context).batches >= 4
        assert _windows(memory) == before
        assert [one.id for one in prune(memory.context).records] == [pruned]
        assert _windows(memory) == before
        assert archive_events(memory.context).batches == 0
        assert undo(memory.context, "last").restored == [pruned]
        assert _windows(memory) == before
        assert (memory.get(kept).usage.fixed, memory.get(pruned).usage.failed) == (sum(age % 3 > 0 for age in AGES), 3)
    with open_memory(tmp_path / "store") as again:
        assert _windows(again) == before
