"""The index: what recall reads instead of thousands of files. Encrypted page by page, and disposable.

One SQLite file (SQLite3 Multiple Ciphers: ChaCha20-Poly1305, a raw key without derivation) holds the opened fields of
every record, a full-text table, the words that patterns cannot do without, and document frequencies of our own. It is never
the truth: a wrong key, a damaged file or another schema version leave an empty index that says `fresh`, for the caller to
fill again.

Every change is one SQLite transaction in write-ahead mode, so that a killed process leaves the state before or after it;
what the caller notes with `set_meta` (how far it has read) changes together with what it describes. Several processes may
use one index at a time; one `Index` belongs to one thread at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gitmem.store.index_file import open_database
from gitmem.store.index_text import BATCH, Text, text_of

if TYPE_CHECKING:
    import apsw

Json = Any  # what json.loads gives

_COLUMNS: Final = "e.number, e.id, e.kind, e.scope, e.path, e.alive, e.conflicts, e.body, u.counts, u.last"
_FROM: Final = "entries e JOIN usage u ON u.number = e.number"
_HIGHEST: Final = "\U0010ffff"


@dataclass(frozen=True)
class Entry:
    """One record as the index keeps it: opened values, and nothing of who wrote them when.

    `fields` go by dotted name, `sets` by field name; `usage` counts `matched fixed failed ms timed`; `last` holds the
    times `changed matched used` (RFC 3339, UTC). `conflicts` is the number of fields with more than one value.
    """

    id: str
    kind: str
    scope: str
    path: str
    alive: bool = True
    conflicts: int = 0
    fields: dict[str, Json] = field(default_factory=dict)
    sets: dict[str, list[Json]] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stats:
    """What the index holds: records, those that stand, their distinct words, bytes on the disk."""

    records: int
    alive: int
    words: int
    size: int


Ids = list[str]
Entries = list[Entry]  # inside `Index` the name `list` is its method


class Index:
    """An open index. `fresh` says that it was made by this `open` and holds nothing yet."""

    def __init__(self, connection: apsw.Connection, path: Path, *, fresh: bool) -> None:
        """For `Index.open`."""
        self.connection = connection
        self.path = path
        self.fresh = fresh

    @classmethod
    def open(cls, path: Path, key: bytes) -> Index:
        """The index at `path`, under a key of 32 bytes; an empty one if what is there cannot be used.

        Raises GitmemError if the disk does not let it be read or made.
        """
        connection, fresh = open_database(path, key)
        return cls(connection, path, fresh=fresh)

    def close(self) -> None:
        """Close the index; a second time does nothing."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside happen together or not at all, also if the process is killed; may be nested."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def get_meta(self, key: str) -> str | None:
        """What the caller last noted under `key`."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Note `value` under `key`, in the same transaction as the changes it speaks of."""
        with self.transaction():
            self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put(self, entries: Iterable[Entry], weights: Mapping[str, float]) -> None:
        """Add `entries`, or replace what stands under their ids. `weights` says how much the words of each field or set
        count in search (those not named do not count); errors are compared with the fields that weigh most.
        """
        with self.transaction():
            text = Text(self.connection)
            for entry in entries:
                number = self._number(entry.id)
                if number is not None:
                    text.remove(number)
                number = self._write(entry, number)
                if entry.alive:
                    text.add(number, text_of({**entry.fields, **entry.sets}, weights), entry.sets.get("tags", []))
            text.flush()

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these records; ids that are not there are ignored."""
        with self.transaction():
            text = Text(self.connection)
            for number in filter(None, map(self._number, ids)):
                text.remove(number)
                self.connection.execute("DELETE FROM entries WHERE number = ?", (number,))
                self.connection.execute("DELETE FROM usage WHERE number = ?", (number,))
            text.flush()

    def set_usage(self, record_id: str, usage: Mapping[str, int], last: Mapping[str, str]) -> None:
        """Replace the counters and times of one record, which costs one row; an unknown id is ignored."""
        number = self._number(record_id)
        if number is not None:
            with self.transaction():
                row = (json.dumps(dict(usage)), json.dumps(dict(last)), number)
                self.connection.execute("UPDATE usage SET counts = ?, last = ? WHERE number = ?", row)

    def get(self, record_id: str) -> Entry | None:
        """The record with this id, dead or alive."""
        return next(self._select("WHERE e.id = ?", [record_id]), None)

    def by_number(self, numbers: Sequence[int]) -> dict[int, Entry]:
        """The records with these row numbers."""
        found: dict[int, Entry] = {}
        for start in range(0, len(numbers), BATCH):
            some = numbers[start : start + BATCH]
            rows = self._rows(f"WHERE e.number IN ({_marks(some)})", some)
            found.update((int(row[0]), _entry(row)) for row in rows)
        return found

    def ids_with_prefix(self, prefix: str, limit: int = 20) -> Ids:
        """Ids that begin with `prefix`, in order."""
        rows = self.connection.execute(
            "SELECT id FROM entries WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (prefix, prefix + _HIGHEST, limit)
        )
        return [str(row[0]) for row in rows]

    def list(
        self,
        kind: str | None = None,
        scope: str | None = None,
        tag: str | None = None,
        alive: bool | None = True,
        limit: int = 50,
    ) -> Entries:
        """Records of which all that is given holds, the latest changed first; `alive=None` means dead ones as well."""
        wanted = {"e.kind": kind, "e.scope": scope, "e.alive": None if alive is None else int(alive)}
        given = {column: value for column, value in wanted.items() if value is not None}
        conditions = [f"{column} = ?" for column in given]
        values: list[Any] = [*given.values()]
        if tag is not None:
            conditions.append("e.number IN (SELECT number FROM tags WHERE tag = ?)")
            values.append(tag)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        return [*self._select(f"{where} ORDER BY e.changed DESC, e.number DESC LIMIT ?", [*values, limit])]

    def count(self) -> int:
        """How many records stand."""
        return self._one("SELECT count(*) FROM entries WHERE alive")

    def conflicted(self) -> Ids:
        """Ids of records with a field that has more than one value, in order."""
        rows = self.connection.execute("SELECT id FROM entries WHERE conflicts > 0 ORDER BY id")
        return [str(row[0]) for row in rows]

    def stats(self) -> Stats:
        """What the index holds; reads all of it."""
        records = self._one("SELECT count(*) FROM entries")
        known = self._one("SELECT count(*) FROM frequencies")
        return Stats(records, self.count(), known, self.path.stat().st_size)

    def _one(self, statement: str) -> int:
        return sum(int(value) for (value,) in self.connection.execute(statement))

    def _number(self, record_id: str) -> int | None:
        row = self.connection.execute("SELECT number FROM entries WHERE id = ?", (record_id,)).fetchone()
        return int(row[0]) if row else None

    def _write(self, entry: Entry, number: int | None) -> int:
        body = json.dumps({"fields": entry.fields, "sets": entry.sets}, ensure_ascii=False, separators=(",", ":"))
        row = (entry.id, entry.kind, entry.scope, entry.path, int(entry.alive), entry.conflicts, entry.last.get("changed", ""))
        self.connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *row, body))
        number = self.connection.last_insert_rowid()
        usage = (number, json.dumps(entry.usage), json.dumps(entry.last))
        self.connection.execute("INSERT OR REPLACE INTO usage VALUES (?, ?, ?)", usage)
        return number

    def _rows(self, rest: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        yield from self.connection.execute(f"SELECT {_COLUMNS} FROM {_FROM} {rest}", tuple(values))  # noqa: S608

    def _select(self, rest: str, values: Sequence[Any]) -> Iterator[Entry]:
        return map(_entry, self._rows(rest, values))


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _entry(row: tuple[Any, ...]) -> Entry:
    _, record_id, kind, scope, path, alive, conflicts, body, counts, last = row
    opened = json.loads(body)
    return Entry(
        id=record_id,
        kind=kind,
        scope=scope,
        path=path,
        alive=bool(alive),
        conflicts=conflicts,
        fields=opened["fields"],
        sets=opened["sets"],
        usage=json.loads(counts),
        last=json.loads(last),
    )
