"""What the audit log says about single files, asked for a few of them: which contents it knows, and which writes were replaced.

Signatures are not checked here: `gitmem audit verify` does that. Nothing is taken out of a store on the word of an entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import ANSWERS, ATTEST, HAND, HEAL, QUARANTINE, Entry
from gitmem.core.auditing.delta import Ledger, dots_in, values_of
from gitmem.core.dots import Dot
from gitmem.core.heal import Loss
from gitmem.core.record import State
from gitmem.memory.auditing.files import segment_files

_OBJECT = re.compile(rb'"object":"((?:[^"\\]|\\.)*)"')


def answered(entries: Iterable[Entry]) -> set[str | None]:
    """The contents (SHA-256, None for a file that went) that entries answer for although nobody signed them when they came."""
    found: set[str | None] = set()
    for entry in entries:
        if entry.before is not None and (entry.op in (ATTEST, HAND) or entry.detail.get("whole") is True):
            found.add(entry.before)
        answers = entry.detail.get(ANSWERS)
        if entry.op in (ATTEST, HEAL, QUARANTINE) and isinstance(answers, list):
            found.update(answer for answer in answers if answer is None or isinstance(answer, str))
    return found


@dataclass(slots=True)
class Vouched:
    """The entries about one file."""

    entries: list[Entry] = field(default_factory=list)

    def knows(self, content: str | None) -> bool:
        """Whether an entry signs for a content, or answers for it."""
        return any(entry.after == content for entry in self.entries) or content in answered(self.entries)

    def were_lost(self, losses: Collection[Loss]) -> list[Loss]:
        """Those of the values that no write replaced, as far as the log knows.

        A write that no entry speaks of is taken to have replaced what stood in its place: it was made by hand, or is not signed
        yet, or its entry is still to come, because only a later commit of its writer was picked.
        """
        if not losses:
            return []
        ledger = Ledger.of(self.entries)
        return [
            loss
            for loss in losses
            if loss.dot not in ledger.gone
            and not any(self._covers(entry, loss.dot) for entry in self.entries)
            and all(dot in ledger.values for dot in loss.beside)
            and all(self._speaks_of(*writes) for writes in loss.amid)
        ]

    def _speaks_of(self, writer: str, first: int, last: int) -> bool:
        """Whether entries speak of each of these writes."""
        for start, end in sorted(dots_in(entry.detail).get(writer, (1, 0)) for entry in self.entries):
            if start <= first <= end:
                first = end + 1
        return first > last

    def _covers(self, entry: Entry, dot: Dot) -> bool:
        """Whether an entry took in a write without its value: it knew that the value had been replaced."""
        first, last = dots_in(entry.detail).get(dot.writer, (1, 0))
        adds = entry.detail.get("adds")
        by_number = adds.get(dot.writer) if isinstance(adds, dict) else None
        return first <= dot.n <= last and not (isinstance(by_number, dict) and str(dot.n) in by_number)

    def explains(self, state: State) -> bool:
        """Whether every value in a state was added by an entry."""
        values = Ledger.of(self.entries).values
        return all(digests <= values.get(dot, set()) for dot, digests in values_of(state).items())


def vouched_for(root: Path, paths: Collection[str]) -> dict[str, Vouched]:
    """What the log in the work tree at `root` says about some files; each has an answer."""
    found = {path: Vouched() for path in paths}
    if found:
        for _, file in segment_files(root):
            for entry in entries_in(file.read_bytes(), found):
                found[entry.object].entries.append(entry)
    return found


def entries_in(segment: bytes, about: Collection[str] | None = None) -> Iterator[Entry]:
    """The entries of a segment's bytes, all or those about some files; lines that are none are passed over."""
    for line in segment.split(b"\n"):
        if about is None or any(_text(match[1]) in about for match in _OBJECT.finditer(line)):
            entry = _entry(line)
            if entry is not None and (about is None or entry.object in about):
                yield entry


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _entry(line: bytes) -> Entry | None:
    try:
        fields = json.loads(line)
        fields.pop("v")
        entry = Entry(**fields, hash="")
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    words = (entry.store, entry.writer, entry.time, entry.op, entry.subject, entry.object)
    fits = all(isinstance(word, str) for word in words) and isinstance(entry.detail, dict)
    ends = all(one is None or isinstance(one, str) for one in (entry.before, entry.after))
    return entry if fits and ends else None
