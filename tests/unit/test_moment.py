"""Moments of a log: closed under what was seen, whatever the clocks say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import Head, Segment
from gitmem.core.auditing.chain import chains_of, needs
from gitmem.core.auditing.moment import Ends, as_utc, at_entry, at_time, ends_of
from tests.support.auditing import Scribe, change

NAMES = ("ada", "bob", "cyd")


def _time(minutes: int, years: int = 0) -> str:
    return f"{2026 + years}-11-20T{minutes // 60:02d}:{minutes % 60:02d}:00Z"


def _history(draw: random.Random, steps: int, wrong: dict[str, int], syncs: float = 0.5) -> tuple[list[Segment], list[Ends]]:
    """A history of three writers, the clocks of some wrong by years; and what each segment's writer had when it was signed."""
    scribes = {name: Scribe(name, f"{name}-1") for name in NAMES}
    holds: dict[str, dict[str, Segment]] = {name: {} for name in NAMES}
    segments, oracle = list[Segment](), list[Ends]()
    for minute in range(steps):
        name = draw.choice(NAMES)
        seen: list[Head] = []
        if draw.random() < syncs:
            other = draw.choice([one for one in NAMES if one != name])
            fresh = {w: s for w, s in holds[other].items() if s.number > (holds[name][w].number if w in holds[name] else 0)}
            holds[name] |= fresh
            seen = [segment.head for segment in fresh.values()]
        made = scribes[name].sign([change(f"memory/{minute}", None, b"x")], seen, _time(minute, wrong.get(name, 0)))
        holds[name][made.writer] = made
        segments.append(made)
        oracle.append(ends_of(holds[name].values()))
    return segments, oracle


@given(st.integers(0, 10**6), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([-1, 1])))
def test_a_place_in_the_log_is_what_its_writer_had(seed: int, wrong: dict[str, int]) -> None:
    """Whatever the clocks, at every entry."""
    draw = random.Random(seed)
    segments, oracle = _history(draw, 20, wrong)
    mixed = segments.copy()
    draw.shuffle(mixed)
    for segment, ends in zip(segments, oracle, strict=True):
        assert at_entry(mixed, segment.writer, segment.entries[-1].seq) == ends
    assert at_entry(mixed, "ada-1", 999) is None
    assert at_entry(mixed, "zoe-1", 1) is None


@given(st.integers(0, 10**6), st.integers(0, 24))
def test_with_right_clocks_a_time_is_exact(seed: int, minute: int) -> None:
    """What was signed up to then, and nothing else."""
    segments, _ = _history(random.Random(seed), 24, {})
    assert at_time(segments, _time(minute)) == ends_of(segments[: minute + 1])
    assert at_time(segments, "2025") == {}
    assert at_time(segments, "2026-11-20") == ends_of(segments)


@given(st.integers(0, 10**6), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([-1, 1])), st.integers(0, 19))
def test_a_time_lacks_nothing_that_was_seen(seed: int, wrong: dict[str, int], minute: int) -> None:
    """However wrong the clocks: what belongs to it was all there before what belongs to it."""
    segments, _ = _history(random.Random(seed), 20, wrong)
    ends = at_time(segments, _time(minute))
    chains = chains_of(segments)
    for segment in segments:
        if segment.number <= ends.get(segment.writer, 0):
            assert all(number <= ends.get(writer, 0) for writer, number in needs(segment, chains))


@given(st.sampled_from([-1, 1]), st.integers(3, 36))
def test_one_clock_off_by_a_year_is_outvoted(years: int, minute: int) -> None:
    """Where three take turns and hear of each other, the others' clocks say when, give or take what is next to it."""
    scribes = [Scribe(name, f"{name}-1") for name in NAMES]
    segments, heads = list[Segment](), dict[str, Head]()
    for number in range(40):
        scribe = scribes[number % 3]
        seen = [head for writer, head in heads.items() if writer != scribe.writer]
        time = _time(number, years if scribe.name == "bob" else 0)
        made = scribe.sign([change(f"memory/{number}", None, b"x")], seen, time)
        heads[made.writer] = made.head
        segments.append(made)
    ends = at_time(segments, _time(minute))
    wrong = [number for number, one in enumerate(segments) if (one.number <= ends.get(one.writer, 0)) != (number <= minute)]
    assert all(abs(number - minute) <= 2 for number in wrong)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11", "2026-11"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20 10", "2026-11-20T10"),
        ("2026-11-20T10:00Z", "2026-11-20T10:00"),
        ("2026-11-20T10:00:30Z", "2026-11-20T10:00:30"),
        ("2026-11-20T01:30+09:00", "2026-11-19T16:30"),
        ("2026-11-20T22-05:00", "2026-11-21T03:00"),
        ("0999-11-20T10:00", "0999-11-20T10:00"),
    ],
)
def test_a_time_in_words(text: str, utc: str) -> None:
    """As precise as it was said, and in UTC."""
    assert as_utc(text) == utc


NO_TIMES = ["", "yesterday", "2026-13", "2026-02-30", "2026-11-20T25", "20.11.2026", "2026-11-20T10 CET"]
OUT_OF_ALL_YEARS = ["0001-01-01T00:00+01:00", "9999-12-31T23:00-02:00"]


@pytest.mark.parametrize("text", NO_TIMES + OUT_OF_ALL_YEARS)
def test_what_is_no_time(text: str) -> None:
    """Refused, for compared as text it would find nothing, or all."""
    with pytest.raises(ValueError, match=r".*"):
        as_utc(text)
