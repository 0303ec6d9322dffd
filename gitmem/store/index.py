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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.store.index_file import open_database
from gitmem.store.index_text import BATCH, RecordText, Text, targets, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from gitmem.store.index_file import Database

Json = Any  # what json.loads gives

_COLUMNS: Final = (
    "e.number, e.id, e.kind, e.scope, e.path, e.alive, e.conflicts, e.body, e.heads, e.words, e.sealed, u.counts, u.last"
)
_WRITE: Final = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FROM: Final = "entries e JOIN usage u ON u.number = e.number"


@dataclass(frozen=True)
class Entry:
    """One record as the index keeps it: opened values, and nothing of who wrote them when.

    `fields` go by dotted name, `sets` by field name; `usage` counts `matched fixed failed ms timed`; `last` holds the
    times `changed matched used` (RFC 3339, UTC). `conflicts` is the number of fields with more than one value. Of a `sealed`
    record, which no key at hand opens, there are no values.
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
    sealed: bool = False

    @property
    def findable(self) -> bool:
        """Whether it is found by its words."""
        return self.alive and not self.sealed

    @property
    def values(self) -> dict[str, Json]:
        """Fields and sets by name."""
        return {**self.fields, **self.sets}


class Row(NamedTuple):
    """An entry with what the index worked out: its row number, its heaviest fields, its distinct words."""

    number: int
    entry: Entry
    heads: list[str]
    words: str

    def targets(self) -> list[str]:
        """The texts that errors are compared with."""
        return targets(self.entry.values, self.heads)


class Tally(NamedTuple):
    """How a record was used, without what it says: counters and times as in `Entry`."""

    id: str
    kind: str
    scope: str
    path: str
    alive: bool
    conflicts: int
    sealed: bool
    usage: dict[str, int]
    last: dict[str, str]


class Stats(NamedTuple):
    """What the index holds: records, those that stand, their distinct words, bytes on the disk."""

    records: int
    alive: int
    words: int
    size: int


Ids = list[str]
Entries = list[Entry]  # inside `Index` the name `list` is its method


class Index:
    """An open index. `fresh` says that it was made by this `open` and holds nothing yet."""

    def __init__(self, database: Database, path: Path, *, fresh: bool) -> None:
        """For `Index.open`."""
        self.database = database
        self.path = path
        self.fresh = fresh

    @classmethod
    def open(cls, path: Path, key: bytes) -> Index:
        """The index at `path`, under a key of 32 bytes; an empty one if what is there cannot be used.

        Raises GitmemError if the disk does not let it be read or made.
        """
        database, fresh = open_database(path, key)
        return cls(database, path, fresh=fresh)

    def close(self) -> None:
        """Close the index; a second time does nothing."""
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside happen together or not at all, also if the process is killed; may be nested."""
        if self.database.in_transaction():
            yield
            return
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.roll_back()
            raise
        self.database.execute("COMMIT")

    def get_meta(self, key: str) -> str | None:
        """What the caller last noted under `key`."""
        return next((str(value) for (value,) in self.database.execute("SELECT value FROM meta WHERE key = ?", (key,))), None)

    def set_meta(self, key: str, value: str) -> None:
        """Note `value` under `key`, in the same transaction as the changes it speaks of."""
        with self.transaction():
            self.database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put(self, entries: Iterable[Entry], weights: Mapping[str, float]) -> None:
        """Add `entries`, or replace what stands under their ids. `weights` says how much the words of each field or set
        count in search (those not named do not count); errors are compared with the fields that weigh most.
        """
        with self.transaction():
            text = Text(self.database)
            for entry in entries:
                number = self._forget(text, entry.id)
                of = text_of(entry.values if entry.findable else {}, weights)
                number = self._write(entry, number, of)
                if entry.findable:
                    text.add(number, entry.scope, of, targets(entry.values, of.heads), entry.sets.get("tags", []))
            text.flush()

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these records; ids that are not there are ignored."""
        with self.transaction():
            text = Text(self.database)
            for record_id in ids:
                number = self._forget(text, record_id)
                self.database.execute("DELETE FROM entries WHERE number = ?", (number,))
                self.database.execute("DELETE FROM usage WHERE number = ?", (number,))
            text.flush()

    def set_usage(self, record_id: str, usage: Mapping[str, int], last: Mapping[str, str]) -> None:
        """Replace the counters and times of one record, which costs one row; an unknown id is ignored."""
        number = self._number(record_id)
        if number is not None:
            with self.transaction():
                row = (json.dumps(dict(usage)), json.dumps(dict(last)), number)
                self.database.execute("UPDATE usage SET counts = ?, last = ? WHERE number = ?", row)

    def get(self, record_id: str) -> Entry | None:
        """The record with this id, dead or alive."""
        return next((row.entry for row in self._select("WHERE e.id = ?", [record_id])), None)

    def by_number(self, numbers: Sequence[int]) -> dict[int, Row]:
        """The rows with these numbers."""
        found: dict[int, Row] = {}
        for start in range(0, len(numbers), BATCH):
            some = numbers[start : start + BATCH]
            marks = ",".join("?" * len(some))
            found.update((row.number, row) for row in self._select(f"WHERE e.number IN ({marks})", some))
        return found

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
        rows = self._select(f"{where} ORDER BY e.changed DESC, e.number DESC LIMIT ?", [*values, limit])
        return [row.entry for row in rows]

    def tallies(self) -> Iterator[Tally]:
        """How each record was used, dead ones as well, in the order of their ids."""
        columns = "e.id, e.kind, e.scope, e.path, e.alive, e.conflicts, e.sealed, u.counts, u.last"
        statement = f"SELECT {columns} FROM {_FROM} ORDER BY e.id"  # noqa: S608
        for record, kind, scope, path, alive, conflicts, sealed, counts, last in self.database.execute(statement):
            known = json.loads(counts), json.loads(last)
            yield Tally(record, kind, scope, path, bool(alive), int(conflicts), sealed > 0, *known)

    def duplicates(self) -> Ids:
        """The paths of standing records that say what another of their kind and scope with a smaller id says."""
        standing = "alive AND sealed = 0 AND conflicts = 0"
        rows = self.database.execute(
            "SELECT e.path FROM entries e JOIN (SELECT kind, scope, body, min(id) AS first FROM entries "  # noqa: S608
            f"WHERE {standing} GROUP BY kind, scope, body HAVING count(*) > 1) s "
            f"ON e.kind = s.kind AND e.scope = s.scope AND e.body = s.body AND e.id > s.first WHERE {standing} ORDER BY e.path"
        )
        return [str(path) for (path,) in rows]

    def empty(self) -> Ids:
        """The paths of standing records that say nothing."""
        body = json.dumps({"fields": {}, "sets": {}}, separators=(",", ":"))
        statement = "SELECT path FROM entries WHERE alive AND sealed = 0 AND conflicts = 0 AND body = ? ORDER BY path"
        return [str(path) for (path,) in self.database.execute(statement, (body,))]

    def count(self) -> int:
        """How many records stand."""
        return self._one("SELECT count(*) FROM entries WHERE alive")

    def sealed(self) -> Ids:
        """The paths of all records that no key at hand opened when they were indexed, dead ones as well."""
        return [str(path) for (path,) in self.database.execute("SELECT path FROM entries WHERE sealed > 0 ORDER BY path")]

    def count_sealed(self) -> int:
        """How many of the records that stand are sealed."""
        return self._one("SELECT count(*) FROM entries WHERE sealed > 0 AND alive")

    def by_scope(self) -> dict[str, int]:
        """How many records stand in each scope that has any."""
        rows = self.database.execute("SELECT scope, count(*) FROM entries WHERE alive GROUP BY scope")
        return {str(scope): int(count) for scope, count in rows}

    def conflicted(self, scope: str | None = None) -> Ids:
        """Ids of standing records (of one scope) with a field that has more than one value, in order."""
        which = "WHERE conflicts > 0 AND alive AND (? IS NULL OR scope = ?)"
        rows = self.database.execute(f"SELECT id FROM entries {which} ORDER BY id", (scope, scope))  # noqa: S608
        return [str(row[0]) for row in rows]

    def check(self) -> None:
        """Read every page of it. Raises GitmemError if one is damaged, or they do not fit together."""
        if [row for row in self.database.execute("PRAGMA integrity_check(1)") if row != ("ok",)]:
            raise GitmemError("the index does not hold together", "gitmem doctor --fix")

    def stats(self) -> Stats:
        """What the index holds; reads all of it."""
        records = self._one("SELECT count(*) FROM entries")
        known = self._one("SELECT count(*) FROM (SELECT word FROM frequencies UNION SELECT word FROM recent)")
        return Stats(records, self.count(), known, self.path.stat().st_size)

    def _one(self, statement: str) -> int:
        return sum(int(value) for (value,) in self.database.execute(statement))

    def _number(self, record_id: str) -> int | None:
        rows = self.database.execute("SELECT number FROM entries WHERE id = ?", (record_id,))
        return next((int(number) for (number,) in rows), None)

    def _forget(self, text: Text, record_id: str) -> int | None:
        """Take a record's words out of the index; its row number if it has one."""
        for row in self._select("WHERE e.id = ?", [record_id]):
            if row.entry.findable:
                text.remove(row.number, row.words, row.targets(), row.entry.sets.get("tags", []))
            return row.number
        return None

    def _write(self, entry: Entry, number: int | None, text: RecordText) -> int:
        row = {
            "number": number,
            "id": entry.id,
            "kind": entry.kind,
            "scope": entry.scope,
            "path": entry.path,
            "alive": int(entry.alive),
            "conflicts": entry.conflicts,
            "changed": entry.last.get("changed", ""),
            "body": json.dumps({"fields": entry.fields, "sets": entry.sets}, separators=(",", ":")),
            "heads": json.dumps(text.heads),
            "words": text.words(),
            "sealed": int(entry.sealed),
        }
        self.database.execute(_WRITE, tuple(row.values()))
        number = self.database.last_number()
        usage = (number, json.dumps(entry.usage), json.dumps(entry.last))
        self.database.execute("INSERT OR REPLACE INTO usage VALUES (?, ?, ?)", usage)
        return number

    def _select(self, rest: str, values: Sequence[Any]) -> Iterator[Row]:
        return map(_row, self.database.execute(f"SELECT {_COLUMNS} FROM {_FROM} {rest}", values))  # noqa: S608


def _row(row: tuple[Any, ...]) -> Row:
    number, record_id, kind, scope, path, alive, conflicts, body, heads, distinct, sealed, counts, last = row
    opened = json.loads(body)
    entry = Entry(
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
        sealed=bool(sealed),
    )
    return Row(number, entry, json.loads(heads), distinct)
