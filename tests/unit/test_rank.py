"""The order of answers: patterns, likeness, and what use says about near equals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.rank import ACCEPT, Candidate, Ranked, Request, confidence, rank
from gitmem.core.recall.reading import read
from gitmem.core.recall.terms import Rarity

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
RARITY = Rarity({}, 0)


def candidate(name: str, *texts: str, **more: object) -> Candidate:
    """A record known by these texts."""
    usage, last, context = more.get("usage", {}), more.get("last", {}), more.get("context", frozenset())
    assert isinstance(usage, dict)
    assert isinstance(last, dict)
    assert isinstance(context, frozenset)
    return Candidate(name, texts, usage, last, context)


def answers(text: str, *candidates: Candidate, context: Mapping[str, str] | None = None) -> list[Ranked]:
    """What is answered to `text`."""
    return rank(read(text), candidates, RARITY, Request(NOW, context=context or {}))


def order(text: str, *candidates: Candidate) -> list[str]:
    """The ids of what is answered."""
    return [answer.id for answer in answers(text, *candidates)]


ERROR = "fatal: refusing to merge unrelated histories"


def test_an_unknown_error_gets_an_empty_answer() -> None:
    """The right fix or silence."""
    known = [candidate("a", "fatal: tag 'x' already exists"), candidate("b", "cs: command not found")]
    assert answers("segfault at 0x0 in libzork", *known) == []
    assert answers("", *known) == []
    assert answers("error:", *known) == []
    assert answers("gradle: command not found", *known) == []
    assert answers(ERROR) == []


def test_a_learnt_error_scores_nearly_one() -> None:
    """As written, inside other output, and with other arguments."""
    known = candidate("a", ERROR)
    (exact,) = answers(ERROR, known)
    assert exact.score > 0.95
    assert exact.why[0] == "literal pattern found as written"
    (inside,) = answers(f"Auto-merging x\n{ERROR}\nAborting", known)
    assert inside.score > 0.8


def test_kinds_of_patterns_rank_literal_wildcard_expression() -> None:
    """Where all of them match the same line."""
    texts = {
        "r": "/refusing to merge unrelated/",
        "w": "refusing to <*> unrelated histories",
        "l": "refusing to merge unrelated histories",
    }
    assert order(ERROR, *(candidate(name, text) for name, text in texts.items())) == ["l", "w", "r"]


def test_a_pattern_that_says_nothing_is_no_answer() -> None:
    """Whoever learns "error" or an expression for any word does not get it with every error."""
    assert answers(f"error: {ERROR}", candidate("a", "error"), candidate("b", r"/\w+/")) == []
    assert answers("disk quota zork exceeded: E4711", candidate("a", r"/E\d{4}/"))


def test_a_short_generic_pattern_is_still_an_answer() -> None:
    """Whoever learns "Permission denied" gets it where nothing better is known."""
    generic, special = candidate("g", "Permission denied"), candidate("s", "bash: ./run.sh: Permission denied")
    assert order("bash: ./go.sh: Permission denied", generic) == ["g"]
    assert order("bash: ./go.sh: Permission denied", generic, special)[0] == "s"


def test_among_equals_the_fix_that_worked_most_comes_first() -> None:
    """Never tried beats always failed; many successes beat one."""
    often = candidate("often", ERROR, usage={"fixed": 40, "failed": 2})
    once = candidate("once", ERROR, usage={"fixed": 1})
    never = candidate("never", ERROR)
    bad = candidate("bad", ERROR, usage={"failed": 9})
    assert order(ERROR, bad, never, once, often) == ["often", "once", "never", "bad"]
    assert answers(ERROR, often)[0].why[-1] == "fixed 40 of 42"


def test_use_never_lifts_a_wrong_answer_over_a_right_one() -> None:
    """A thousand fixes of another error count nothing here."""
    right = candidate("right", ERROR, usage={"failed": 50})
    wrong = candidate(
        "wrong", "fatal: refusing to fetch into current branch", usage={"fixed": 1000}, last={"used": NOW.isoformat()}
    )
    assert order(ERROR, wrong, right)[0] == "right"


def test_use_cannot_make_an_unknown_error_known() -> None:
    """Acceptance looks at the text alone."""
    popular = candidate("a", "cs: command not found", usage={"fixed": 10_000}, last={"used": NOW.isoformat()})
    assert answers("gradle: command not found", popular) == []


def test_recent_and_fitting_records_come_first_among_equals() -> None:
    """By days since use or change, and by words of the place."""
    old = candidate("old", ERROR, last={"changed": "2020-01-01T00:00:00Z"})
    new = candidate("new", ERROR, last={"changed": (NOW - timedelta(days=1)).isoformat()})
    assert order(ERROR, old, new) == ["new", "old"]
    here = candidate("here", ERROR, context=frozenset({"macos", "git"}))
    found = answers(ERROR, new, here, context={"os": "macOS", "cwd": "/x"})
    assert found[0].id == "here"
    assert found[0].why[-1] == "context: macos"


def test_broken_records_are_answered_as_text() -> None:
    """A record that a newer version or a hand edit wrote never breaks the others."""
    assert order("/((zork/ is here", candidate("a", "/((zork/", last={"used": "yesterday"})) == ["a"]


def test_a_sure_answer_stands_nearly_alone() -> None:
    """Weak alternatives are listed beside weak answers only."""
    other = candidate("o", "fatal: bad revision 'x'")
    assert order(ERROR, candidate("a", ERROR), other) == ["a"]


def test_expressions_stop_when_patience_ends() -> None:
    """Many slow expressions together cannot hold up an answer."""
    assert not rank(read(ERROR), [candidate("r", "/unrelated histories/")], RARITY, Request(NOW, patience=lambda: 0.0))


@pytest.mark.parametrize(
    ("fixed", "failed", "expected"), [(0, 0, 0.0), (1, 0, 0.207), (0, 5, 0.0), (10, 0, 0.722), (90, 10, 0.826), (5, 5, 0.237)]
)
def test_confidence_is_wilsons_lower_bound(fixed: int, failed: int, expected: float) -> None:
    """Against values of the formula for z = 1.96."""
    assert confidence(fixed, failed) == pytest.approx(expected, abs=0.001)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_confidence_never_exceeds_the_rate(fixed: int, failed: int) -> None:
    """It grows with every success and falls with every failure."""
    sure = confidence(fixed, failed)
    assert 0 <= sure <= (fixed / (fixed + failed) if fixed + failed else 0)
    assert confidence(fixed + 1, failed) >= sure
    assert confidence(fixed, failed + 1) <= sure


def test_the_bar_is_where_it_is_said_to_be() -> None:
    """Changing it changes what users see: do it on purpose, with the numbers of bench/recall.py."""
    assert ACCEPT == 0.2
