"""The floor under a scope's values: the oldest epoch that a value may be sealed in. A value below it is named as a problem.

A new key (every removal of a member makes one) raises the floor for whatever is written by those who have seen it. What was
written at the same time may stay in an older epoch until somebody seals it anew. Whether a writer had seen a key follows from
what their segment quotes, never from its time. No key is needed to check this: the epoch stands in the value, and the entry
that added the value names its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gitmem.core.auditing.audit import Entry, Problem, Segment
from gitmem.core.auditing.causality import Sight, node_of, sights
from gitmem.core.auditing.chain import causal_order
from gitmem.core.auditing.delta import Ledger, values_in
from gitmem.core.codec import parse
from gitmem.core.membership.members import Members, Rotation
from gitmem.core.token import epoch_of, epoch_order, oldest_epoch
from gitmem.errors import InvalidRecord
from gitmem.git.repo import Entry as TreeEntry
from gitmem.git.repo import Repo
from gitmem.store.layout import is_record_path, parse_record_path

BELOW = "below the floor"


def newest_epochs(rotations: Iterable[Rotation]) -> dict[str, str]:
    """The newest epoch that was signed for each scope that has had a new key."""
    found: dict[str, str] = {}
    for one in rotations:
        found[one.scope] = max(one.epoch, found.get(one.scope, ""), key=epoch_order)
    return found


def behind(repo: Repo, newest: Mapping[str, str], tree: Mapping[str, str]) -> dict[str, bytes]:
    """The records among some files (path -> blob) that hold a value of an older epoch than their scope's newest."""
    paths = [path for path in tree if is_record_path(path) and parse_record_path(path)[0] in newest]
    read = zip(paths, repo.read_blobs(tree[path] for path in paths), strict=True) if paths else ()
    return {path: data for path, (_, data) in read if oldest_epoch(data) < epoch_order(newest[parse_record_path(path)[0]])}


def check_floors(repo: Repo, tree: Mapping[str, TreeEntry], segments: list[Segment], members: Members) -> Iterator[Problem]:
    """The values at HEAD that somebody sealed in an epoch below the floor that they knew of."""
    suspects = behind(repo, newest_epochs(members.rotations), {path: entry.id for path, entry in tree.items()})
    if suspects:
        floors = _Floors(segments, members)
        about = _about(segments, members, suspects)
        for path, data in suspects.items():
            yield from _below(path, data, about.get(path, []), floors)


def _about(segments: list[Segment], members: Members, paths: Mapping[str, bytes]) -> dict[str, list[tuple[Segment, Entry]]]:
    found: dict[str, list[tuple[Segment, Entry]]] = {}
    for segment in segments:
        for line, entry in enumerate(segment.entries, 1):
            if entry.object in paths and members.counts(segment.path, line):
                found.setdefault(entry.object, []).append((segment, entry))
    return found


def _below(path: str, data: bytes, about: list[tuple[Segment, Entry]], floors: _Floors) -> Iterator[Problem]:
    try:
        state = parse(data, path)
    except InvalidRecord:
        return  # what is no record is named as that
    adds = [(entry, floors.at(segment, state.scope), Ledger.of([entry]).values) for segment, entry in about]
    for at, register in state.registers():
        for key, value in register.items():
            epoch, [(dot, digests)] = epoch_of(str(value)), values_in(at, {key: value}).items()
            told = [(entry, floor, values[dot]) for entry, floor, values in adds if dot in values]
            if why := _why(epoch, digests, told):
                yield Problem(BELOW, path, f"the value written as {dot} is sealed in epoch {epoch}{why}")


def _why(epoch: str, digests: set[str], told: list[tuple[Entry, str, set[str]]]) -> str | None:
    """What is wrong about a value of an epoch, given the entries that add one under its write (floor, hashes)."""
    low = [(entry, floor) for entry, floor, _ in told if epoch_order(epoch) < epoch_order(floor)]
    by = [(entry, floor) for entry, floor, added in told if digests <= added]
    if by and all(one in low for one in by):
        return f" by {by[0][0].subject}, who knew of epoch {by[0][1]}"
    again = next((entry for entry, floor, added in told if (entry, floor) in low and not digests <= added), None)
    return f", although {again.subject} has sealed it anew since" if again else None


class _Floors:
    """How high the floor of a scope was for whoever signed a segment: the newest epoch that the segment has seen."""

    def __init__(self, segments: list[Segment], members: Members) -> None:
        self.rotations = members.rotations
        marks: dict[tuple[str, int], int] = {}
        for mark, rotation in enumerate(self.rotations):
            marks[rotation.node] = marks.get(rotation.node, 0) | 1 << mark
        self.sights: dict[tuple[str, int], Sight] = sights(causal_order(segments)[0], marks)

    def at(self, segment: Segment, scope: str) -> str:
        sight = self.sights[node_of(segment)]
        seen = (one.epoch for mark, one in enumerate(self.rotations) if one.scope == scope and sight.saw(mark))
        return max(seen, default="", key=epoch_order)
