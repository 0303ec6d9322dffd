"""What was done that changes no record: reads, denials, exports, keys put to use. Told in the events of the next commit.

Until then each is a line in a local file; of equal ones on a day one fact is told, with their number. Nothing waits for the
disk, and a store that cannot be written to is still read. So these are notes, not promises: a crash may lose the last ones, or
tell those of one commit twice. A commit is made for them alone only once a day is over: reading must not fill the history.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from gitmem.core.record import Json
from gitmem.errors import GitmemError
from gitmem.memory.context import Context, timestamp
from gitmem.memory.members.noted import allows
from gitmem.memory.privacy.consent import READS, allowed_by
from gitmem.store.files import write_atomic
from gitmem.store.marks import Marks
from gitmem.store.replica import MARKS

READ: Final = "read"
DENIED: Final = "denied"
REFUSED: Final = "refused"
"""For want of the right to it, as `denied` is for want of a key."""
EXPORT: Final = "export"
OPENED: Final = "opened"
BACKUP: Final = "backup"
DRILL: Final = "drill"
RESTORE: Final = "restore-to"

MANY: Final = 50
"""So many records an answer may show and each is told as read; of more it is told which list was read."""

_FILE: Final = "acts"
_TAKEN: Final = "acts.taken"
_NOTE: Final = "opened"
_LARGE: Final = 4 << 20  # bytes after which equal lines are put together


class Shown(Protocol):
    """A record whose content somebody was shown."""

    @property
    def id(self) -> str: ...  # noqa: D102 (of a record)

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def scope(self) -> str: ...  # noqa: D102


def note_reads(context: Context, shown: Collection[Shown]) -> None:
    """Note that these records were shown: each of them, or of many the list they are, as `scope/kind` with `*` for several."""
    if len(shown) <= MANY:
        note(context, READ, [one.id for one in shown])
    else:
        note(context, READ, ["/".join(_only({getattr(one, part) for one in shown}) for part in ("scope", "kind"))])


def lists_with(scope: str, kind: str) -> set[str]:
    """The lists that a record of this scope and kind may have been in."""
    return {f"{one}/{other}" for one in (scope, "*") for other in (kind, "*")}


def _only(names: set[str]) -> str:
    return names.pop() if len(names) == 1 else "*"


def note(context: Context, op: str, objects: Iterable[str]) -> None:
    """Note that something was done to objects: ids of records or (see `note_reads`) lists, forms of exports, `scope/epoch`
    of keys, and what was refused, in words joined by hyphens."""
    if op == READ and not allows(context, READS):
        return
    if _append(context.store.local, context.now()[:10], op, objects):
        _compact(context)


def note_read_by_git(local: Path, when: datetime, record: str) -> None:
    """Note that git showed a record in the clone whose local directory this is, with no store open."""
    if not (local / MARKS).is_file():
        return
    with suppress(GitmemError), closing(Marks(local / MARKS)) as marks:  # git shows the record all the same
        if allowed_by(marks, READS):
            _append(local, timestamp(when)[:10], READ, [record])


def _append(local: Path, day: str, op: str, objects: Iterable[str]) -> bool:
    """Write a line for each object; True if it is time to put equal ones together."""
    data = "".join(f"{day} {op} {one} 1\n" for one in objects).encode("utf-8", "surrogateescape")
    if not data:
        return False
    with suppress(OSError):  # a read-only or full disk: what was read stands
        descriptor = os.open(local / _FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, data)
            return os.fstat(descriptor).st_size > _LARGE
        finally:
            os.close(descriptor)
    return False


def waiting(context: Context, *, anyway: bool) -> list[Json]:
    """The facts to be told by the commit that is being made; none from somebody who may not write to the log.

    Unless a commit is made `anyway`, those of today wait. Called under the store's lock; `told` follows when a commit has them.
    """
    local, today = context.store.local, context.now()[:10]
    if not (anyway or any(day < today for day, _, _ in _counted(local))) or not _may_write(context):
        return []
    note(context, OPENED, _keys_first_used(context))
    counts = _counted(local)
    write_atomic(local / _TAKEN, _lines(counts), mode=0o600)
    (local / _FILE).unlink(missing_ok=True)
    return [{"at": f"{day}T00:00:00Z", "id": one, "op": op, "times": times} for (day, op, one), times in sorted(counts.items())]


def told(context: Context) -> None:
    """A commit holds what was waiting."""
    keys = [one for _, op, one in _read(context.store.local / _TAKEN) if op == OPENED]
    if keys:
        before = context.store.marks.note(_NOTE).split()
        context.store.marks.set_note(_NOTE, " ".join(sorted({*before, *keys})))
    (context.store.local / _TAKEN).unlink(missing_ok=True)


def _may_write(context: Context) -> bool:
    from gitmem.memory.members.roster import members

    me = next((member for member in members(context) if member.me), None)
    return me is not None and me.role != "reader"


def _keys_first_used(context: Context) -> list[str]:
    """The keys that this replica has put to use and never told of."""
    known = set(context.store.marks.note(_NOTE).split())
    return sorted({f"{scope}/{epoch}" for scope, epoch in context.store.vault.opened()} - known)


def _compact(context: Context) -> None:
    with context.store.lock:
        lines = _read(context.store.local / _FILE)
        write_atomic(context.store.local / _FILE, _lines(lines), mode=0o600)


def _counted(local: Path) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for name in (_TAKEN, _FILE):
        found.update(_read(local / name))
    return found


def _lines(counts: Counter[tuple[str, str, str]]) -> bytes:
    return "".join(f"{day} {op} {one} {times}\n" for (day, op, one), times in sorted(counts.items())).encode()


def _read(file: Path) -> Counter[tuple[str, str, str]]:
    """How often each act was noted on each day; a line that is none is passed over."""
    found: Counter[tuple[str, str, str]] = Counter()
    with suppress(FileNotFoundError):
        for line in file.read_text("utf-8", "replace").splitlines():
            words = line.split(" ")
            if len(words) == 4 and words[3].isdigit():
                found[words[0], words[1], words[2]] += int(words[3])
    return found
