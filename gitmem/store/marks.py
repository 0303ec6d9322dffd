"""High-water marks: how far this replica's current writer has come on each record.

Counters and write numbers only ever grow, which is unsafe where a work tree can go back in time (a branch switch, a reset, a
restored backup): the writer would use a number twice. Before each write the record's own entries are held against the mark;
if they are behind, the writer's name changes (`store.replica`). Marks are durable local state, written before the journal
forgets what they stand for.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.store.files import disk_error

Mark = tuple[int, dict[str, int]]
"""A writer's number of writes to a record, and its counters there."""

_TABLES = """
create table if not exists marks (record text primary key, n integer not null, counts text not null) without rowid;
create table if not exists notes (key text primary key, value text not null) without rowid;
"""
_GET = """
select marks.n, marks.counts from notes left join marks on marks.record = ?
where notes.key = 'replica' and notes.value = ?
and coalesce((select cast(value as integer) from notes where key = 'journal'), 0) <= ?
"""
_FORMER = 16  # names: of each of them a killed commit may have left a file in the work tree


class Owner(NamedTuple):
    """Whose marks they are: the replica, the inode and the last change of its file, and the number of its journal.

    Marks that were lost, or brought back from another time or place, have another owner. Those of an older journal have not.
    """

    replica: str
    inode: int
    changed: int
    journal: int

    @property
    def text(self) -> str:
        """All but the journal's number, as it is noted."""
        return f"{self.replica} {self.inode} {self.changed}"


def mark_of(state: State, writer: str) -> Mark:
    """What `state` holds of `writer`."""
    counts = {name: by_writer[writer] for name, by_writer in state.counts.items() if writer in by_writer}
    return state.seen.get(writer, 0), counts


def is_behind(held: Mark, mark: Mark) -> bool:
    """Whether a record that holds `held` has lost something that `mark` says was there."""
    return held[0] < mark[0] or any(held[1].get(name, 0) < count for name, count in mark[1].items())


def highest(a: Mark, b: Mark) -> Mark:
    """What both marks say together."""
    return max(a[0], b[0]), {name: max(a[1].get(name, 0), b[1].get(name, 0)) for name in a[1] | b[1]}


class _Damaged(GitmemError):
    """What was in the database cannot be read; it is out of the way now."""


class Marks:
    """The marks of the current writer, and a few notes that must survive with them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: Any = None
        self._inode = 0

    def get(self, record: str, owner: Owner) -> Mark | None:
        """The mark on a record: (0, {}) where the current writer has not written, None if these are not `owner`'s marks."""
        rows = self._run(_GET, (record, owner.text, owner.journal))
        if not rows:
            return None
        n, counts = rows[0]
        return (0, {}) if n is None else (n, json.loads(counts))

    def put(self, marks: Iterable[tuple[str, Mark]], owner: Owner) -> None:
        """Set marks, durably and all at once."""
        rows = [(record, n, json.dumps(counts)) for record, (n, counts) in marks]
        with self._failing() as database, database:
            database.executemany("insert or replace into marks values (?, ?, ?)", rows)
            _own(database, owner)

    def forget(self, owner: Owner) -> None:
        """Drop all marks: the writer they were about is never used again."""
        with self._failing() as database, database:
            database.execute("delete from marks")
            _own(database, owner)

    def begin(self, owner: Owner, former: str = "") -> None:
        """Start anew for a replica that has not written yet; what was noted of another one's chain and events goes, too.

        `former` is the name that was used here before, as far as the replica's own file tells.
        """
        noted = self.note("replica").partition(" ")[0]
        names = list(dict.fromkeys(name for name in (former, noted, *self.former()) if name not in ("", owner.replica)))
        with self._failing() as database, database:
            database.execute("delete from marks")
            database.execute("delete from notes where key in ('audit', 'told')")
            database.execute("insert or replace into notes values ('former', ?)", (" ".join(names[:_FORMER]),))
            _own(database, owner)

    def former(self) -> list[str]:
        """The names that this clone, or the one it is a copy of, has written under before; the latest first."""
        return self.note("former").split()

    def note(self, key: str, default: str = "") -> str:
        """A note by its key."""
        rows = self._run("select value from notes where key = ?", (key,))
        return str(rows[0][0]) if rows else default

    def notes(self, *keys: str) -> dict[str, str]:
        """Several notes with one look; one that is not there is empty."""
        rows = self._run(f"select key, value from notes where key in ({', '.join('?' * len(keys))})", keys)  # noqa: S608
        return dict.fromkeys(keys, "") | {str(key): str(value) for key, value in rows}

    def set_note(self, key: str, value: str) -> None:
        """Set a note, durably."""
        self._run("insert or replace into notes values (?, ?)", (key, value))

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Set notes, durably and all at once."""
        with self._failing() as database, database:
            database.executemany("insert or replace into notes values (?, ?)", list(notes.items()))

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: str, values: tuple[str | int, ...] = ()) -> list[Any]:
        with suppress(_Damaged), self._failing() as database:
            return list(database.execute(statement, values))
        with self._failing() as database:  # another, empty one
            return list(database.execute(statement, values))

    @contextmanager
    def _failing(self) -> Iterator[Any]:
        """The database; what fails in it is put into words."""
        import apsw

        try:
            yield self._database()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            self._set_aside()
            raise _Damaged("the high-water marks were damaged and have been set aside", "run the command again") from error
        except apsw.Error as error:
            raise _in_words(error) from error

    def _database(self) -> Any:
        import apsw

        if self._connection is not None and _inode(self.path) != self._inode:
            self.close()  # the file was removed or replaced under us
        if self._connection is None:
            try:
                self._connection = _opened(self.path)
            except (apsw.NotADBError, apsw.CorruptError):
                self._set_aside()  # damaged marks are lost marks: the replica will take a new name
                self._connection = _opened(self.path)
            self._inode = _inode(self.path)
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        for suffix in ("", "-journal"):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + suffix).replace(self.path.with_name(f"{self.path.name}.damaged{suffix}"))


def _own(database: Any, owner: Owner) -> None:
    rows = [("replica", owner.text), ("journal", str(owner.journal))]
    database.executemany("insert or replace into notes values (?, ?)", rows)


def _opened(path: Path) -> Any:
    import apsw

    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(10_000)
    connection.execute("pragma synchronous = extra")  # else a power loss can bring back the journal that undoes a commit
    connection.execute(_TABLES)
    return connection


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _in_words(error: Exception) -> GitmemError:
    import apsw

    while isinstance(error.__context__, apsw.Error):  # SQLite has undone all by itself, and apsw could not once more
        error = error.__context__
    codes = {apsw.FullError: errno.ENOSPC, apsw.ReadOnlyError: errno.EROFS, apsw.PermissionsError: errno.EACCES}
    what = "cannot write the high-water marks"
    for kind, code in codes.items():
        if isinstance(error, kind):
            return disk_error(OSError(code, os.strerror(code)), what)
    return GitmemError(f"{what}: {error}; nothing was changed", "`gitmem doctor` checks the store")
