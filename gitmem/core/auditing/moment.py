"""A moment in a store's history, by what its signed log had come to: for each writer, the last segment that belongs to it.

Clocks are wrong at times, by a year and more. A place in the log is not: whoever signed an entry had everything before it that
it quotes, directly or not. So a moment is a set of segments that lacks nothing any of them has seen; a time only hints at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from gitmem.core.auditing.audit import Segment
from gitmem.core.auditing.chain import by_clock, chains_of, needs

Ends = dict[str, int]
"""Of each writer the number of its last segment that belongs to a moment; a writer with none is left out."""

_DAY: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_TIME: Final = re.compile(r"([0-9-]{10})[T ]([0-9]{2}(?::[0-9]{2}){0,2})(Z|[+-][0-9]{2}:[0-9]{2})?")


def as_utc(text: str) -> str:
    """A day, a time or the beginning of one (in UTC, or with an offset), as beginnings of the log's times are spelt.

    Raises ValueError for anything else.
    """
    if _DAY.fullmatch(text):
        datetime.fromisoformat(f"{text}-01-01"[:10] if len(text) == len("2026") else f"{text}-01"[:10])
        return text
    if not (found := _TIME.fullmatch(text)):
        raise ValueError(text)
    day, time, zone = found.groups()
    said = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in (None, 'Z') else zone}")
    length = max(len(f"{day}T{time}"), len("2026-11-20T10:00") if zone else 0)
    try:
        return said.astimezone(UTC).isoformat()[:length]
    except OverflowError as error:
        raise ValueError(text) from error  # its offset leads out of the years 1 to 9999


def at_entry(segments: Iterable[Segment], writer: str, seq: int) -> Ends | None:
    """The moment at which a writer had just signed its entry with this number; None where there is none."""
    chains = chains_of(segments)
    start = next((one for one in chains.get(writer, []) if one.entries[-1].seq >= seq), None)
    if start is None or seq < start.entries[0].seq:
        return None
    nodes = {(one.writer, one.number): one for chain in chains.values() for one in chain}
    found, waiting = {(start.writer, start.number)}, [start]
    while waiting:
        news = needs(waiting.pop(), chains) - found
        found |= news
        waiting += [nodes[node] for node in news]
    return ends_of(nodes[node] for node in found)


def at_time(segments: Iterable[Segment], time: str) -> Ends:
    """The moment that fewest clocks are against, where it was `time` (RFC 3339 in UTC, or the beginning of one, inclusive).

    The log is put in an order in which each segment follows all it has seen, and cut where fewest segments before the cut say
    that they are later, and fewest after it that they are not. So what a wrong clock says is outvoted by those around it.
    """
    ordered = by_clock(segments)
    return ends_of(ordered[: _cut([segment.entries[0].time[: len(time)] <= time for segment in ordered])])


def ends_of(segments: Iterable[Segment]) -> Ends:
    """The last segment of each writer among some."""
    found: Ends = {}
    for one in segments:
        found[one.writer] = max(one.number, found.get(one.writer, 0))
    return found


def _cut(is_before: Sequence[bool]) -> int:
    """Where to cut a sequence so that fewest True are after it and fewest False before it; the last such place."""
    against = best = sum(is_before)
    cut = 0
    for number, before in enumerate(is_before, 1):
        against += -1 if before else 1
        if against <= best:
            best, cut = against, number
    return cut
