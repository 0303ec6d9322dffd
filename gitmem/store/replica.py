"""Who writes here: the replica's name, and the number of its current writer.

A writer is `<replica>-<n>`. When a record turns out to be behind this replica's marks, n goes up and the old name is never
used again. When the marks are gone, or the directory was copied to another place (another host or another inode), the copy
must not write under the same name as the original and takes a new replica name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitmem.store.files import read_bounded, write_atomic
from gitmem.store.marks import Marks

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
    marks = Marks(local / MARKS)
    marks.begin(replica.name)  # first: marks of one name and a file of another only make for a third
    marks.close()
    save_replica(local, replica)
    return replica


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
    """What changes whenever another process saves the replica: inode and time of its file, zeros without one."""
    try:
        info = (local / _FILE).stat()
    except FileNotFoundError:
        return (0, 0)
    return (info.st_ino, info.st_mtime_ns)


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
