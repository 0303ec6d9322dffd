"""Graves in lists of collected records that nobody with the right to it signed for: they are neither taken in nor brought back.

A grave has its effect as soon as it comes in: one that a host has put there, or a single member, would bury a record that
nobody deleted. So the log that comes with a list must vouch for its graves first. Other changes that nobody signed for are put
right after they came in, see `enforcing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

from gitmem.core.auditing.audit import MAX_SEGMENT, Entry, Segment
from gitmem.core.auditing.delta import Ledger, standing_values, values_of
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import emit
from gitmem.core.collected import is_list_path
from gitmem.core.dots import Dot
from gitmem.core.heal import without
from gitmem.core.membership.fold import fold
from gitmem.core.record import State
from gitmem.errors import Tampered
from gitmem.git.repo import Repo
from gitmem.memory.auditing.burials import refuse_burials
from gitmem.memory.auditing.states import unexplained
from gitmem.memory.members.folded import genuine
from gitmem.memory.soundness import sound_or_none
from gitmem.store.layout import AUDIT

Entries: TypeAlias = dict[str, list[Entry]]


def unvouched(repo: Repo, prefix: str, commit: str, lists: Mapping[str, bytes]) -> dict[str, tuple[str, bytes | None]]:
    """Those of `lists`, by path below the store, that the log in `commit` does not vouch for: why, and the rest of it."""
    entries = entries_of_lists(repo, prefix, commit, {path: [data] for path, data in lists.items()}) if lists else {}
    told = ((path, why_not(path, data, entries)) for path, data in lists.items())
    said = "no member with the right to it signed for it"
    return {path: (f"{said}: {why}", _rest(path, lists[path], entries)) for path, why in told if why}


def _rest(path: str, data: bytes, entries: Entries) -> bytes | None:
    listing = sound_or_none(path, data)
    left = None if listing is None else part_of(listing, entries.get(path, []))
    return None if left is None else emit(left)


def why_not(path: str, data: bytes, entries: Entries) -> str | None:
    """Why entries do not vouch for a content of the list at `path`; None if they do."""
    some = entries.get(path, [])
    why = unexplained(path, sha256(data).hexdigest(), data, some)
    listing = None if why else sound_or_none(path, data)
    strange = _strange(listing, some) if listing else ()
    return why or next((f"the value written as {dot} was taken back" for dot in strange), None)


def _strange(listing: State, entries: list[Entry]) -> set[Dot]:
    """The writes in a list for whose values no entry stands."""
    known, seen = standing_values(entries), Ledger.of(entries).seen
    values = values_of(listing).items()
    return {dot for dot, digests in values if not digests <= known.get(dot, set()) or dot.n > seen.get(dot.writer, 0)}


def part_of(listing: State, entries: list[Entry]) -> State | None:
    """What of a list its entries vouch for; None for nothing."""
    left, ledger = without(listing, _strange(listing, entries))[0], Ledger.of(entries)
    left.seen = {writer: n for writer in left.seen if (n := min(left.seen[writer], ledger.seen.get(writer, 0)))}
    left.counts, left.last = {}, {}
    return left if left.sets else None


def entries_of_lists(
    repo: Repo,
    prefix: str,
    commit: str,
    lists: Mapping[str, Iterable[bytes]],
    lost: Mapping[str, bytes] = MappingProxyType({}),
) -> Entries:
    """By path what the log says of lists, as far as its signers had the right to say it; `lists` are contents of them.

    That is the log in `commit`, and segments that it has `lost`.
    """
    segments = list(genuine(list(_segments({**_contents(repo, prefix, commit), **lost}))))
    members, _ = fold(segments)
    refuse_burials(members, segments, {}, lists)
    found: Entries = {}
    for segment in segments:
        for line, entry in enumerate(segment.entries, 1):
            if is_list_path(entry.object) and members.counts(segment.path, line):
                found.setdefault(entry.object, []).append(entry)
    return found


def _contents(repo: Repo, prefix: str, commit: str) -> dict[str, bytes]:
    tree = {path: entry.id for path, entry in repo.ls_tree(commit, [prefix + AUDIT]).items() if entry.mode.startswith("100")}
    paths = [path.removeprefix(prefix) for path in tree]
    return dict(zip(paths, (data for _, data in repo.read_blobs(tree.values(), MAX_SEGMENT)), strict=True))


def _segments(contents: Mapping[str, bytes]) -> Iterator[Segment]:
    for path, data in contents.items():
        with suppress(Tampered):
            yield parse_segment(data, path)
