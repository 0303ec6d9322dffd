"""The audit log as one commit holds it, asked for ends of chains and single entries without reading all of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Set
from contextlib import suppress

from gitmem.core.auditing.audit import MAX_SEGMENT, Segment, place_of, segment_path
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.auditing.pin import Ends
from gitmem.errors import Tampered
from gitmem.git.repo import Repo
from gitmem.store.layout import AUDIT

_OBJECT = re.compile(rb'"object":"([^"\\]*)"')  # a canonical line spells no plain path in another way


class LogAt:
    """The log of the store at `prefix` in a commit."""

    def __init__(self, repo: Repo, prefix: str, commit: str) -> None:
        self.repo = repo
        self.chains: dict[str, dict[int, str]] = {}
        for path, entry in repo.ls_tree(commit, [prefix + AUDIT]).items():
            place = place_of(path.removeprefix(prefix))
            if place is not None and entry.mode.startswith("100"):
                self.chains.setdefault(place[0], {})[place[1]] = entry.id

    def ends(self) -> Ends:
        """The end of each chain. Raises Tampered for a last segment that is none."""
        heads = (segment.head for segment in self._read(self._lasts()))
        return {head.writer: (head.seq, head.hash) for head in heads}

    def lasts(self) -> Iterator[Segment]:
        """The last segment of each chain; what is none is passed over."""
        yield from self._read_what_is_one(self._lasts())

    def readable(self) -> Iterator[Segment]:
        """All segments, chain by chain; what is none is passed over."""
        yield from self._read_what_is_one(self._all())

    def segments(self) -> Iterator[Segment]:
        """All segments, chain by chain. Raises Tampered for what is none."""
        yield from self._read(self._all())

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The path of each segment in the store, and its content."""
        places = self._all()
        yield from zip((segment_path(*place) for place in places), self._blobs(places), strict=True)

    def about(self, paths: Set[str]) -> Iterator[Segment]:
        """The segments with an entry about one of a few files; the others are not parsed. Raises Tampered for what is none."""
        wanted = {path.encode("utf-8", "surrogateescape") for path in paths}
        places = [(writer, number) for writer, numbers in self.chains.items() for number in numbers]
        for (writer, number), data in zip(places, self._blobs(places), strict=True):
            if not wanted.isdisjoint(_OBJECT.findall(data)):
                yield parse_segment(data, segment_path(writer, number))

    def chain(self, writer: str) -> Iterator[Segment]:
        """The segments of one chain. Raises Tampered for what is none."""
        yield from self._read([(writer, number) for number in sorted(self.chains.get(writer, {}))])

    def beginnings(self) -> list[Segment]:
        """The first segment of each chain. Raises Tampered for what is none."""
        return [*self._read([(writer, 1) for writer, numbers in self.chains.items() if 1 in numbers])]

    def hash_at(self, writer: str, seq: int) -> str | None:
        """The hash of one entry; None where the log has none under this number, or cannot be read there."""
        numbers = sorted(self.chains.get(writer, {}))
        try:
            at = bisect_right(numbers, seq, key=lambda number: self._one(writer, number).entries[0].seq)
            entries = self._one(writer, numbers[at - 1]).entries if at else ()
        except Tampered:
            return None
        return next((entry.hash for entry in entries if entry.seq == seq), None)

    def _one(self, writer: str, number: int) -> Segment:
        return next(self._read([(writer, number)]))

    def _all(self) -> list[tuple[str, int]]:
        return [(writer, number) for writer, numbers in self.chains.items() for number in sorted(numbers)]

    def _lasts(self) -> list[tuple[str, int]]:
        return [(writer, max(numbers)) for writer, numbers in self.chains.items()]

    def _read_what_is_one(self, places: list[tuple[str, int]]) -> Iterator[Segment]:
        for (writer, number), data in zip(places, self._blobs(places), strict=True):
            with suppress(Tampered):
                yield parse_segment(data, segment_path(writer, number))

    def _read(self, places: list[tuple[str, int]]) -> Iterator[Segment]:
        for (writer, number), data in zip(places, self._blobs(places), strict=True):
            yield parse_segment(data, segment_path(writer, number))

    def _blobs(self, places: list[tuple[str, int]]) -> Iterator[bytes]:
        blobs = self.repo.read_blobs((self.chains[writer][number] for writer, number in places), MAX_SEGMENT)
        yield from (data for _, data in blobs)
