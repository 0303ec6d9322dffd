"""Who belongs to the store: folded from signed entries, never taken from a file, and without a clock.

The chain of trust begins with the one `init` entry, whose signer is the first member. What an entry may do is judged by
where it stands: by the entries that its segment has seen, and by those concurrent with it that take its signer's rights away.

1. **Nothing gives itself a right.** An entry about members counts if its signer had the rank for it in what the entry has seen.
2. **Taking away wins.** Whoever was removed or lowered by an entry that had not seen theirs did not have the rank when they
   signed, whatever they knew. What the entry had seen of them counts as it did.
3. **Of two who remove each other at the same time, the senior's entry counts.** Senior is who was enrolled first; the recovery
   identity is senior to all.
4. **There is always an admin**: an entry that would leave none does not count.

So all who hold the same entries see the same members, in whatever order the entries reached them. Entries are few and are gone
through in one order that follows what they have seen; where a later one shows that an earlier one must not count (2 and 3), the
earlier is struck out and all are gone through again. What is struck out stays so: it ends.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.core.auditing.audit import ROOT, Problem, Segment
from gitmem.core.auditing.causality import Sight, node_of, sights
from gitmem.core.auditing.chain import Node, causal_order
from gitmem.core.membership.judging import ABOUT_MEMBERS, Places, judge
from gitmem.core.membership.members import Members
from gitmem.core.membership.standing import TAKING, Op
from gitmem.core.membership.turn import Turn


def fold(segments: Iterable[Segment]) -> tuple[Members, list[Problem]]:
    """The members after all segments, and every segment or entry that nobody with the right to it signed."""
    ordered, problems = causal_order(segments)
    turn = _settled(ordered)
    members = turn.result()
    for op, why in turn.failed:
        if why:
            members.refused.setdefault(op.segment.path, {})[op.line] = why
    if members.genesis == ("", 0):
        problems.append(Problem("no beginning", ROOT, "no entry begins the store, so nobody is a member"))
    return members, problems + judge(ordered, members, Places(turn.rank_at, turn.owns_at, turn.is_in_at, turn.was_in_at))


def _settled(ordered: list[Segment]) -> Turn:
    """What all entries about members add up to."""
    found = [(s, n, e) for s in ordered for n, e in enumerate(s.entries, 1) if e.op in ABOUT_MEMBERS]
    bits: dict[Node, int] = {}
    for mark, (segment, _, _) in enumerate(found):
        bits[node_of(segment)] = bits.get(node_of(segment), 0) | 1 << mark
    views = sights(ordered, bits)
    ops = [Op(mark, s, n, e, _inside(views[node_of(s)], bits[node_of(s)], mark)) for mark, (s, n, e) in enumerate(found)]
    turn = _Settling({}).settle(ops)
    turn.own = bits
    turn.views = {node: Sight(view.before, view.after | bits.get(node, 0)) for node, view in views.items()}
    return turn


class _Settling:
    """Going through entries again and again until nothing more is to be struck out."""

    def __init__(self, rightful: dict[int, bool]) -> None:
        self.rightful = rightful

    def settle(self, ops: list[Op]) -> Turn:
        """The last way through: with what must yield to a senior (3) struck out, where that lets the senior's entry count."""
        outranked, tried = dict[int, str](), set[tuple[int, int]]()
        turn = self._through(ops, outranked)
        while pair := next((pair for pair in turn.rivals() if (pair[0].mark, pair[1].mark) not in tried), None):
            op, other = pair
            tried.add((op.mark, other.mark))
            if self._rightful(op, ops):
                why = f"{turn.signer(op)}, who is senior, removed {turn.signer(other)} at the same time"
                attempt = self._through(ops, outranked | {other.mark: why})
                if op in attempt.applied:
                    outranked[other.mark], turn = why, attempt
        return turn

    def _through(self, ops: list[Op], outranked: dict[int, str]) -> Turn:
        late: dict[int, str] = {}
        while True:
            turn = Turn(outranked | late)
            for op in ops:
                turn.take(op)
            if not (more := turn.late()):
                return turn
            late |= more

    def _rightful(self, op: Op, ops: list[Op]) -> bool:
        """Whether an entry counted if there was nothing but what it has seen. Earlier ones are asked first, not deep down."""
        for each in ops:
            if each.mark not in self.rightful and (each is op or op.sight.saw(each.mark)) and each.entry.op in TAKING:
                seen = [earlier for earlier in ops if each.sight.saw(earlier.mark)]
                self.rightful[each.mark] = _Settling(self.rightful).settle(seen).why_not(each) is None
        return self.rightful[op.mark]


def _inside(sight: Sight, own: int, mark: int) -> Sight:
    """How one entry of a segment stands to the others: after those on the lines before it, and before itself."""
    earlier = own & ((1 << mark) - 1)
    return Sight(sight.before | earlier, sight.after | (own & ~earlier))
