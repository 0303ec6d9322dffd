"""The write-ahead log: a write is acknowledged when its line here is on the disk.

A line is `<crc32> <length> <entry as JSON>`. An entry holds the canonical text of a record state, or of a fragment that holds
nothing but counters, and the events of the write. Values in it are sealed as in the record file; events hold only ids, counts
and times.
Everything after the append (work tree, index, commit) can be redone by *merging* the entries into the tree, any number of
times. A line that a crash cut off was never acknowledged and is passed over. Damage costs the line it is in and no other: the
length finds the end of a line, the newline the beginning of the next.

The file is replaced by an empty one, with the next number, once a commit holds its entries. Appends happen under the store's
lock; reading needs none.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.core.record import Json
from gitmem.errors import InvalidRecord
from gitmem.store.files import disk_error, open_regular, read_bounded, sync_directory, write_atomic

_NAME: Final = re.compile(r"([0-9]{8})\.log")
_HEADER: Final = re.compile(rb"([0-9a-f]{8}) ([1-9][0-9]{0,9}) ")

_REACH_BYTES: Final = 64

REACH: Final = "reach"
"""The file beside the journal that tells how far it goes."""

Position = tuple[int, int]
"""A place in the journal: the number of its file and a byte offset."""


class Entry(NamedTuple):
    """One acknowledged write: the record it is about (path in the store, canonical text) and what happened.

    `whole` says that the text is the record's full state and so replaces earlier entries of it; else it is a fragment.
    """

    path: str
    text: str
    whole: bool
    events: Sequence[Json] = ()


class Journal:
    """The journal of one replica. `refresh` reads what is new; `append` and `clear` need the store's lock."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._reach = directory.with_name(REACH)
        self._number = 0
        self._offset = 0
        self._descriptor = self._noting = -1
        self.damaged: list[str] = []

    def latest(self) -> int:
        """The number of the latest file, 0 without any."""
        return max(self._numbers(), default=0)

    @property
    def position(self) -> Position:
        """How far this object has read."""
        return (self._number, self._offset)

    def refresh(self) -> tuple[bool, list[Entry]]:
        """(whether the entries read before are gone, new entries) since the last call, by whichever process."""
        restarted = not self._is_latest()
        if restarted:
            self._number, self._offset = self.latest(), 0
            self._forget_descriptor()
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_size == self._offset:
            return restarted, []
        entries, self._offset = self._read(self._offset)
        return restarted, entries

    def since(self, position: Position) -> list[Entry]:
        """The entries after `position`, up to where this object has read; all of them if that file is gone, or is shorter."""
        number, offset = position
        entries, _ = self._read(offset if number == self._number and offset <= self._offset else 0, self._offset)
        return entries

    def append(self, entries: Iterable[Entry], *, sync: bool = True) -> None:
        """Write entries and, with `sync`, have them on the disk before returning. All of them or none.

        The caller has refreshed under the lock. Raises GitmemError when the disk is full or read-only.
        """
        data = b"".join(_line(entry) for entry in entries)
        try:
            descriptor = self._open()
            end = self._end(descriptor)
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                data = b"\n" + data
            self._write(descriptor, data, end, sync)
        except OSError as error:
            self._forget_descriptor()
            raise disk_error(error, "cannot write to the journal") from error
        self._offset = end + len(data)
        self.note_reach()

    def clear(self, keep: Iterable[Entry] = ()) -> None:
        """Start the next file with the entries to `keep`, and remove the earlier ones: a commit holds their entries."""
        self._forget_descriptor()
        obsolete = self._numbers()
        following = max(obsolete, default=0) + 1
        write_atomic(self._path(following), b"".join(map(_line, keep)), mode=0o600, durable=True)
        try:
            for number in sorted(obsolete):  # so that none goes before an older one
                self._path(number).unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, "cannot start a new journal") from error
        self._number, self._offset = following, 0
        self.note_reach()
        self.damaged.clear()

    def note_reach(self) -> None:
        """Note beside the journal how far it goes: what is gone of it later can be told. A note that is lost tells nothing.

        In place and unsynced: a file cut off and written again costs a third of the append that it is about (ext4).
        """
        with suppress(OSError):
            if self._noting < 0:
                self._noting = os.open(self._reach, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            os.pwrite(self._noting, b"%08d %016d\n" % (self._number, self._offset), 0)

    def reach(self) -> Position | None:
        """How far the journal went when it was last written to, None where nothing tells."""
        try:
            number, end = (read_bounded(self._reach, _REACH_BYTES) or b"").split()
            return int(number), int(end)
        except (InvalidRecord, ValueError):
            return None

    def close(self) -> None:
        """Give the descriptors back."""
        self._forget_descriptor()
        if self._noting >= 0:
            os.close(self._noting)
            self._noting = -1

    def _end(self, descriptor: int) -> int:
        """Where the next line goes. What a crash cut off was never acknowledged and is removed: it must not swallow ours."""
        size = os.fstat(descriptor).st_size
        if size <= self._offset:
            return size
        end = self._read(self._offset)[1]
        if end < size:
            os.ftruncate(descriptor, end)
        return end

    def _write(self, descriptor: int, data: bytes, end: int, sync: bool) -> None:
        try:
            written = os.write(descriptor, data)
            while written < len(data):
                written += os.write(descriptor, data[written:])
            if sync:
                os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            # Somebody may have read what was taken back: under another number the file is read anew.
            self._path().rename(self._path(self._number + 1))
            raise

    def _open(self) -> int:
        if self._descriptor < 0:
            self._number = self.latest() or 1
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            if not os.fstat(self._descriptor).st_size:  # perhaps made just now, or by somebody who was killed then
                sync_directory(self.directory)
                sync_directory(self.directory.parent)
        return self._descriptor

    def _forget_descriptor(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _numbers(self) -> list[int]:
        try:
            names = [entry.name for entry in os.scandir(self.directory)]
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise InvalidRecord(f"cannot read the journal: {self.directory} is no directory", "gitmem doctor --fix") from None
        return [int(match[1]) for match in map(_NAME.fullmatch, names) if match]

    def _is_latest(self) -> bool:
        """Whether the file in use is the latest still, and no older one was put in its place: a cheap look that never says so
        wrongly."""
        if not self._number:
            return False
        try:
            info = self._path().stat()
        except FileNotFoundError:
            return False
        same = self._descriptor < 0 or os.fstat(self._descriptor).st_ino == info.st_ino
        return same and info.st_size >= self._offset and not self._path(self._number + 1).exists()

    def _path(self, number: int | None = None) -> Path:
        return self.directory / f"{self._number if number is None else number:08d}.log"

    def _read(self, offset: int, until: int | None = None) -> tuple[list[Entry], int]:
        try:
            with open_regular(self._path()) as file:
                file.seek(offset)
                data = file.read() if until is None else file.read(max(until - offset, 0))
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise disk_error(error, "cannot read the journal") from error
        entries: list[Entry] = []
        at = 0
        while at < len(data):
            entry, end = _entry_at(data, at)
            if end < 0:
                break  # cut off, or being written just now
            if entry is not None:
                entries.append(entry)
            elif data[at:end].strip():
                self._report(f"{self._path().name}: the line at byte {offset + at} is damaged and was passed over")
            at = end
        return entries, offset + at

    def _report(self, damage: str) -> None:
        if damage not in self.damaged:
            self.damaged.append(damage)


def _entry_at(data: bytes, at: int) -> tuple[Entry | None, int]:
    """(the entry of the line that begins at `at`, None for a damaged or empty one; where it ends, -1 for one that does not)."""
    header = _HEADER.match(data, at)
    if header is not None:
        body = data[header.end() : header.end() + int(header[2])]
        if len(body) == int(header[2]) and b"%08x" % zlib.crc32(body) == header[1]:
            path, text, whole, events = json.loads(body)
            return Entry(path, text, whole, events), min(header.end() + len(body) + 1, len(data))
    return None, data.find(b"\n", at) + 1 or -1


def _line(entry: Entry) -> bytes:
    body = json.dumps([entry.path, entry.text, entry.whole, entry.events], separators=(",", ":"), ensure_ascii=False)
    data = body.encode("utf-8", "surrogatepass")
    return b"%08x %d %b\n" % (zlib.crc32(data), len(data), data)
