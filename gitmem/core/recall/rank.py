"""The order of answers to an error: which records explain it, how surely, and why.

A score of 0..1 says how well the text of a record explains the error. Measured on the thefuck data with half of the rules
learnt and as many unknown errors asked for as known ones, the best answer was right in 94 % of cases from 0.7 up, in 57 %
between 0.3 and 0.7, and hardly ever below 0.3, where answers resemble the error and no more. Below `ACCEPT` there is no
answer: known errors lose nothing by that, and three in four unknown ones are met with silence (`bench/recall.py`).

How often a fix worked, how recent it is and where it was used move a score by at most `_USAGE`: that orders records that
explain an error equally well and never lifts a wrong one over one that is clearly right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from gitmem.core.recall.pattern import TIMEOUT, Found, Pattern, parse
from gitmem.core.recall.reading import Reading
from gitmem.core.recall.similarity import similarity
from gitmem.core.recall.terms import Rarity, tokens, words
from gitmem.errors import InvalidRecord

ACCEPT: Final = 0.2  # the best answer below this is no answer
_Z: Final = 1.96  # 95 % of a normal distribution
_USAGE: Final = 0.04
_CONFIDENCE, _RECENCY, _CONTEXT = 0.025, 0.005, 0.01  # they add up to _USAGE
_HALF_YEAR: Final = 180.0  # days
_BASE: Final = 0.12  # of a pattern that is found and says nothing
_WORD: Final = 0.12  # that someone put a word into a pattern says at least this much, however frequent it is
_FIRST: Final = {"literal": 0.02, "wildcard": 0.01, "regex": 0.0}
_BAR, _LEAST = 0.6, 0.02  # what follows an answer of score s must reach max(_LEAST, _BAR * s**3)
_RESEMBLANCE: Final = 0.02
_SHOWN: Final = 3  # words in a reason


class Candidate(NamedTuple):
    """What ranking needs of a record: the texts it is known by, and what is known of its use.

    `usage` holds counts named `fixed` and `failed`, `last` times (RFC 3339, UTC), `context` words of where it applies.
    """

    id: str
    targets: tuple[str, ...]
    usage: Mapping[str, int]
    last: Mapping[str, str]
    context: frozenset[str] = frozenset()


class Ranked(NamedTuple):
    """One answer. `score` as in the module's text; `confidence` is 0 for a fix nobody has reported on yet."""

    id: str
    score: float
    confidence: float
    why: tuple[str, ...]


def confidence(fixed: int, failed: int) -> float:
    """The lower bound of the rate fixed / tried that 95 % certainty allows (Wilson 1927); 0 if never tried."""
    tried = fixed + failed
    if not tried:
        return 0.0
    rate, z2 = fixed / tried, _Z * _Z
    spread = _Z * math.sqrt((rate * (1 - rate) + z2 / (4 * tried)) / tried)
    bound = (rate + z2 / (2 * tried) - spread) / (1 + z2 / tried)
    return min(rate, max(0.0, bound))  # rounding may put it a hair's breadth above the rate


class Request(NamedTuple):
    """What is asked for: at most `limit` answers, as of `now` (with a time zone).

    `context` is where the error happened, in any terms (`tool`, `os`, `cwd`); `patience` says how many seconds the next
    regular expression may take, none if that is not positive.
    """

    now: datetime
    limit: int = 5
    context: Mapping[str, str] = MappingProxyType({})
    patience: Callable[[], float] = lambda: TIMEOUT


def rank(query: Reading, candidates: Sequence[Candidate], rarity: Rarity, request: Request) -> list[Ranked]:
    """The answers among `candidates`, best first; none if even the best does not reach `ACCEPT`.

    What follows the best must reach a bar that rises with its score: a sure answer stands nearly alone, an unsure one
    brings its alternatives. Equal scores keep the order of `candidates`.
    """
    judged = [(judgement, one) for one in candidates if (judgement := _judge(query, one, rarity, request.patience)).score > 0]
    best = max((judgement.score for judgement, _ in judged), default=0.0)
    if best < ACCEPT:
        return []
    bar = max(_LEAST, _BAR * best**3)
    place = frozenset(word for value in request.context.values() for word in words(value))
    answers = [_answer(judgement, one, request.now, place) for judgement, one in judged if judgement.score >= bar]
    return sorted(answers, key=lambda answer: -answer.score)[: request.limit]


