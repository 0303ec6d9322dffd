"""What a commit is made of: its files, their entries in the audit log, and what had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from gitmem.core.auditing.audit import Change
from gitmem.core.record import Json, State
from gitmem.memory.committing.own_log import Again


@dataclass(slots=True)
class Batch:
    """The files of one commit with their audit entries, and what had to be left out, in words.

    `left` names the records among it, whose journalled writes must wait on; `events` is the path of the batch of events, `acts`
    are those that tell of reads and the like; `again` is what segments say that come back.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    records: int = 0
    events: str | None = None
    acts: list[Json] = field(default_factory=list)
    again: Again = field(default_factory=Again)

    def put(self, path: str, data: bytes | None, before: bytes | None, op: str, detail: dict[str, Json] | None = None) -> None:
        """Add a file (None: it goes) with its entry, unless nothing about it changes."""
        if data == before:
            return
        self.files[path] = data
        self.changes.append(Change(op, path, self.again.follows(path, digest(before)), digest(data), detail or {}))

    def take(self, path: str, data: bytes | None, before: bytes | None, op: str, detail: dict[str, Json]) -> None:
        """The same for what lies in the work tree: what a segment that comes back vouches for is signed for."""
        if data != before and self.again.explains(path, digest(data), detail):
            self.files[path] = data
        else:
            self.put(path, data, before, op, detail)


def digest(data: bytes | None) -> str | None:
    """SHA-256 of a file's bytes in hex, None for a file that is not there."""
    return None if data is None else sha256(data).hexdigest()


def operation(before: State | None, after: State) -> str:
    """What a change of a record was: learn, edit, use or forget."""
    if before is None or (after.alive and not before.alive):
        return "learn"
    if before.alive and not after.alive:
        return "forget"
    return "use" if before.seen == after.seen else "edit"


def summary(batch: Batch) -> str:
    """The commit message: what was done how often, and nothing of what it was about."""
    words = {
        "learn": "learned",
        "edit": "edited",
        "use": "used",
        "forget": "forgotten",
        "hand": "edited by hand",
        "enrol": "enrolled",
    }
    counts: dict[str, int] = {}
    for change in batch.changes:
        if change.op in words:
            counts[change.op] = counts.get(change.op, 0) + 1
    said = ", ".join(f"{count} {words[op]}" for op, count in counts.items())
    return f"gitmem: {said or 'housekeeping'}"
