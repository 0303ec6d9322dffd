"""The words of the index: what a record is found by, and the counts that say how rare a word is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.core.recall.pattern import Pattern, parse
from gitmem.core.recall.terms import words
from gitmem.errors import InvalidRecord

if TYPE_CHECKING:
    from gitmem.store.index_file import Database

MAX_WORDS: Final = 20_000  # per column of a record; what a record holds beyond is not searched
MAX_TARGET: Final = 20_000  # characters of one text that errors are compared with
NO_WORD: Final = ""  # the key of expressions that fix no word
_OTHERS: Final = 5  # words of a pattern that are looked for before it is read
_RECENT: Final = 2_000  # words whose counts wait to be added to the large table
_COUNT: Final = "INSERT INTO {} VALUES (?, ?) ON CONFLICT DO UPDATE SET records = records + excluded.records"
_COUNT_RECORDS: Final = "INSERT INTO meta VALUES ('#records', ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
_HEAVY, _MIDDLE = 0.6, 0.35  # of the greatest weight: the columns of the full-text table
BATCH: Final = 500  # values in one IN (...)


class RecordText(NamedTuple):
    """What of a record is searched: three columns of words, and the names of the fields that errors are compared with."""

    columns: tuple[list[str], list[str], list[str]]
    heads: list[str]

    def words(self) -> str:
        """Each distinct word once."""
        return " ".join(sorted(set().union(*self.columns)))


def text_of(values: Mapping[str, Any], weights: Mapping[str, float]) -> RecordText:
    """The words of `values` by the weight of their field, and the fields that weigh most."""
    columns: tuple[list[str], list[str], list[str]] = ([], [], [])
    most = max(weights.values(), default=0.0)
    heads = []
    for name, value in values.items():
        share = weights.get(name, 0.0) / most if most else 0.0
        if share <= 0:
            continue
        column = columns[0 if share >= _HEAVY else 1 if share >= _MIDDLE else 2]
        column += words(plain_text(value))[: MAX_WORDS - len(column)]
        if share == 1.0:
            heads.append(name)
    return RecordText(columns, heads)


def place_of(scope: str) -> str:
    """The word that all records of a scope have in common in the full-text table, and no text has in it."""
    return f"x{scope.encode().hex()}"


def targets(values: Mapping[str, Any], heads: Iterable[str]) -> list[str]:
    """The texts of a record that errors are compared with: those of its heaviest fields."""
    found = (plain_text(values.get(name))[:MAX_TARGET] for name in heads)
    return [text for text in found if text.strip()]


def plain_text(value: Any) -> str:
    """All text in a value, a line each."""
    return "\n".join(_strings(value))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


class Text:
    """The writer of words within one transaction; `flush` before it ends."""

    def __init__(self, database: Database) -> None:
        """Nothing is written before the first call."""
        self._database = database
        self._change: Counter[str] = Counter()
        self._records = 0

    def add(self, number: int, scope: str, text: RecordText, texts: Iterable[str], tags: Iterable[Any]) -> None:
        """Make the record with this row number findable by its words, its `texts` (see `targets`), its tags and its scope."""
        self._database.execute(
            "INSERT INTO content (rowid, heavy, middle, light, place) VALUES (?, ?, ?, ?, ?)",
            (number, *map(" ".join, text.columns), place_of(scope)),
        )
        self._change.update(text.words().split())
        self._records += 1
        keys = [(word, number, others) for word, others in map(self._key, texts)]
        self._database.execute_many("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", keys)
        names = sorted(set(map(str, tags)))
        self._database.execute_many("INSERT INTO tags VALUES (?, ?)", [(name, number) for name in names])

    def remove(self, number: int, distinct: str, texts: Iterable[str], tags: Iterable[Any]) -> None:
        """Undo `add` of a record with these distinct words."""
        self._change.subtract(distinct.split())
        self._records -= 1
        keys = {key for text in texts for key in (*_pattern(text).words(), NO_WORD)}
        execute_many = self._database.execute_many
        execute_many("DELETE FROM keys WHERE word = ? AND number = ?", [(key, number) for key in sorted(keys)])
        execute_many("DELETE FROM tags WHERE tag = ? AND number = ?", [(name, number) for name in sorted(set(map(str, tags)))])
        self._database.execute("DELETE FROM content WHERE rowid = ?", (number,))

    def flush(self) -> None:
        """Write the counts that the changes since the last call add up to.

        Those of a few records go to a small table first: spread over the large one, each word would cost a page.
        """
        changes = [(word, change) for word, change in sorted(self._change.items()) if change]
        self._database.execute_many(_COUNT.format("recent"), changes)
        waiting = sum(int(count) for (count,) in self._database.execute("SELECT count(*) FROM recent"))
        if waiting > _RECENT:
            self._fold()
        if self._records:
            self._database.execute(_COUNT_RECORDS, (self._records,))
        self._change.clear()
        self._records = 0

    def _fold(self) -> None:
        waiting = list(self._database.execute("SELECT word, records FROM recent ORDER BY word"))
        self._database.execute_many(_COUNT.format("frequencies"), waiting)
        self._database.execute(
            "DELETE FROM frequencies WHERE records <= 0 AND word IN (SELECT word FROM recent WHERE records < 0)"
        )
        self._database.execute("DELETE FROM recent")

    def _key(self, target: str) -> tuple[str, str]:
        """The rarest word that a text must contain to match `target`, and the next rarest ones.

        As far as is known now: any of them would do, but the rarer the fewer patterns share it.
        """
        required = list(dict.fromkeys(_pattern(target).words()))
        counts = frequencies(self._database, required)
        rarest = sorted(required, key=lambda word: (counts.get(word, 0) + self._change[word], word))
        return rarest[0] if rarest else NO_WORD, " ".join(rarest[1:_OTHERS])


def frequencies(database: Database, wanted: Iterable[str]) -> dict[str, int]:
    """word -> how many records hold it, for those of `wanted` that any does."""
    found: Counter[str] = Counter()
    asked = sorted(set(wanted))
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        marks = ",".join("?" * len(some))
        for table in ("frequencies", "recent"):
            rows: Any = database.execute(f"SELECT word, records FROM {table} WHERE word IN ({marks})", some)  # noqa: S608
            for word, records in rows:
                found[word] += records
    return {word: records for word, records in found.items() if records > 0}


def record_count(database: Database) -> int:
    """How many records can be found, without counting them."""
    return sum(int(value) for (value,) in database.execute("SELECT value FROM meta WHERE key = '#records'"))


def _pattern(text: str) -> Pattern:
    try:
        return parse(text)
    except InvalidRecord:
        return Pattern(text.strip() or " ", "literal")
