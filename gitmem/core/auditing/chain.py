"""Whether the segments of all writers fit together: each chain without a gap, and chains that quote each other truthfully."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush

from gitmem.core.auditing.audit import CLOSE, EMPTY, ROOT, Entry, Problem, Segment, segment_path
from gitmem.core.auditing.parse import is_end
from gitmem.core.record import WRITER

Chains = dict[str, list[Segment]]
"""Segments by writer, in the order of their numbers."""
Node = tuple[str, int]
"""A segment, by its writer and number."""


def chains_of(segments: Iterable[Segment]) -> Chains:
    """Sort segments into chains."""
    chains: Chains = {}
    for segment in sorted(segments, key=lambda s: (s.writer, s.number)):
        chains.setdefault(segment.writer, []).append(segment)
    return chains


def check_chain(segments: Iterable[Segment]) -> list[Problem]:
    """Everything missing, out of order or misquoted: gaps, broken links, `seen` and `close` that do not resolve."""
    chains = chains_of(segments)
    problems = [problem for chain in chains.values() for problem in _breaks(chain)]
    hashes = {writer: _hashes(chain) for writer, chain in chains.items()}
    for chain in chains.values():
        for segment in chain:
            problems += _misquotes(segment, hashes)
    return problems


def _breaks(chain: list[Segment]) -> Iterator[Problem]:
    number, seq, digest = 0, 0, EMPTY
    for segment in chain:
        first = segment.entries[0]
        if segment.number != number + 1:
            missing = segment_path(segment.writer, number + 1)
            yield Problem("missing segment", missing, f"{segment.path} follows, so it was there")
        elif (first.seq, first.prev) != (seq + 1, digest):
            why = f"its first entry is number {first.seq} and does not follow entry {seq} of the segment before it"
            yield Problem("broken chain", f"{segment.path}:1", why)
        number, seq, digest = segment.number, segment.entries[-1].seq, segment.entries[-1].hash


def _hashes(chain: list[Segment]) -> dict[int, str]:
    return {entry.seq: entry.hash for segment in chain for entry in segment.entries}


def _misquotes(segment: Segment, hashes: dict[str, dict[int, str]]) -> Iterator[Problem]:
    for line, entry in enumerate(segment.entries, 1):
        if entry.op == CLOSE and (entry.seq != 1 or _closed(entry) is None):
            why = "only the first entry of a chain may close another, and must name its end"
            yield Problem("broken chain", f"{segment.path}:{line}", why)
    for writer, (seq, digest) in quotes(segment.entries[0]).items():
        held = hashes.get(writer, {}).get(seq, EMPTY if seq == 0 else None)
        if writer == segment.writer or held is None:
            why = f"{segment.path} has seen its entry {seq}, which is not here: its end was cut off"
            yield Problem("missing entries", f"{ROOT}/{writer}", why)
        elif held != digest:
            why = f"its entry {seq} is not the one that {segment.path} has seen"
            yield Problem("forked chain", f"{ROOT}/{writer}", why)


def quotes(first: Entry) -> dict[str, tuple[int, str]]:
    """The ends of other chains that a segment's first entry names, as writer -> (seq, hash)."""
    closed = _closed(first) if first.op == CLOSE and first.seq == 1 else None
    return first.seen if closed is None else first.seen | {closed[0]: closed[1:]}


def _closed(entry: Entry) -> tuple[str, int, str] | None:
    """(writer, seq, hash) that a `close` entry names."""
    writer, seq, digest = (entry.detail.get(name) for name in ("closed", "seq", "hash"))
    if not (isinstance(writer, str) and isinstance(seq, int) and isinstance(digest, str)):
        return None
    return (writer, seq, digest) if WRITER.fullmatch(writer) and is_end([seq, digest]) else None


def causal_order(segments: Iterable[Segment]) -> tuple[list[Segment], list[Problem]]:
    """Segments such that each comes after all it has seen, concurrent ones by writer; and what does not fit.

    No clock is asked, so that the order cannot be chosen by whoever sets one. Segments that
    claim to have seen their own future come last.
    """
    chains = chains_of(segments)
    ordered, circle = _sorted(chains, needs)
    why = "it has seen entries that come after it"
    return ordered + circle, [Problem("impossible order", s.path, why) for s in circle]


def in_turn(segments: Iterable[Segment]) -> list[Segment]:
    """Some of all segments, signed in one second, each after those of them that it has seen; concurrent ones by writer."""
    ordered, circle = _sorted(chains_of(segments), _saw)
    return ordered + circle


def by_clock(segments: Iterable[Segment]) -> list[Segment]:
    """Segments such that each comes after all it has seen, concurrent ones in the order of their clocks."""
    ordered, circle = _sorted(chains_of(segments), needs, lambda segment: segment.entries[0].time)
    return ordered + circle


def _sorted(
    chains: Chains, needs_of: Callable[[Segment, Chains], set[Node]], rank: Callable[[Segment], str] = lambda _: ""
) -> tuple[list[Segment], list[Segment]]:
    """Segments after what they need, else by rank, writer and number; and those that need each other."""
    nodes = {(s.writer, s.number): s for chain in chains.values() for s in chain}
    waits = {node: needs_of(segment, chains) for node, segment in nodes.items()}
    followers: dict[Node, list[Node]] = {}
    for node, needed in waits.items():
        for need in needed:
            followers.setdefault(need, []).append(node)
    ready = [(rank(nodes[node]), node) for node, needed in waits.items() if not needed]
    heapify(ready)
    ordered: list[Segment] = []
    while ready:
        _, done = heappop(ready)
        ordered.append(nodes.pop(done))
        for node in followers.get(done, ()):
            waits[node].discard(done)
            if not waits[node]:
                heappush(ready, (rank(nodes[node]), node))
    return ordered, list(nodes.values())


def needs(segment: Segment, chains: Chains) -> set[Node]:
    """The segments that must come before this one: the one before it in its chain, and those its first entry names."""
    return _before(segment, chains, lambda other, seq: bisect_left(other, seq, key=_end))


def _saw(segment: Segment, chains: Chains) -> set[Node]:
    """The segments among `chains` that this one comes after: the one before it, and the last it has seen of each other."""
    return _before(segment, chains, lambda other, seq: bisect_right(other, seq, key=_end) - 1)


def _before(segment: Segment, chains: Chains, quoted: Callable[[list[Segment], int], int]) -> set[Node]:
    """The segment before this one in its chain, and of each chain that it quotes the one at the place that `quoted` gives."""
    chain = chains[segment.writer]
    position = bisect_left(chain, segment.number, key=lambda s: s.number)
    found = {(segment.writer, chain[position - 1].number)} if position else set()
    for writer, (seq, _) in quotes(segment.entries[0]).items():
        other = chains.get(writer, [])
        at = quoted(other, seq)
        if 0 <= at < len(other) and writer != segment.writer:
            found.add((writer, other[at].number))
    return found


def _end(segment: Segment) -> int:
    return segment.entries[-1].seq
