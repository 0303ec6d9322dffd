"""The words of the index: what a record is found by, and the counts that say how rare a word is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gitmem.core.pattern import Pattern, parse
from gitmem.core.terms import words
from gitmem.errors import InvalidRecord

if TYPE_CHECKING:
    import apsw

MAX_WORDS: Final = 20_000  # per column of a record; what a record holds beyond is not searched
MAX_TARGET: Final = 20_000  # characters of one text that errors are compared with
NO_WORD: Final = ""  # the key of expressions that fix no word
_HEAVY, _MIDDLE = 0.6, 0.35  # of the greatest weight: the columns of the full-text table
BATCH: Final = 500  # values in one IN (...)


@dataclass(frozen=True, slots=True)
class RecordText:
    """What of a record is searched: three columns of words, and the texts that errors are compared with."""

    columns: tuple[list[str], list[str], list[str]]
    targets: list[str]


def text_of(values: Mapping[str, Any], weights: Mapping[str, float]) -> RecordText:
    """The words of `values` by the weight of their field, and the texts of the fields that weigh most."""
    columns: tuple[list[str], list[str], list[str]] = ([], [], [])
    most = max(weights.values(), default=0.0)
    targets = []
    for name, value in values.items():
        share = weights.get(name, 0.0) / most if most else 0.0
        if share <= 0:
            continue
        text = "\n".join(_strings(value))
        column = columns[0 if share >= _HEAVY else 1 if share >= _MIDDLE else 2]
        column += words(text)[: MAX_WORDS - len(column)]
        if share == 1.0 and text:
            targets.append(text[:MAX_TARGET])
    return RecordText(columns, targets)


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

    def __init__(self, connection: apsw.Connection) -> None:
        """Nothing is written before the first call."""
        self._connection = connection
        self._change: Counter[str] = Counter()
        self._records = 0

    def add(self, number: int, text: RecordText, tags: Sequence[Any]) -> None:
        """Make the record with this row number findable."""
        distinct = sorted(set().union(*text.columns))
        execute = self._connection.execute
        execute("INSERT INTO content (rowid, heavy, middle, light) VALUES (?, ?, ?, ?)", (number, *map(" ".join, text.columns)))
        execute("INSERT INTO texts VALUES (?, ?, ?)", (number, json.dumps(text.targets), " ".join(distinct)))
        execute_many = self._connection.executemany
        execute_many("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(str(tag), number) for tag in tags])
        self._change.update(distinct)
        self._records += 1
        keys = {key for target in text.targets for key in self._keys(target)}
        execute_many("INSERT OR IGNORE INTO keys VALUES (?, ?)", [(key, number) for key in sorted(keys)])

    def remove(self, number: int) -> None:
        """Undo `add`; does nothing for a record that was not added."""
        row = self._connection.execute("SELECT targets, words FROM texts WHERE number = ?", (number,)).fetchone()
        if not row:
            return
        self._change.subtract(row[1].split())
        self._records -= 1
        possible = {key for target in json.loads(row[0]) for key in (*_pattern(target).words(), NO_WORD)}
        self._connection.executemany("DELETE FROM keys WHERE word = ? AND number = ?", [(key, number) for key in possible])
        for statement in (
            "DELETE FROM content WHERE rowid = ?",
            "DELETE FROM texts WHERE number = ?",
            "DELETE FROM tags WHERE number = ?",
        ):
            self._connection.execute(statement, (number,))

    def flush(self) -> None:
        """Write the counts that the changes since the last call add up to."""
        changes = [(word, change) for word, change in sorted(self._change.items()) if change]
        self._connection.executemany(
            "INSERT INTO frequencies VALUES (?, ?) ON CONFLICT DO UPDATE SET records = records + excluded.records", changes
        )
        if any(change < 0 for _, change in changes):
            gone = [(word,) for word, change in changes if change < 0]
            self._connection.executemany("DELETE FROM frequencies WHERE word = ? AND records <= 0", gone)
        if self._records:
            self._connection.execute(
                "INSERT INTO meta VALUES ('#records', ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (self._records,),
            )
        self._change.clear()
        self._records = 0

    def _keys(self, target: str) -> list[str]:
        """The rarest word that a text must contain to match `target`, as far as is known now: any of them would do."""
        required = list(dict.fromkeys(_pattern(target).words()))
        if not required:
            return [NO_WORD]
        counts = frequencies(self._connection, required)
        return [min(required, key=lambda word: (counts.get(word, 0) + self._change[word], word))]


def frequencies(connection: apsw.Connection, wanted: Iterable[str]) -> dict[str, int]:
    """word -> how many records hold it, for those of `wanted` that any does."""
    found: dict[str, int] = {}
    asked = sorted(set(wanted))
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        marks = ",".join("?" * len(some))
        found.update(connection.execute(f"SELECT word, records FROM frequencies WHERE word IN ({marks})", some))  # noqa: S608
    return found


def targets(connection: apsw.Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    """The texts of these records that errors are compared with."""
    found: dict[int, list[str]] = {}
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        marks = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT number, targets FROM texts WHERE number IN ({marks})", some)  # noqa: S608
        found.update((int(number), json.loads(text)) for number, text in rows)
    return found


def record_count(connection: apsw.Connection) -> int:
    """How many records can be found, without counting them."""
    row = connection.execute("SELECT value FROM meta WHERE key = '#records'").fetchone()
    return int(row[0]) if row else 0


def _pattern(text: str) -> Pattern:
    try:
        return parse(text)
    except InvalidRecord:
        return Pattern(text.strip() or " ", "literal")
