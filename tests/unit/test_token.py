"""The spelling of sealed values."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gitmem.core.token import epoch_of, epoch_order, is_token


@pytest.mark.parametrize(
    "token", ["ENC[1-9f3a1c07,A]", "ENC[999999999-00000000,a-_9]", "ENC[1-9f3a1c07," + "A" * 100_000 + "]"]
)
def test_tokens(token: str) -> None:
    """A sealed value and the epoch it names."""
    assert is_token(token)
    assert epoch_of(token) == token[4:].partition(",")[0]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ENC[",
            "ENC[]",
            "ENC[1-9f3a1c07,]",
            "ENC[1-9f3a1c07,A=]",
            "ENC[1-9f3a1c07,A]\n",
            "ENC[1-9f3a1c07, A]",
            " ENC[1-9f3a1c07,A]",
        ),
        *(
            "ENC[0-9f3a1c07,A]",
            "ENC[01-9f3a1c07,A]",
            "ENC[1-9F3A1C07,A]",
            "ENC[1-9f3a1c0,A]",
            "ENC[1,A]",
            "enc[1-9f3a1c07,A]",
            "ENC[1-9f3a1c07,+/]",
        ),
        *("ENC[1-9f3a1c07,A]]", "ENC[1-9f3a1c07,A,B]", "ENC[1234567890-9f3a1c07,A]"),
    ],
)
def test_what_is_no_token(text: str) -> None:
    """Nearly a sealed value is text like any other, of no epoch."""
    assert not is_token(text)
    assert epoch_of(text) == ""


@pytest.mark.parametrize("value", [None, 1, ["ENC[1-9f3a1c07,A]"], b"ENC[1-9f3a1c07,A]"])
def test_only_text_is_a_token(value: object) -> None:
    """A token inside a list is a value in the clear."""
    assert not is_token(value)


def test_epochs_have_a_total_order() -> None:
    """By number, then by key, so that two rotations at once order alike everywhere; no epoch comes first."""
    ordered = ["", "1-00000000", "1-ffffffff", "2-00000000", "9-aaaaaaaa", "10-00000000", "999999999-ffffffff"]
    assert all(epoch_order(a) < epoch_order(b) for a, b in pairwise(ordered))
    assert epoch_order("") == (0, "")
