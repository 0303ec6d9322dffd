"""What each segment of the log has seen, and what has seen it, of a few marked entries: one bit for each mark.

A history may hold a hundred thousand segments and a handful of entries about members. Rights are judged by one question
alone: does such an entry come before a segment, after it, or neither, because whoever signed the one did not know of the other?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitmem.core.auditing.audit import Segment
from gitmem.core.auditing.chain import Node, chains_of, needs


@dataclass(frozen=True, slots=True)
class Sight:
    """The marks that one place in the log comes after, and those that come after it; all others are concurrent with it."""

    before: int
    after: int

    def saw(self, mark: int) -> bool:
        """Whether this place comes after a mark (a number, not a bit)."""
        return bool(self.before >> mark & 1)

    def seen_by(self, mark: int) -> bool:
        """Whether a mark comes after this place."""
        return bool(self.after >> mark & 1)


def node_of(segment: Segment) -> Node:
    """The name of a segment in the history."""
    return segment.writer, segment.number


def sights(ordered: list[Segment], marks: Mapping[Node, int]) -> dict[Node, Sight]:
    """How every segment stands to the marks (bits by the segment that holds them); its own marks are neither before nor after.

    `ordered` is in causal order.
    """
    chains = chains_of(ordered)
    before, after = dict[Node, int](), dict[Node, int]()
    for segment in ordered:
        bits = 0
        for earlier in needs(segment, chains):
            bits |= before.get(earlier, 0) | marks.get(earlier, 0)
        before[node_of(segment)] = bits
    for segment in reversed(ordered):
        node = node_of(segment)
        bits = after.get(node, 0) | marks.get(node, 0)
        for earlier in needs(segment, chains) if bits else ():
            after[earlier] = after.get(earlier, 0) | bits
    return {node: Sight(bits, after.get(node, 0)) for node, bits in before.items()}
