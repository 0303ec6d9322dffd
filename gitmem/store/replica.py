"""Who writes here: the replica's name, and the number of its current writer.

A writer is `<replica>-<n>`. When a record turns out to be behind this replica's marks, n goes up and the old name is never
used again. When the marks are gone, or the directory was copied to another place (another host or another inode), the copy
must not write under the same name as the original and takes a new replica name.

What was restored in its old place, from a backup or with a snapshot of the work tree, keeps host and inode. But no tool can
give a file the time of its last change of state back (`st_ctime`): the marks note it, together with the inode of the replica's
file, and where they differ the marks are another time's. The file is touched at each commit, so that no tool which compares
times passes it over when it brings back older marks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitmem.store.files import disk_error, read_bounded, write_atomic
from gitmem.store.journal import Journal
from gitmem.store.marks import Marks, Owner

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_FILE: Final = "replica.yaml"
MARKS: Final = "marks"


@dataclass(frozen=True, slots=True)
class Replica:
    """One clone's writing identity and the place it belongs to."""

    name: str
    number: int
    host: str
    inode: int

    @property
    def writer(self) -> str:
        """The current writer."""
        return f"{self.name}-{self.number}"


def load_replica(local: Path) -> Replica | None:
    """The replica of this git directory; None on first use, and in a directory that was copied here."""
    known = _read(local / _FILE)
    return known if known is not None and (known.host, known.inode) == _place(local) else None


def begin_replica(local: Path) -> Replica:
    """Give this git directory a replica name nobody has, with marks of its own, durably. Called under the store's lock."""
    import secrets  # with all of `random`, for what happens once in a clone

    replica = Replica("".join(secrets.choice(_ALPHABET) for _ in range(8)), 1, *_place(local))
    former = _read(local / _FILE)
    save_replica(local, replica)  # first: marks that belong to another file only make for another name
    marks = Marks(local / MARKS)
    marks.begin(owner_of(version(local), replica, Journal(local / "journal").latest()), former.name if former else "")
    marks.close()
    return replica


def nobody() -> Replica:
    """Who reads where nothing can be written. No marks are nobody's, so that nothing is ever written in this name."""
    return Replica("nobody", 1, "", 0)


def owner_of(file: tuple[int, int], replica: Replica, journal: int) -> Owner:
    """Whose marks they must be to be this replica's. `file` is the `version` of its file, `journal` the journal's number."""
    return Owner(replica.name, *file, journal)


def touch(local: Path) -> None:
    """Give the replica's file a new time. The marks that are put next note it."""
    try:
        os.utime(local / _FILE)
    except OSError as error:
        raise disk_error(error, "cannot note who writes here") from error


def rotated(replica: Replica) -> Replica:
    """The same replica with its next writer."""
    return replace(replica, number=replica.number + 1)


def save_replica(local: Path, replica: Replica) -> None:
    """Write the replica's file, durably."""
    lines = [
        f"replica: {replica.name}",
        f"number: {replica.number}",
        f"host: {replica.host}",
        f"inode: {replica.inode}",
    ]
    write_atomic(local / _FILE, ("\n".join(lines) + "\n").encode(), mode=0o600, durable=True)


def version(local: Path) -> tuple[int, int]:
    """What changes whenever the replica's file is written, by us or by who restores a backup: inode and time of its change."""
    try:
        info = (local / _FILE).stat()
    except FileNotFoundError:
        return (0, 0)
    return (info.st_ino, info.st_ctime_ns)


def _place(local: Path) -> tuple[str, int]:
    return os.uname().nodename, local.stat().st_ino


def _read(path: Path) -> Replica | None:
    data = read_bounded(path, 4096)
    if data is None:
        return None
    pairs = dict(line.split(": ", 1) for line in data.decode("utf-8", "replace").splitlines() if ": " in line)
    try:
        return Replica(pairs["replica"], int(pairs["number"]), pairs["host"], int(pairs["inode"]))
    except (KeyError, ValueError):
        return None
