"""What rank an entry takes is judged by what it changes or vouches for, whatever it is called."""

from __future__ import annotations

import pytest

from gitmem.core.auditing.audit import ATTEST, CLOSE, REWRITE, Entry
from gitmem.core.membership.members import Rank
from gitmem.core.membership.rights import rank_for

SAME = "a" * 64


def entry(op: str, path: str, before: str | None, after: str | None) -> Entry:
    """An entry of cyd's about one file."""
    return Entry("s-one", "cydcydcy-1", 1, "0" * 64, {}, "2026-11-28T10:00:00Z", op, "cyd", path, before, after, {}, "")


@pytest.mark.parametrize(
    ("path", "rank"),
    [
        ("memory/team/note/aa/n-aa1.yaml", Rank.SERVICE),
        (".gitmem/config.yaml", Rank.MEMBER),
        (".gitmem/keys/team/2-0123abcd/eve.age", Rank.ADMIN),
    ],
)
def test_vouching_for_a_content_takes_what_writing_it_takes(path: str, rank: Rank) -> None:
    """An entry that changes nothing speaks for what somebody else put there: a reader's word would let anything in."""
    told = entry(ATTEST, path, SAME, SAME)
    assert rank_for(told, "cyd", restores=False, strict=True) is rank


def test_who_says_that_history_was_rewritten_is_an_admin() -> None:
    """The notice lies in the configuration, which every member changes; it sends all clones to another history."""
    told = entry(REWRITE, ".gitmem/config.yaml", SAME, "b" * 64)
    assert rank_for(told, "cyd", restores=False, strict=True) is Rank.ADMIN


def test_who_reads_closes_their_own_chain() -> None:
    """That is all a reader has to say beside their own key."""
    assert rank_for(entry(CLOSE, "log/audit/cydcydcy-1", None, None), "cyd", restores=False, strict=True) is Rank.READER
