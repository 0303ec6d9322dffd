"""High-water marks: how far this replica's current writer has come on each record.

Counters and write numbers only ever grow, which is unsafe where a work tree can go back in time (a branch switch, a reset, a
restored backup): the writer would use a number twice. Before each write the record's own entries are held against the mark;
if they are behind, the writer's name changes (`store.replica`). Marks are durable local state, written before the journal
forgets what they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gitmem.core.record import State

Mark = tuple[int, dict[str, int]]
"""A writer's number of writes to a record, and its counters there."""

_TABLES = """
create table if not exists marks (record text primary key, n integer not null, counts text not null) without rowid;
create table if not exists notes (key text primary key, value text not null) without rowid;
"""


def mark_of(state: State, writer: str) -> Mark:
    """What `state` holds of `writer`."""
    counts = {name: by_writer[writer] for name, by_writer in state.counts.items() if writer in by_writer}
    return state.seen.get(writer, 0), counts


def is_behind(held: Mark, mark: Mark) -> bool:
    """Whether a record that holds `held` has lost something that `mark` says was there."""
    return held[0] < mark[0] or any(held[1].get(name, 0) < count for name, count in mark[1].items())


class Marks:
    """The marks of the current writer, and a few notes that must survive with them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: Any = None

    def get(self, record: str) -> Mark:
        """The mark on a record; nothing (0, {}) where the current writer has not written."""
        rows = self._database().execute("select n, counts from marks where record = ?", (record,)).fetchall()
        return (rows[0][0], json.loads(rows[0][1])) if rows else (0, {})

    def put(self, marks: Iterable[tuple[str, Mark]]) -> None:
        """Set marks, durably and all at once."""
        rows = [(record, n, json.dumps(counts)) for record, (n, counts) in marks]
        database = self._database()
        with database:
            database.executemany("insert or replace into marks values (?, ?, ?)", rows)

    def forget(self) -> None:
        """Drop all marks: the writer they were about is never used again."""
        self._database().execute("delete from marks")

    def note(self, key: str, default: str = "") -> str:
        """A note by its key."""
        rows = self._database().execute("select value from notes where key = ?", (key,)).fetchall()
        return str(rows[0][0]) if rows else default

    def set_note(self, key: str, value: str) -> None:
        """Set a note, durably."""
        self._database().execute("insert or replace into notes values (?, ?)", (key, value))

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _database(self) -> Any:
        if self._connection is None:
            import apsw

            self._connection = apsw.Connection(str(self.path))
            self._connection.set_busy_timeout(10_000)
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(_TABLES)
        return self._connection
