"""An entry about members, what it does to somebody's rank, and the rank that follows from all that was said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gitmem.core.auditing.audit import REMOVE, ROLE, Entry, Segment
from gitmem.core.auditing.causality import Sight
from gitmem.core.membership.members import Rank

TAKING: Final = (ROLE, REMOVE)
"""What can take rights away."""


@dataclass(frozen=True, slots=True)
class Op:
    """An entry about members: its number among all of them, and how it stands to the others."""

    mark: int
    segment: Segment
    line: int
    entry: Entry
    sight: Sight

    def concurrent(self, other: Op) -> bool:
        """Whether neither has seen the other."""
        return not self.sight.saw(other.mark) and not self.sight.seen_by(other.mark)

    def text(self, name: str) -> str:
        """A word of the detail; empty where there is none."""
        value = self.entry.detail.get(name)
        return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Standing:
    """What was said about one name: the entries that gave it a rank, and those that enrolled or removed it."""

    ranks: list[tuple[Op, Rank]] = field(default_factory=list)

    def rank(self, sight: Sight) -> Rank:
        """The rank at a place: the least of the newest that it has seen, and of those that neither knows of the other.

        Where nothing was said before, what was said first counts: whoever enrolled them had that place before their eyes, or
        they began before they had heard of it.
        """
        seen = [(op, rank) for op, rank in self.ranks if sight.saw(op.mark)]
        newest = [rank for op, rank in seen if not any(other.sight.saw(op.mark) for other, _ in seen)]
        beside = [rank for op, rank in self.ranks if not sight.saw(op.mark) and not sight.seen_by(op.mark)]
        if not seen:
            rest = [(op, rank) for op, rank in self.ranks if not sight.saw(op.mark)]
            beside = [rank for op, rank in rest if not any(op.sight.saw(other.mark) for other, _ in rest)] + (
                [rank for rank in beside if rank is Rank.NONE]
            )
        return min([*newest, *beside], default=Rank.NONE)

    def granted(self, sight: Sight) -> Rank:
        """The rank at a place by what it has seen alone."""
        seen = [(op, rank) for op, rank in self.ranks if sight.saw(op.mark)]
        return min((rank for op, rank in seen if not any(other.sight.saw(op.mark) for other, _ in seen)), default=Rank.NONE)
