"""A moment in a store's history, by what its signed log had come to: for each writer, the last segment that belongs to it.

Clocks are wrong at times, by a year and more. A place in the log is not: whoever signed an entry had everything before it that
it quotes, directly or not. So a moment is a set of segments that lacks nothing any of them has seen; a time only hints at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitmem.core.audit import Segment
from gitmem.core.audit_chain import by_clock, chains_of, needs

Ends = dict[str, int]
"""Of each writer the number of its last segment that belongs to a moment; a writer with none is left out."""


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
