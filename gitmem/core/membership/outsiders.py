"""What is written into a scope by somebody who is not in it: they pass on what others wrote, and write nothing of their own.

Whoever lacks a scope's key still merges, heals and collects its records, so an entry of theirs may repeat what the entries of
the scope's members say, and add nothing to it. What counts is what the segment had seen: somebody who was taken out of the
scope and had not heard of it wrote in good faith.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gitmem.core.auditing.audit import ERASE, Entry, Segment
from gitmem.core.auditing.causality import node_of
from gitmem.core.auditing.chain import Node
from gitmem.core.auditing.delta import Ledger, Values, says_life, standing_values
from gitmem.core.membership.members import Members
from gitmem.core.membership.rights import scope_of
from gitmem.core.record import ALIVE, DEAD

WasIn = Callable[[str, str, Node], bool]
"""Whether somebody (name) was in a scope by what a segment has seen."""


class _Told(NamedTuple):
    segment: Segment
    line: int
    entry: Entry
    signer: str | None


def written_from_outside(segments: list[Segment], members: Members, was_in: WasIn) -> Iterator[tuple[Segment, int, str]]:
    """The entries with values that nobody of the scope wrote: the segment, the line, and what is wrong about it."""
    outside = [told for told in _of_records(segments, members) if _counts(told, members) and not _was_in(told, was_in)]
    if not outside:
        return
    doubtful = _by_path(outside)
    about = _by_path(told for told in _of_records(segments, members) if told.entry.object in doubtful)
    for path, some in about.items():
        known = standing_values(told.entry for told in some if _counts(told, members) and _was_in(told, was_in))
        others: dict[str | None, Values] = {}  # by signer: what all but them wrote
        for told in doubtful[path]:
            if told.signer not in others:
                others[told.signer] = standing_values(one.entry for one in some if one.signer != told.signer)
            if _is_own(told.entry, known, others[told.signer]):
                yield told.segment, told.line, f"{told.signer}, who is not in {scope_of(path)}, had no right to change {path}"


def _by_path(some: Iterable[_Told]) -> dict[str, list[_Told]]:
    found: dict[str, list[_Told]] = {}
    for told in some:
        found.setdefault(told.entry.object, []).append(told)
    return found


def _of_records(segments: Iterable[Segment], members: Members) -> Iterator[_Told]:
    """The entries that add values to records, whether they count or not; of erasures others judge."""
    for segment in segments:
        signer = members.holder(segment.key)
        for line, entry in enumerate(segment.entries, 1):
            if "adds" in entry.detail and entry.op != ERASE and scope_of(entry.object):
                yield _Told(segment, line, entry, signer)


def _counts(told: _Told, members: Members) -> bool:
    return members.counts(told.segment.path, told.line)


def _was_in(told: _Told, was_in: WasIn) -> bool:
    return told.signer is not None and was_in(told.signer, scope_of(told.entry.object), node_of(told.segment))


def _is_own(entry: Entry, known: Values, others: Values) -> bool:
    """Whether an entry adds a value of its signer's own: none that is `known`, none of `others` that it takes out in one go.

    Whoever sets a record right may say that it lives, or that it is dead where nothing is known of it.
    """
    ledger, says = Ledger.of([entry]), (ALIVE,) if known else (ALIVE, DEAD)
    return any(
        not digests <= (others if dot in ledger.gone else known).get(dot, set()) | says_life(dot, *says)
        for dot, digests in ledger.values.items()
    )
