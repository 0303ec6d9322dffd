"""Where backups are kept: files by name in one place, a directory here or whatever fsspec reaches.

What was put is on the disk (or with whoever keeps it) when the call returns. A file is never seen half written, and never
replaced by another one.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from gitmem.errors import GitmemError, UsageError
from gitmem.store.files import disk_error, read_bounded, sync_directory

_LOCAL: Final = "file://"
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Destination(Protocol):
    """One place for the backups of one store. `shown` names it to a person, without a password."""

    shown: str

    def names(self) -> list[str]:
        """The names of all files there, sorted; none where there is no such place yet."""
        ...

    def sizes(self) -> dict[str, int | None]:
        """How many bytes each file there has, by name; None where the place does not tell."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """The content of a file of at most `limit` bytes, None if there is none."""
        ...

    def fetch(self, name: str, folder: Path) -> Path | None:
        """A file on this disk with the content of one there, in `folder` unless it lies here already; None if there is none."""
        ...

    def spool(self, folder: Path) -> Path:
        """Where to write a file that is to be put there; `folder` is a local one that may be used."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Move a finished file from the spool to its place."""
        ...

    def add(self, name: str, data: bytes) -> bool:
        """Make a small file, unless there is one of that name: then nothing is changed, and the answer is False."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...


def destination(where: str, below: str = "") -> Destination:
    """The destination that a path or URL names, or the directory `below` it. Raises UsageError, GitmemError without fsspec."""
    if not where or where.startswith("-"):
        raise UsageError(f"{where!r} is no place for backups", "name a directory or a URL: --to /media/backup")
    if "://" not in where or where.startswith(_LOCAL):
        return Folder(Path(where.removeprefix(_LOCAL)).expanduser().resolve() / below)
    from gitmem.store.remote_destination import remote_destination

    return remote_destination(where, below)


class Folder:
    """A directory of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = str(path)

    def names(self) -> list[str]:
        """See Destination."""
        try:
            return sorted(entry.name for entry in os.scandir(self.path))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _failed(error, f"cannot read {self.path}") from error

    def sizes(self) -> dict[str, int | None]:
        """See Destination."""
        found: dict[str, int | None] = {}
        for name in self.names():
            with suppress(OSError):  # gone meanwhile
                found[name] = (self.path / name).lstat().st_size
        return found

    def read(self, name: str, limit: int) -> bytes | None:
        """See Destination."""
        return read_bounded(self.path / name, limit)

    def fetch(self, name: str, folder: Path) -> Path | None:  # noqa: ARG002 - it lies here
        """See Destination."""
        file = self.path / name
        return file if file.is_file() and not file.is_symlink() else None

    def spool(self, folder: Path) -> Path:  # noqa: ARG002 - on the same disk, to be moved in one step
        """See Destination."""
        try:
            self._make()
        except OSError as error:
            raise _failed(error, f"cannot make {self.path}") from error
        return self.path

    def put(self, name: str, file: Path) -> None:
        """See Destination."""
        try:
            _sync(file)
            file.replace(self.path / name)
            sync_directory(self.path)
        except OSError as error:
            raise _failed(error, f"cannot write {name} in {self.path}") from error

    def add(self, name: str, data: bytes) -> bool:
        """See Destination."""
        temporary = self.path / f".{name}.{os.getpid()}.tmp"
        try:
            self._make()
            temporary.write_bytes(data)
            _sync(temporary)
            _claim(temporary, self.path / name)
            sync_directory(self.path)
        except FileExistsError:
            return False
        except OSError as error:
            raise _failed(error, f"cannot write {name} in {self.path}") from error
        finally:
            with suppress(OSError):
                temporary.unlink()
        return True

    def remove(self, name: str) -> None:
        """See Destination."""
        try:
            (self.path / name).unlink(missing_ok=True)
            sync_directory(self.path)
        except OSError as error:
            raise _failed(error, f"cannot remove {name} from {self.path}") from error

    def _make(self) -> None:
        if not self.path.is_dir():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.path.parent)


def _failed(error: OSError, what: str) -> GitmemError:
    """The failure to tell: what is wrong with that place is not wrong with the store."""
    told = disk_error(error, what)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return told
    return GitmemError(told.message, "check that disk and your rights there, or name another place")


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _claim(temporary: Path, final: Path) -> None:
    """Give a file its name, unless the name is taken: in one step where the disk knows links, else as near to it as can be."""
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(final):
            raise FileExistsError(final) from None
        temporary.replace(final)
