"""Graves without an entry about their own record: whoever writes one into a list, and does no more, buries nothing.

A list of collected records is signed for as one file. It holds graves of many records, also in scopes where its signer has no
say. So each grave is held against the log's entries about its record, as any other state of that record is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from gitmem.core.auditing.audit import COLLECT, ERASE, Entry, Problem, Segment
from gitmem.core.auditing.delta import Ledger, Values, standing_values, values_in
from gitmem.core.codec import parse
from gitmem.core.collected import graves_by_write, is_list_path, place_of
from gitmem.core.dots import Dot
from gitmem.core.membership.judging import is_open
from gitmem.core.membership.members import Members
from gitmem.core.record import State
from gitmem.errors import InvalidRecord

_Write: TypeAlias = tuple[str, Dot, str]
"""A list, a write in it, and the hash of its value."""


def refuse_burials(
    members: Members,
    segments: list[Segment],
    now: Mapping[str, bytes],
    more: Mapping[str, Iterable[bytes]] = MappingProxyType({}),
) -> list[Problem]:
    """Note in `members.refused` what put a grave into a list that the entries about its record do not add up to.

    The lists are looked at as they are `now` and in `more` contents. With the grave goes what else the segment collected or
    erased: they are one act. What nobody has answered for, or stands in spite of that, is a problem.
    """
    stands = _graves({path: [data] for path, data in now.items()})
    alone = _alone(members, segments, stands | _graves(more))
    by = _signers(segments) if alone else {}
    found = []
    for segment in segments if alone else ():
        lines = {n: e for n, e in enumerate(segment.entries, 1) if is_list_path(e.object) or e.op in (COLLECT, ERASE)}
        why = next((why for n, e in lines.items() if members.counts(segment.path, n) and (why := _why(e, alone, by))), None)
        if why:
            members.refused.setdefault(segment.path, {}).update(dict.fromkeys(lines, why))
            again = any(write in alone and write in stands for entry in lines.values() for write in _added(entry))
            if is_open(members, segment) or again:
                members.answered.discard(segment.path)
                found.append(Problem("not entitled", f"{segment.path}:{min(lines)}", why))
    return found


def _why(entry: Entry, alone: Mapping[_Write, str], by: Mapping[_Write, set[str]]) -> str | None:
    stays = set(_writes(entry.object, standing_values([entry])))
    for write in _added(entry):
        others = by.get(write, set()) - {entry.subject}  # of whom it takes back what they were refused
        if write in alone and (write in stays or not others):
            return f"{entry.subject} had no right to bury {alone[write]}"
    return None


def _signers(segments: Iterable[Segment]) -> dict[_Write, set[str]]:
    """Who put what into a list."""
    found: dict[_Write, set[str]] = {}
    for segment in segments:
        for entry in segment.entries:
            for write in _writes(entry.object, standing_values([entry])) if is_list_path(entry.object) else ():
                found.setdefault(write, set()).add(entry.subject)
    return found


def _added(entry: Entry) -> Iterator[_Write]:
    return _writes(entry.object, Ledger.of([entry]).values)


def _writes(path: str, values: Values) -> Iterator[_Write]:
    return ((path, dot, digest) for dot, digests in values.items() for digest in digests)


def _graves(lists: Mapping[str, Iterable[bytes]]) -> dict[_Write, State]:
    """The graves in some contents of lists; what is no list holds none."""
    found: dict[_Write, State] = {}
    for path, contents in lists.items():
        for data in contents:
            try:
                graves = list(graves_by_write(parse(data, path)))
            except InvalidRecord:
                continue
            for at, value, grave in graves:
                [(dot, [digest])] = values_in(at, value).items()
                found[path, dot, digest] = grave
    return found


def _alone(members: Members, segments: list[Segment], graves: Mapping[_Write, State]) -> dict[_Write, str]:
    """Those of the graves for which the entries do not vouch that count about their records, with the reason."""
    about: dict[str, list[Entry]] = {place_of(grave): [] for grave in graves.values()}
    for segment in segments if about else ():
        for line, entry in enumerate(segment.entries, 1):
            if entry.object in about and members.counts(segment.path, line):
                about[entry.object].append(entry)
    told = ((write, place_of(grave), Ledger.of(about[place_of(grave)]).surplus(grave)) for write, grave in graves.items())
    return {write: f"{place}: {why}" for write, place, why in told if why}