class _Judgement(NamedTuple):
    score: float
    why: tuple[str, ...] = ()


def _judge(query: Reading, candidate: Candidate, rarity: Rarity, patience: Callable[[], float]) -> _Judgement:
    """How well the best of a record's texts explains the error, leaving its use aside."""
    judgements = (_judge_text(query, text, rarity, patience) for text in candidate.targets)
    return max(judgements, key=lambda one: one.score, default=_Judgement(0.0))


def _judge_text(query: Reading, text: str, rarity: Rarity, patience: Callable[[], float]) -> _Judgement:
    pattern = _parse(text)
    if pattern.kind == "regex":
        seconds = patience()
        found = pattern.find(query, seconds) if seconds > 0 else None
        return _found(pattern, found, query, rarity) if found else _Judgement(0.0)
    alike = _alike(query, pattern.reading, rarity)
    found = pattern.find(query)
    if not found:
        return alike
    judged = _found(pattern, found, query, rarity)
    # Among patterns that are all found, the one that also resembles the text more is the better one.
    score = judged.score * (1 - _RESEMBLANCE) + alike.score * _RESEMBLANCE
    return _Judgement(max(score, alike.score), judged.why)


def _found(pattern: Pattern, found: Found, query: Reading, rarity: Rarity) -> _Judgement:
    """A pattern that is found counts by what it says and by how much of the lines it touches it accounts for."""
    said = tokens(found.part)
    mass = sum(map(rarity, said))
    weight = sum(max(_WORD, rarity(token)) for token in set(said) if token.isalnum())
    says = pattern.specificity() * (1 - math.exp(-weight))
    of_region = min(1.0, mass / (sum(map(rarity, tokens(found.region))) or 1.0))
    of_query = min(1.0, mass / (sum(sum(map(rarity, line.tokens)) for line in query.lines) or 1.0))
    score = _BASE + (1 - _BASE) * max(says * (0.6 + 0.4 * of_region), of_query * says**0.5)
    name = "regular expression" if pattern.kind == "regex" else f"{pattern.kind} pattern"
    how = "found as written" if found.exact else "found, but for paths, numbers and names"
    return _Judgement(min(1.0, score + _FIRST[pattern.kind]), (f"{name} {how}",))


def _alike(query: Reading, target: Reading, rarity: Rarity) -> _Judgement:
    likeness = similarity(query, target, rarity)
    why = [": ".join([f"{likeness.score:.0%} alike", *filter(None, [", ".join(likeness.words)])])]
    why += [f"same program: {program}" for program in likeness.programs[:1]]
    return _Judgement(likeness.score, tuple(why))


def _answer(judgement: _Judgement, candidate: Candidate, now: datetime, place: frozenset[str]) -> Ranked:
    fixed, failed = candidate.usage.get("fixed", 0), candidate.usage.get("failed", 0)
    sure = confidence(fixed, failed)
    days = _age(candidate.last, now)
    fits = sorted(place & candidate.context)
    use = _CONFIDENCE * (sure - confidence(failed, fixed) / 2)
    use += _RECENCY * 0.5 ** (days / _HALF_YEAR) if days is not None else 0.0
    use += _CONTEXT * len(fits) / (len(place) or 1)
    why = list(judgement.why)
    if fixed + failed:
        why.append(f"fixed {fixed} of {fixed + failed}")
    if fits:
        why.append("context: " + ", ".join(fits[:_SHOWN]))
    return Ranked(candidate.id, max(0.0, judgement.score * (1 - _USAGE) + use), sure, tuple(why))


def _age(last: Mapping[str, str], now: datetime) -> float | None:
    """Days since a record was last used or changed; None if it does not say."""
    times = [last[name] for name in ("used", "changed") if name in last]
    try:
        newest = max(map(datetime.fromisoformat, times), default=None)
    except ValueError:
        return None
    return max(0.0, (now - newest).total_seconds() / 86_400) if newest else None


@lru_cache(maxsize=2048)
def _parse(text: str) -> Pattern:
    """The pattern that `text` spells; what a hand edit or an older version made unusable is taken as literal text."""
    try:
        return parse(text)
    except InvalidRecord:
        return Pattern(text.strip() or " ", "literal")
