"""The index's file: opened under its key, and made anew when it is of no use."""

from __future__ import annotations

import errno
import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from gitmem.errors import GitmemError, Locked

if TYPE_CHECKING:
    from pathlib import Path

    import apsw

_BUSY: Final = 10_000  # milliseconds to wait for another process's transaction
_CACHE: Final = 32_768  # KiB of pages kept in memory
_KEY: Final = 32  # bytes

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, scope TEXT NOT NULL, path TEXT NOT NULL,
    alive INTEGER NOT NULL, conflicts INTEGER NOT NULL, changed TEXT NOT NULL, body TEXT NOT NULL,
    heads TEXT NOT NULL, words TEXT NOT NULL, sealed INTEGER NOT NULL);
CREATE INDEX entries_sealed ON entries (path) WHERE sealed > 0;
CREATE INDEX entries_changed ON entries (alive, changed);
CREATE INDEX entries_conflicted ON entries (id) WHERE conflicts > 0;
CREATE TABLE usage (number INTEGER PRIMARY KEY, counts TEXT NOT NULL, last TEXT NOT NULL);
CREATE TABLE tags (tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tag, number)) WITHOUT ROWID;
CREATE TABLE keys (
    word TEXT NOT NULL, number INTEGER NOT NULL, others TEXT NOT NULL, PRIMARY KEY (word, number)) WITHOUT ROWID;
CREATE TABLE frequencies (word TEXT PRIMARY KEY, records INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE recent (word TEXT PRIMARY KEY, records INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE content USING fts5 (heavy, middle, light, place, content='', contentless_delete=1, tokenize='ascii');
"""

SCHEMA: Final = zlib.crc32(_TABLES.encode()) & 0x7FFFFFFF
"""What kind of index this is; one with other tables, of an older or newer gitmem, is made anew."""


class Database:
    """A connection whose failures are GitmemErrors. A file that turns out to be damaged is removed, to be made anew."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        """For `open_database`."""
        self.path = path
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        with self._told():
            return list(self._connection.execute(statement, tuple(values)))

    def execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each of `rows`."""
        with self._told():
            self._connection.executemany(statement, [tuple(row) for row in rows])

    def last_number(self) -> int:
        """The row number of the last row added."""
        return self._connection.last_insert_rowid()

    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def roll_back(self) -> None:
        """Undo the open transaction, if a failure has not done so already."""
        import apsw

        with suppress(apsw.ConnectionClosedError):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        import apsw

        try:
            yield
        except apsw.ConnectionClosedError as error:  # when it was found damaged
            raise _damaged() from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            self._discard()
            raise _damaged() from error
        except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.FullError) as error:
            if _is_tampering(error):
                self._discard()
                raise _damaged() from error
            raise _refused(error) from error
        except apsw.BusyError as error:
            raise Locked("the index is in use by another process", "wait for that command and run this one again") from error

    def _discard(self) -> None:
        self._connection.close()
        _remove(self.path)


def open_database(path: Path, key: bytes) -> tuple[Database, bool]:
    """The database at `path` and whether it is new. Raises GitmemError if the disk does not let it be read or made."""
    if len(key) != _KEY:
        raise ValueError(f"the index key has {len(key)} bytes instead of {_KEY}")
    connection = _usable(path, key)
    if connection:
        return Database(path, connection), False
    with _making(path):
        connection = _usable(path, key)  # another process may have made it while we waited
        if connection:
            return Database(path, connection), False
        return Database(path, _make(path, key)), True


def _usable(path: Path, key: bytes) -> apsw.Connection | None:
    """The database if it is there, opens under `key` and has our schema."""
    import apsw

    try:
        connection = _connect(path, key)
        if list(connection.execute("PRAGMA user_version")) == [(SCHEMA,)]:
            return connection
        connection.close()
    except apsw.CantOpenError:
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise _refused(OSError(errno.EACCES, "")) from None
    except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
        pass  # under another key, or damaged: to be made anew
    except (apsw.IOError, apsw.ReadOnlyError, apsw.FullError) as error:
        if not _is_tampering(error):
            raise _refused(error) from error
    return None


def _is_tampering(error: Exception) -> bool:
    """Whether a page was read and did not authenticate, which SQLite reports as an I/O error."""
    import apsw

    return getattr(error, "extendedresult", 0) in (apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS)


def _connect(path: Path, key: bytes) -> apsw.Connection:
    import apsw

    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_BUSY)
    connection.execute("PRAGMA cipher = 'chacha20'")
    connection.execute(f"PRAGMA key = 'raw:{key.hex()}'")
    # NORMAL in write-ahead mode loses the last transactions in a power loss, whole, and nothing else (sqlite.org/wal.html).
    for setting in ("temp_store = MEMORY", f"cache_size = -{_CACHE}", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _make(path: Path, key: bytes) -> apsw.Connection:
    """A new, empty database in the place of whatever is there."""
    import apsw

    try:
        _remove(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = _connect(path, key)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"{_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT")
    except (OSError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.FullError) as error:
        with suppress(OSError):
            _remove(path)
        raise _refused(error) from error
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _making(path: Path) -> Iterator[None]:
    """One process at a time makes the index; the lock file stays, so that it is one file for all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise _refused(error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _damaged() -> GitmemError:
    return GitmemError("the index was damaged and has been removed", "run the command again: the index is made anew")


def _refused(error: Exception) -> GitmemError:
    from gitmem.store.files import disk_error

    if isinstance(error, OSError):
        return disk_error(error, "cannot make the index")
    return GitmemError(f"cannot use the index: {error}", "check the disk: space, permissions, mount; `gitmem doctor` helps")
