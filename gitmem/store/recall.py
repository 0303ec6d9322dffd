"""Asking the index: which records explain an error, and which hold some words.

The cost stays flat because what cannot win is not read: an error is looked up by its rarest words until a budget of
postings is spent, and by the one word each pattern cannot do without; only the best candidates are compared in full.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.core.recall.rank import Candidate, Request, rank
from gitmem.core.recall.reading import Reading, read
from gitmem.core.recall.terms import Rarity, words
from gitmem.store.index_text import BATCH, NO_WORD, frequencies, place_of, plain_text, record_count

if TYPE_CHECKING:
    from gitmem.store.index import Entry, Index, Row
    from gitmem.store.index_file import Database

MAX_TEXT: Final = 4_000_000  # characters of an error text; of a longer one the beginning and the end are read
_HEAD: Final = MAX_TEXT // 4
_MAX_WORDS: Final = 20_000  # distinct words of an error that are looked up
_POSTINGS: Final = 2_000  # rows read for the rarest words together
_TERMS: Final = 64  # words that are looked up at all
_SURE_TERMS: Final = 3  # words that are looked up whatever they cost, each up to _POSTINGS rows
_COMPARED: Final = 24  # candidates that are compared in full
_KEYED: Final = 256  # patterns whose word occurs, and expressions without a word: the latest are tried
_EXPRESSIONS: Final = 0.25  # seconds for all regular expressions of one answer
_ONE_EXPRESSION: Final = 0.05
_READ: Final = 2_000  # rows of a search that are scored
_MIN_BEGINNING: Final = 3  # letters; shorter ones begin too many words


class Scored(NamedTuple):
    """A record that was found: how well it fits (0..1), how sure its fix is (0..1), and why it was found."""

    entry: Entry
    score: float
    confidence: float = 0.0
    why: tuple[str, ...] = ()


def recall(  # noqa: PLR0913, PLR0917 - what is asked, where, when, and among which
    index: Index, text: str, limit: int, context: Mapping[str, str], now: datetime, scope: str | None = None
) -> list[Scored]:
    """The records that explain the error `text`, best first; none if none is good enough (`core.recall.rank.ACCEPT`).

    `context` says where the error happened, in any terms; `now` (with a time zone) is what recency is measured from; only
    records of `scope` count where one is named.
    """
    query = read(text if len(text) <= MAX_TEXT else f"{text[:_HEAD]}\n{text[_HEAD - MAX_TEXT :]}")
    if not query.lines:
        return []
    asked = _asked(query)
    counts, total = frequencies(index.database, asked), record_count(index.database)
    alike, keyed = _alike(index.database, query, counts, total, scope), _keyed(index.database, asked, scope)
    numbers = sorted({*alike, *keyed}, reverse=True)
    rows = index.by_number(numbers)
    candidates = [_candidate(rows[number]) for number in numbers if number in rows]
    unknown = {word for one in candidates for target in one.targets for word in words(target)} - counts.keys()
    rarity = Rarity(counts | frequencies(index.database, unknown), total)
    ranked = rank(query, candidates, rarity, Request(now, limit, context, _patience()))
    by_id = {row.entry.id: row.entry for row in rows.values()}
    return [Scored(by_id[one.id], min(1.0, one.score), one.confidence, one.why) for one in ranked]


def _asked(query: Reading) -> list[str]:
    """The words of an error, masked and as they are, those of its last lines first."""
    found = dict.fromkeys(word for line in reversed(query.lines) for word in line.words)
    found.update(dict.fromkeys(words(query.plain)))
    return list(found)[:_MAX_WORDS]


def _alike(database: Database, query: Reading, counts: Mapping[str, int], total: int, scope: str | None) -> list[int]:
    """Row numbers of the records that share the weightiest words, the most weight first."""
    votes: dict[int, float] = defaultdict(float)
    for word, weight in _terms(query, counts, total):
        for number in _postings(database, word, scope):
            votes[number] += weight
    return sorted(votes, key=lambda number: (-votes[number], -number))[:_COMPARED]


def _terms(query: Reading, counts: Mapping[str, int], total: int) -> list[tuple[str, float]]:
    """The words that say most, of the lines that weigh most, until the rows they cost reach the budget."""
    rarity = Rarity(counts, total)
    weights: dict[str, float] = {}
    for line in query.lines:
        for word in line.words & counts.keys():
            weights[word] = max(weights.get(word, 0.0), line.factor * rarity(word))
    terms: list[tuple[str, float]] = []
    budget = _POSTINGS
    for word in sorted(weights, key=lambda word: (-weights[word], word)):
        budget -= counts[word]
        if (budget < 0 and len(terms) >= _SURE_TERMS) or len(terms) >= _TERMS:
            break
        terms.append((word, weights[word]))
    return terms


def _postings(database: Database, word: str, scope: str | None) -> Iterator[int]:
    rows = database.execute(
        "SELECT rowid FROM content WHERE content MATCH ? ORDER BY rowid DESC LIMIT ?", (_inside(f'"{word}"', scope), _POSTINGS)
    )
    return (int(row[0]) for row in rows)


def _inside(expression: str, scope: str | None) -> str:
    """A full-text expression that finds the same in one scope alone."""
    return expression if scope is None else f"({expression}) AND place : {place_of(scope)}"


def _keyed(database: Database, asked: Sequence[str], scope: str | None) -> list[int]:
    """The latest patterns whose rarest words all occur, and the latest expressions that fix no word."""
    present = frozenset(asked)
    which = "" if scope is None else " AND (SELECT scope FROM entries e WHERE e.number = keys.number) = ?"
    values = () if scope is None else (scope,)
    found: set[int] = set()
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        marks = ",".join("?" * len(some))
        statement = f"SELECT number, others FROM keys WHERE word IN ({marks}){which}"  # noqa: S608
        rows: Any = database.execute(statement, (*some, *values))
        found.update(number for number, others in rows if present.issuperset(others.split()))
    statement = f"SELECT number FROM keys WHERE word = ?{which} ORDER BY number DESC LIMIT ?"  # noqa: S608
    wordless = database.execute(statement, (NO_WORD, *values, _KEYED))
    return sorted(found, reverse=True)[:_KEYED] + [number for (number,) in wordless]


def _candidate(row: Row) -> Candidate:
    entry = row.entry
    about = [value for name, value in entry.fields.items() if name.split(".")[0] == "context"]
    place = frozenset(words(plain_text([about, entry.sets])))
    return Candidate(entry.id, tuple(row.targets()), entry.usage, entry.last, place)


def _patience() -> Callable[[], float]:
    """How many seconds the next regular expression may take, so that all of them together stay within bounds."""
    end = time.monotonic() + _EXPRESSIONS

    def left() -> float:
        return min(_ONE_EXPRESSION, end - time.monotonic())

    return left


def search(index: Index, text: str, kind: str | None, limit: int, scope: str | None = None) -> list[Scored]:
    """Records that hold the words of `text`, best first: all of them, then all of them as beginnings, then any of them."""
    asked = list(dict.fromkeys(words(text)))[:_TERMS]
    counts = frequencies(index.database, asked)
    rarest = sorted((word for word in asked if word in counts), key=lambda word: counts[word])
    beginnings = [f'"{word}"*' if len(word) >= _MIN_BEGINNING else f'"{word}"' for word in asked]
    attempts = [
        (" AND ".join(f'"{word}"' for word in asked), 1.0) if len(rarest) == len(asked) else ("", 0.0),
        (" AND ".join(beginnings), 0.8),
        (" OR ".join(f'"{word}"' for word in _affordable(rarest, counts)), 0.5),
    ]
    found: dict[int, float] = {}
    for expression, most in attempts:
        if expression and len(found) < limit:
            for number, share in _scored(index.database, _inside(expression, scope), kind):
                found.setdefault(number, most * share)
    best = sorted(found, key=lambda number: (-found[number], -number))[:limit]
    rows = index.by_number(best)
    return [Scored(rows[number].entry, found[number]) for number in best]


def _affordable(rarest: list[str], counts: Mapping[str, int]) -> list[str]:
    """The rarest words whose rows fit the budget, and always one."""
    spent = 0
    kept: list[str] = []
    for word in rarest:
        spent += counts[word]
        if kept and spent > _POSTINGS:
            break
        kept.append(word)
    return kept


def _scored(database: Database, expression: str, kind: str | None) -> list[tuple[int, float]]:
    """Row numbers of what matches, with their BM25 as a share of the best one's; of very many the latest."""
    rows: Any = database.execute(
        "SELECT c.rowid, -bm25(content, 4, 2, 1, 0) FROM content c JOIN entries e ON e.number = c.rowid"
        " WHERE content MATCH ? AND (? IS NULL OR e.kind = ?) ORDER BY c.rowid DESC LIMIT ?",
        (expression, kind, kind, _READ),
    )
    scores = [(int(number), float(score)) for number, score in rows]
    most = max((score for _, score in scores), default=0.0)
    return [(number, (score / most if most > 0 else 1.0)) for number, score in scores]
