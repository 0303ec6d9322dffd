"""The bijection: every content a file ever had is signed for, and everything signed for is in the files.

It goes by content, not by commit, so that merges, rebases, cherry-picks and squashes need no case of their own. For a file that
is no record the hashes of its contents are held against the entries'. For a record that has only ever been changed in one
line of succession the same is enough; where histories met, the parts of the record are held against what its entries add up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitmem.core.auditing.audit import Entry, Problem
from gitmem.core.auditing.delta import Ledger, record_detail
from gitmem.core.codec import parse
from gitmem.core.record import Json, State
from gitmem.errors import InvalidRecord
from gitmem.memory.auditing.vouched import answered
from gitmem.memory.soundness import belongs, holds_record
from gitmem.store.layout import CONFIG

UNSIGNED = "unsigned change"
REMOVED = "removed file"
_NOT_LINEAR = ""


@dataclass(frozen=True, slots=True)
class FileHistory:
    """One file: its contents (SHA-256 -> commit that brought it), what HEAD has of it, and when it went away."""

    path: str
    contents: dict[str, str]
    head: str | None
    removals: list[str]


def file_detail(path: str, before: bytes | None, after: bytes | None) -> dict[str, Json]:
    """What the entry about a file's change must vouch for: a record's writes, nothing of other files.

    `before` is what HEAD holds, `after` what the commit will. Where HEAD holds something broken, all of `after` is vouched for.
    Raises InvalidRecord when `after` should be a record and is none.
    """
    if after is None or not holds_record(path):
        return {}
    state = parse(after, path)
    try:
        return record_detail(None if before is None else parse(before, path), state)
    except InvalidRecord:
        return record_detail(None, state, outside=True)


def to_be_read(file: FileHistory, entries: list[Entry]) -> set[str]:
    """The contents (SHA-256) whose bytes `check_file` needs: few, where histories do not meet."""
    if not holds_record(file.path) or not entries:
        return set()
    wanted = file.contents.keys() - {entry.after for entry in entries}
    return wanted if file.head is None or _end_of_line(entries) != _NOT_LINEAR else wanted | {file.head}


def check_file(file: FileHistory, entries: list[Entry], contents: Mapping[str, bytes]) -> Iterator[Problem]:
    """All that does not add up about one file; `contents` holds by their SHA-256 the bytes that `to_be_read` names."""
    check = _Check(file, entries, contents)
    yield from check.unsigned()
    yield from check.removed()
    yield from check.newest()


def unexplained(path: str, digest: str, data: bytes, entries: list[Entry]) -> str | None:
    """Why entries do not vouch for a content (with this SHA-256) of the file at `path`; None if they do."""
    check = _Check(FileHistory(path, {digest: ""}, digest, []), entries, {digest: data})
    return next((problem.why for problem in check.unsigned()), None)


class _Check:
    def __init__(self, file: FileHistory, entries: list[Entry], contents: Mapping[str, bytes]) -> None:
        self.file = file
        self.entries = entries
        self.contents = contents
        self.signed = {entry.after for entry in entries}
        self._ledger: Ledger | None = None

    def unsigned(self) -> Iterator[Problem]:
        """Contents that no entry explains. An entry that took in what came from outside answers for that, too."""
        taken_in = answered(self.entries)
        for digest, commit in self.file.contents.items():
            newest = digest == self.file.head
            if digest in self.signed or (digest in taken_in and not newest):
                continue
            if why := self._unexplained(digest):
                at = self.file.path if newest else f"{self.file.path} (commit {commit[:12]})"
                yield Problem(UNSIGNED, at, why)

    def removed(self) -> Iterator[Problem]:
        """Removals without an entry."""
        if None not in self.signed | answered(self.entries):
            for commit in self.file.removals:
                yield Problem(REMOVED, f"{self.file.path} (commit {commit[:12]})", "no entry says that it goes")

    def newest(self) -> Iterator[Problem]:
        """Whether HEAD holds what was signed last."""
        end, head = _end_of_line(self.entries), self.file.head
        if head == end or not self.entries:
            return
        if head is None:
            if end != _NOT_LINEAR or not self._may_be_gone():
                yield Problem("missing file", self.file.path, f"{_told(self.entries[-1])} and it is not there")
        elif holds_record(self.file.path) and not (head in self.signed and end != _NOT_LINEAR):
            yield from self._newest_record(head)
        else:
            yield from self._newest_content(head)

    def _may_be_gone(self) -> bool:
        """Whether entries end with nothing. Two clones that made the same record began it twice, and collect it once."""
        taken = None in self.signed and holds_record(self.file.path) and self.ledger.is_empty()
        return taken or None in _ends(self.entries)

    def _newest_record(self, head: str) -> Iterator[Problem]:
        state = self._state(head)
        if isinstance(state, str):
            return
        if head in self.signed and (why := self.ledger.surplus(state)):
            yield Problem(UNSIGNED, self.file.path, why)
        elif why := self.ledger.missing(state):
            yield Problem("rolled back", self.file.path, why)

    def _newest_content(self, head: str) -> Iterator[Problem]:
        ends = _ends(self.entries)
        if head in self.signed and head not in ends:
            later = next(entry for entry in self.entries if entry.before == head)
            yield Problem("rolled back", self.file.path, f"it is as it was before {_told(later)}")
            return
        for lost in ends - self.file.contents.keys() - {None}:
            entry = next(entry for entry in self.entries if entry.after == lost)
            yield Problem("dropped change", self.file.path, f"{_told(entry)}, and no commit has it")

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger.of(self.entries)
        return self._ledger

    def _unexplained(self, digest: str) -> str | None:
        if not self.entries:
            return "no entry speaks of it"
        if not holds_record(self.file.path):
            return "no entry speaks of this content"
        state = self._state(digest)
        if isinstance(state, str):
            return state
        return self._misnamed(state) or self.ledger.surplus(state)

    def _misnamed(self, state: State) -> str | None:
        """Why it is no state of this record, whatever values it holds: they are vouched for, its name follows from the path."""
        stores = {entry.store for entry in self.entries}
        other = not belongs(self.file.path, state) or (self.file.path == CONFIG and state.id not in stores)
        return f"it holds {state.scope}/{state.kind}/{state.id}"[:200] if other else None

    def _state(self, digest: str) -> State | str:
        """The record with this content, or why it is none."""
        try:
            return parse(self.contents[digest], self.file.path)
        except InvalidRecord as error:
            return error.message


def in_one_line(entries: list[Entry]) -> bool:
    """Whether each of the entries about one file takes up where one other left off, from nothing on."""
    return _end_of_line(entries) != _NOT_LINEAR


def _end_of_line(entries: list[Entry]) -> str | None:
    """The content after the last entry when each takes up where one other left off, from nothing on; else `_NOT_LINEAR`."""
    after = {entry.before: entry.after for entry in entries}
    at: str | None = None
    for _ in entries:
        if at not in after:
            return _NOT_LINEAR
        at = after.pop(at)
    return at if len({entry.before for entry in entries}) == len(entries) else _NOT_LINEAR


def _ends(entries: list[Entry]) -> set[str | None]:
    """The contents that were arrived at more often than left: what may stand at the end. Nothing (None) is where all begins."""
    balance: dict[str | None, int] = {None: 1}
    arrived = {entry.after for entry in entries if entry.before != entry.after}
    for entry in entries:
        if entry.before == entry.after:  # it vouches for a content that nobody had signed for when it came
            balance.setdefault(entry.after, 0 if entry.after in arrived else 1)
            continue
        balance[entry.before] = balance.get(entry.before, 0) - 1
        balance[entry.after] = balance.get(entry.after, 0) + 1
    return {content for content, count in balance.items() if count > 0}


def signed_ends(entries: list[Entry]) -> set[str]:
    """The contents that the entries about one file leave as the last."""
    return {content for content in _ends(entries) if content is not None}


def _told(entry: Entry) -> str:
    return f"{entry.subject}'s {entry.op!r} of {entry.time} (entry {entry.seq} of {entry.writer})"
