"""How alike two error texts are, 0..1.

Three views are blended: line by line (words in order, weighed by rarity, a changed argument in the middle of a line costs
little), word by word, and what they talk about (the program that speaks, the sort of failure). Either side may be the
longer one: a learnt traceback is found by its last line, a learnt line inside a log of 10,000.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import nlargest
from typing import Final, Literal, NamedTuple

from gitmem.core.recall.reading import RARE_SORTS, Line, Reading

Weight = Callable[[str], float]

MAX_TARGET_LINES: Final = 60
NEAR_LINES: Final = 8  # lines of a long query that one learnt line is compared with
LONG_QUERY: Final = 40  # lines; of a longer one only those that answer to a learnt line are counted

# Shares of the blend; they add up to 1.
_BY_LINE, _BY_WORD, _BY_SORT, _BY_HIDDEN, _BY_LETTER = 0.47, 0.42, 0.06, 0.04, 0.01
_SAME_PROGRAM: Final = 0.12  # of what is missing to 1
_SAME_SORT: Final = 0.2  # of what is missing to 1, for a sort of failure that few state
_OTHER_PROGRAM: Final = 0.5  # what remains when both name programs and none is common
_OTHER_SORT: Final = 0.7  # what remains when both state a sort of failure and none is common
_UNSPECIFIC: Final = 0.7  # of what is missing to 1, lost when nothing specific is shared
_SPECIFIC_WEIGHT: Final = 0.55  # a word that says this much is specific
_SLOT_COST, _GAP_COST = 0.3, 0.6
_RELATED: Final = 0.6  # of the weight of a word, for one that only resembles it
_STEM: Final = 4  # letters
_SHOWN: Final = 3  # words
_MAX_SLOT: Final = 2  # words


class Likeness(NamedTuple):
    """How alike two texts are, 0..1, and what shows it: the weightiest common words, the programs both name."""

    score: float
    words: tuple[str, ...]
    programs: tuple[str, ...]


def similarity(query: Reading, target: Reading, weight: Weight) -> Likeness:
    """How likely `query` states the failure that `target` states (see the module's text)."""
    lines = _Lines(query, target, weight)
    bag = _Bag(lines, weight)
    ours, theirs = _Topics(lines.query), _Topics(lines.target)
    score = (
        _BY_LINE * (lines.of_target + lines.of_query) / 2
        + _BY_WORD * (max(bag.of_target, bag.of_query) + bag.of_both) / 2
        + _BY_SORT * len(ours.sorts & theirs.sorts) / max(1, len(ours.sorts | theirs.sorts))
        + _BY_HIDDEN * lines.hidden(weight)
        + _BY_LETTER * _letters(lines)
    )
    score = _by_topic(score, ours, theirs, specific=bag.most >= _SPECIFIC_WEIGHT)
    return Likeness(min(1.0, score), bag.telling, tuple(sorted(ours.programs & theirs.programs)))


class _Topics:
    """What lines talk about: programs that speak, programs named at all, sorts of failure."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.speakers = _union(lines, "speaker")
        self.programs = self.speakers | _union(lines, "named")
        self.sorts = _union(lines, "sorts")


def _by_topic(score: float, ours: _Topics, theirs: _Topics, *, specific: bool) -> float:
    """The score raised or lowered by whether both talk of one program and one sort of failure."""
    program, shared = _same_program(ours, theirs), ours.sorts & theirs.sorts
    if program > 0:
        score += _SAME_PROGRAM * program * (1 - score)
    elif program < 0:
        score *= _OTHER_PROGRAM
    if shared & RARE_SORTS:
        score += _SAME_SORT * (1 - score)
    elif ours.sorts and theirs.sorts and not shared:
        score *= _OTHER_SORT
    if program <= 0 and not shared & RARE_SORTS and not specific:
        score *= 1 - _UNSPECIFIC * (1 - score)
    return score


def _same_program(ours: _Topics, theirs: _Topics) -> float:
    """1 if both name the same program, less if only in passing, -1 if they name different ones, 0 if one names none."""
    if not ours.programs or not theirs.programs:
        return 0.0
    if ours.speakers & theirs.speakers:
        return 1.0
    if not ours.programs & theirs.programs:
        return -1.0
    return 0.5 if ours.speakers and theirs.speakers else 1.0


def line_similarity(a: Sequence[str], b: Sequence[str], weight: Weight) -> float:
    """The weight of what two lines share in order, against that and the cost of what they do not, 0..1."""
    if a == b:
        return 1.0
    same, gaps = _align(a, b)
    shared = sum(map(weight, same))
    if not shared:
        return 0.0
    return shared / (shared + sum(_gap_cost(gap, shared, weight) for gap in gaps))


class _Gap(NamedTuple):
    left: Sequence[str]
    right: Sequence[str]
    leading: bool  # before the first shared word: where a program's name stands


def _align(a: Sequence[str], b: Sequence[str]) -> tuple[list[str], list[_Gap]]:
    """The longest common subsequence of `a` and `b`, and what lies between its parts."""
    from rapidfuzz.distance import LCSseq

    same: list[str] = []
    gaps: list[_Gap] = []
    at_a = at_b = 0
    for operation in LCSseq.opcodes(a, b):
        if operation.tag != "equal":
            continue
        if operation.src_start > at_a or operation.dest_start > at_b:
            gaps.append(_Gap(a[at_a : operation.src_start], b[at_b : operation.dest_start], not same))
        same += a[operation.src_start : operation.src_end]
        at_a, at_b = operation.src_end, operation.dest_end
    if at_a < len(a) or at_b < len(b):
        gaps.append(_Gap(a[at_a:], b[at_b:], not same))
    return same, gaps


def _gap_cost(gap: _Gap, shared: float, weight: Weight) -> float:
    left, right = sum(map(weight, gap.left)), sum(map(weight, gap.right))
    if gap.leading:
        return left + right
    if 0 < len(gap.left) <= _MAX_SLOT and 0 < len(gap.right) <= _MAX_SLOT:
        return min(_SLOT_COST * max(left, right), shared / 2)  # an argument: the same place, another value
    return _GAP_COST * (left + right)


class _Lines:
    """Each learnt line with the line of the query that resembles it most, and how much of both sides that covers.

    Of a long query only the lines that answer to a learnt one are counted: the rest of a log is no argument against.
    """

    def __init__(self, query: Reading, target: Reading, weight: Weight) -> None:
        self.target = target.lines if len(target.lines) <= MAX_TARGET_LINES else _weightiest(target.lines)
        long = len(query.lines) > LONG_QUERY
        near = _near_by_words(query, weight) if long else _near_all(query)
        of_target: list[float] = []
        of_query: dict[int, float] = {}
        answering: set[int] = set()
        for line in self.target:
            scores = {n: line_similarity(line.tokens, query.lines[n].tokens, weight) for n in near(line)}
            best = max(scores, key=lambda number: scores[number], default=-1)
            of_target.append(scores.get(best, 0.0))
            if of_target[-1] > 0:
                answering.add(best)
            for number, score in scores.items():
                of_query[number] = max(score, of_query.get(number, 0.0))
        numbers = sorted(answering) if long else range(len(query.lines))
        self.query = tuple(query.lines[number] for number in numbers)
        self.of_target = _covered(self.target, of_target, weight)
        self.of_query = _covered(self.query, [of_query.get(number, 0.0) for number in numbers], weight)

    def hidden(self, weight: Weight) -> float:
        """How much of what masking hid (the paths, numbers and arguments themselves) is the same, 0..1."""
        plain_ours, plain_theirs = _union(self.query, "words"), _union(self.target, "words")
        ours, theirs = _union(self.query, "hidden") - plain_ours, _union(self.target, "hidden") - plain_theirs
        total = sum(map(weight, ours & (theirs | plain_theirs) | theirs & plain_ours))
        return total / (1 + total)


def _union(lines: Sequence[Line], of: Literal["words", "hidden", "speaker", "named", "sorts"]) -> set[str]:
    return set().union(*(getattr(line, of) for line in lines))


def _near_all(query: Reading) -> Callable[[Line], Sequence[int]]:
    def near(line: Line) -> list[int]:
        return [number for number, other in enumerate(query.lines) if line.words & other.words or line.tokens == other.tokens]

    return near


def _near_by_words(query: Reading, weight: Weight) -> Callable[[Line], Sequence[int]]:
    """The lines of a long query that share the rarest words of a learnt line; never a scan of all."""

    def near(line: Line) -> list[int]:
        votes: dict[int, float] = {}
        for word in sorted(line.words, key=lambda word: len(query.postings.get(word, ())))[:LONG_QUERY]:
            numbers = query.postings.get(word, ())
            if len(numbers) > 200 and votes:
                break
            for number in numbers[-200:]:
                votes[number] = votes.get(number, 0.0) + weight(word)
        return nlargest(NEAR_LINES, votes, key=votes.__getitem__)

    return near


def _weightiest(lines: Sequence[Line]) -> tuple[Line, ...]:
    kept = sorted(range(len(lines)), key=lambda number: (-lines[number].factor, number))[:MAX_TARGET_LINES]
    return tuple(lines[number] for number in sorted(kept))


def _covered(lines: Sequence[Line], best: Sequence[float], weight: Weight) -> float:
    masses = [line.factor * sum(map(weight, line.tokens)) for line in lines]
    total = sum(masses)
    return sum(mass * score**1.5 for mass, score in zip(masses, best, strict=True)) / total if total else 0.0


class _Bag:
    """The words of both sides, whatever their order."""

    def __init__(self, lines: _Lines, weight: Weight) -> None:
        ours, theirs = _weights(lines.query, weight), _weights(lines.target, weight)
        common = ours.keys() & theirs.keys()
        related = _relatives(ours, theirs)
        self.most = max((weight(word) for word in [*common, *related]), default=0.0)
        self.telling = tuple(sorted(common, key=lambda word: (-weight(word), word))[:_SHOWN])
        shared = sum(min(ours[word], theirs[word]) for word in common)
        shared += _RELATED * sum(min(ours[word], theirs[other]) for word, other in related.items())
        all_ours, all_theirs = sum(ours.values()), sum(theirs.values())
        self.of_query = min(1.0, shared / all_ours) if all_ours else 0.0
        self.of_target = min(1.0, shared / all_theirs) if all_theirs else 0.0
        self.of_both = shared / (all_ours + all_theirs - shared) if all_ours + all_theirs > shared else 0.0


def _weights(lines: Sequence[Line], weight: Weight) -> dict[str, float]:
    factors: dict[str, float] = {}
    for line in lines:
        for word in line.words:
            factors[word] = max(line.factor, factors.get(word, 0.0))
    return {word: factor * weight(word) for word, factor in factors.items()}


def _relatives(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, str]:
    """Words that are not the same and yet are: `init` and `initialization`, `recognised` and `recognized`."""
    from rapidfuzz import fuzz

    starts: dict[str, list[str]] = {}
    for word in sorted(theirs.keys() - ours.keys()):
        if len(word) >= _STEM:
            starts.setdefault(word[:_STEM], []).append(word)
    related: dict[str, str] = {}
    for word in sorted(ours.keys() - theirs.keys()):
        for other in starts.get(word[:_STEM], ()):
            if word.startswith(other) or other.startswith(word) or fuzz.ratio(word, other) >= 80:
                related[word] = other
                break
    return related


def _letters(lines: _Lines) -> float:
    from rapidfuzz import fuzz

    ours = "\n".join(line.masked for line in lines.query)[:2000]
    theirs = "\n".join(line.masked for line in lines.target)[:2000]
    return float(fuzz.ratio(ours, theirs)) / 100
