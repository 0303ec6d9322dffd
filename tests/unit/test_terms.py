"""Words, and how much each says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.background import RATES
from gitmem.core.recall.terms import MAX_WORD, Rarity, fold, tokens, words


def test_case_and_diacritics_do_not_matter() -> None:
    """One spelling of a word finds the others."""
    assert words("Ünïcode NAÏVE Straße") == words("unicode naive strasse")
    assert fold("ABC") == "abc"


def test_words_split_at_everything_that_is_no_letter_or_digit() -> None:
    """The index, the queries and the scoring agree on what a word is."""
    assert words("no_such-file: x.y2 (z)") == ["no", "such", "file", "x", "y2", "z"]


def test_error_names_bring_their_description() -> None:
    """Programs print the name of a POSIX error or what strerror says for it."""
    assert set(words("Address already in use")) < set(words("listen EADDRINUSE"))
    assert tokens("listen EACCES now") == ["listen", "eacces", "permission", "denied", "now"]


def test_data_is_no_word() -> None:
    """What is longer than any word is left out."""
    assert words("a " + "b" * (MAX_WORD + 1)) == ["a"]


@given(st.text(max_size=200))
def test_words_are_their_own_words(text: str) -> None:
    """Taking the words of words changes nothing, but for the order of descriptions."""
    assert set(words(" ".join(words(text)))) == set(words(text))


def test_boilerplate_says_little_in_an_empty_store() -> None:
    """The background rates stand in until a store's own frequencies do."""
    rarity = Rarity({}, 0)
    assert rarity("error") < 0.1
    assert rarity("not") < 0.1
    assert rarity("command") < 0.4
    assert rarity("zorkmid") > 0.95
    assert rarity("<path>") == Rarity.PLACEHOLDER


def test_own_frequencies_outweigh_the_background() -> None:
    """A word that half of a large store holds says nothing there, however rare it is elsewhere."""
    assert Rarity({"zorkmid": 50_000}, 100_000)("zorkmid") < 0.1
    assert Rarity({"zorkmid": 2}, 100_000)("zorkmid") > 0.8


@given(st.sampled_from(sorted(RATES)) | st.just("zorkmid"), st.integers(0, 10_000), st.integers(0, 100_000))
def test_weights_stay_between_nothing_and_one(word: str, records: int, more: int) -> None:
    """And the more records hold a word the less it says."""
    weight = Rarity({word: records}, records + more)(word)
    assert 0 < weight <= 1
    assert Rarity({word: records + 1}, records + more + 1)(word) <= weight + 0.01
