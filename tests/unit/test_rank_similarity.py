"""How alike two error texts are, and what they talk about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.reading import read
from gitmem.core.recall.similarity import line_similarity, similarity
from gitmem.core.recall.terms import Rarity

RARITY = Rarity({}, 0)


def alike(query: str, target: str) -> float:
    """The similarity of two texts in an empty store."""
    return similarity(read(query), read(target), RARITY).score


SAME = [
    ("fatal: tag 'v1' already exists", "fatal: tag 'release-2.0' already exists"),
    ("Error: listen EADDRINUSE 127.0.0.1:8080", "Error: listen EADDRINUSE 10.1.2.3:3000"),
    ("cat: /a/b: Is a directory", "cat: lib/: Is a directory"),
    (
        'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nValueError: bad zork',
        'Traceback (most recent call last):\n  File "/x/b.py", line 77, in go\n    run(1)\nValueError: bad zork',
    ),
    ("mkdir: foo/bar: No such file or directory", "mkdir: `x/y/z': No such file or directory"),
]
OTHER = [
    ("cs: command not found", "gradle: command not found"),
    ("usage: go help", "usage: npm help"),
    ("error: something failed", "error: nothing matches"),
    ("Traceback (most recent call last):\nKeyError: 'a'", "Traceback (most recent call last):\nRecursionError: maximum depth"),
    ("the quick brown fox", "fatal: refusing to merge unrelated histories"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_failure_with_other_arguments_is_alike(one: str, other: str) -> None:
    """Paths, numbers, names and times change nothing much."""
    assert alike(one, other) > 0.6
    assert alike(other, one) > 0.6


def test_one_changed_word_in_a_line_of_boilerplate_is_still_alike() -> None:
    """Nothing in it is rare, but everything is in its place."""
    assert alike("Error: Unknown command: instal", "Error: Unknown command: upgarde") > 0.2


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_shared_boilerplate_is_not_alike(one: str, other: str) -> None:
    """What all errors say makes no two of them alike; another program's error is another error."""
    assert alike(one, other) < 0.2


def test_either_side_may_be_the_longer_one() -> None:
    """One line of a learnt traceback finds it, and a learnt line is found inside much else."""
    line = "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) FATAL: role admin does not exist"
    long = "\n".join(["Traceback (most recent call last):", *(f"  task {n} of batch scheduled" for n in range(30)), line])
    assert alike(line, long) > 0.4
    assert alike(long, line) > 0.4


def test_the_name_of_an_error_and_its_description_are_one() -> None:
    """Node prints EADDRINUSE where Python prints what it means."""
    assert alike("OSError: [Errno 98] Address already in use", "Error: listen EADDRINUSE :::3000") > 0.3


def test_reasons_name_the_words_and_the_program() -> None:
    """An answer can say why it was given."""
    likeness = similarity(read("git: refusing to merge unrelated histories"), read("git: unrelated histories"), RARITY)
    assert "unrelated" in likeness.words
    assert likeness.programs == ("git",)


_WORDS = ["error:", "git", "zork", "'a'", "/b/c", "12", "not", "found", "fatal", "usage"]
_LINES = st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join)
_TEXTS = st.lists(_LINES, max_size=5).map("\n".join)


@given(_TEXTS, _TEXTS)
def test_scores_stay_between_nothing_and_one(one: str, other: str) -> None:
    """And a text with any word in it is entirely like itself, but for what it says of itself."""
    assert 0 <= alike(one, other) <= 1
    assert alike(one, one) >= alike(one, other) - 1e-9


@given(st.lists(st.sampled_from("abcdef"), max_size=8), st.lists(st.sampled_from("abcdef"), max_size=8))
def test_lines_resemble_each_other_both_ways(one: list[str], other: list[str]) -> None:
    """The measure of two lines is symmetric enough to be read from either side."""
    assert 0 <= line_similarity(one, other, RARITY) <= 1
    assert line_similarity(one, one, RARITY) == 1


def test_a_log_of_ten_thousand_lines_is_not_compared_with_every_line() -> None:
    """Only lines that share rare words are, whatever the log holds: two million pairs would ask for ten words each."""
    query = read("\n".join(f"worker{n % 97} step{n} error: zork {n} quux failed" for n in range(10_000)))
    target = read("\n".join(f"error: zork {n} quux failed in step{n}" for n in range(200)))
    asked = 0

    def counting(word: str) -> float:
        nonlocal asked
        asked += 1
        return RARITY(word)

    assert similarity(query, target, counting).score > 0
    assert asked < 100_000
