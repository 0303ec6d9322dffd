"""Files that are whole or absent: atomic and durable writes, bounded reads, and nothing through a symbolic link.

What lies in a store's work tree came from a repository that others write to, so that a directory in it may be a link to
anywhere. Every access below a root goes through `inside`, which refuses such paths.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from gitmem.errors import GitmemError, InvalidRecord

_TEMPORARY: Final = re.compile(r"\..+\.([1-9][0-9]*)\.tmp")


def disk_error(error: OSError, what: str) -> GitmemError:
    """The failure to tell a user for an I/O error, with the hint that fits it."""
    hints = {
        errno.ENOSPC: "free some space and run the command again",
        errno.EDQUOT: "your disk quota is used up: free some space and run the command again",
        errno.EROFS: "the disk is mounted read-only: remount it, or work on another clone",
        errno.EACCES: "check who owns the store's files: `gitmem doctor`",
        errno.EPERM: "check who owns the store's files: `gitmem doctor`",
    }
    reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return GitmemError(
        f"{what}: {reason}; nothing was changed", hints.get(error.errno or 0, "`gitmem doctor` checks the store")
    )


def inside(root: Path, relative: str) -> Path:
    """The path of `relative` below `root`. Raises InvalidRecord if it leaves `root` or passes through a link."""
    parts = relative.split("/")
    if not relative or relative.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise InvalidRecord(f"{relative[:200]!r} is no path inside the store", "remove that file: `gitmem doctor`")
    current = str(root)
    for part in parts:
        current = f"{current}/{part}"
        try:
            mode = os.lstat(current).st_mode
        except OSError:
            break
        if stat.S_ISLNK(mode):
            raise InvalidRecord(
                f"{relative[:200]!r} passes through a symbolic link in the work tree",
                "a store holds no links: `gitmem doctor --fix`",
            )
    return root / relative


def not_regular(path: Path) -> InvalidRecord:
    """What to say of something else in the place of a file."""
    return InvalidRecord(f"{path.name} is no regular file", "`gitmem doctor --fix` puts back what belongs there")


def open_regular(path: Path) -> BinaryIO:
    """A regular file, opened for reading. Raises OSError, and InvalidRecord for a pipe, which would wait, or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise not_regular(path)


def read_regular(path: Path) -> bytes:
    """All that a regular file holds. Raises as `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The content of a regular file, None if there is none. Raises InvalidRecord above `limit` bytes, for links and devices."""
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidRecord(
            f"{path.name} cannot be read: {os.strerror(error.errno or 0).lower()}", "gitmem doctor --fix"
        ) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise InvalidRecord(f"{path.name} is {size:,} bytes; the limit is {limit:,}", "`gitmem doctor` lists such files")
        return file.read()


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Replace `path` by `data` in one step (temp, rename); with `durable` it is on the disk before this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):  # a read-only disk refuses even to remove what was never made
            temporary.unlink()
        raise disk_error(error, f"cannot write {path.name}") from error


def is_abandoned(name: str) -> bool:
    """Whether a file is one that a killed process was writing: named as `write_atomic` does, by a process that is no more."""
    match = _TEMPORARY.fullmatch(name)
    if match is None:
        return False
    try:
        os.kill(int(match[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # somebody else's, and alive
    return int(match[1]) == os.getpid()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable: a rename or creation alone is not (POSIX fsync)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
