"""Somebody rewrites the remote's history and pushes it by force: nothing of theirs or ours is lost, and it is shared again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.net.team import Team, note
from tests.support.git import Git

REWRITTEN = "was rewritten; whatever it held before is kept"


def _amended(carol: Git) -> None:
    carol("commit", "--quiet", "--amend", "--allow-empty", "--message", "amended")


def _shorter(carol: Git) -> None:
    carol("reset", "--quiet", "--hard", "HEAD~1")


def _to_a_new_root(carol: Git) -> None:
    carol("switch", "--quiet", "--orphan", "fresh")
    carol("checkout", "main~1", "--", ".")
    carol("commit", "--quiet", "--no-verify", "--message", "a new beginning")
    carol("branch", "--force", "main", "HEAD")
    carol("switch", "--quiet", "main")


def _squashed(carol: Git) -> None:
    first = carol("rev-list", "--max-parents=0", "HEAD")
    carol("reset", "--quiet", "--soft", first)
    carol("commit", "--quiet", "--no-verify", "--message", "all in one")


@pytest.mark.parametrize("rewrite", [_amended, _shorter, _to_a_new_root, _squashed])
def test_rewritten(team: Callable[..., Team], rewrite: Callable[[Git], None]) -> None:
    """What Ada and Bob had synced, what they had only recorded, and what the rewritten history brings: all of it stays."""
    both = team()
    note(both.ada, "shared by ada")
    both.settle()
    note(both.bob, "the last before")
    both.bob.sync()
    carol = both.remote.clone(both.folder / "carol")
    rewrite(carol)
    carol("push", "--quiet", "--force", "origin", "main")
    note(both.ada, "recorded by ada meanwhile")
    first = both.ada.sync()
    assert [REWRITTEN in one for one in first.notes] == [True] * (len(first.notes))
    note(both.bob, "recorded by bob meanwhile")
    assert REWRITTEN in " ".join(both.bob.sync().notes)
    both.settle()
    both.agree("shared by ada", "the last before", "recorded by ada meanwhile", "recorded by bob meanwhile")


def test_fetched_and_then_rewritten(team: Callable[..., Team]) -> None:
    """What a plain `git fetch` brought before the rewriting, and nobody else has any more, is taken in first."""
    both = team()
    note(both.bob, "only fetched")
    both.bob.sync()
    both.git("ada")("fetch", "--quiet")
    both.remote("update-ref", "refs/heads/main", both.git("ada")("rev-parse", "main"))
    (both.folder / "bob").rename(both.folder / "gone")
    report = both.ada.sync()
    assert REWRITTEN in report.notes[0]
    assert [record.fields["text"] for record in both.ada.records("note")] == ["only fetched"]
    assert both.remote("rev-parse", "main") == report.head


def test_deleted(team: Callable[..., Team]) -> None:
    """A branch that somebody deleted is made again by whoever syncs next."""
    both = team()
    note(both.ada, "before")
    both.settle()
    both.remote("config", "receive.denyDeleteCurrent", "ignore")
    both.git("bob")("push", "--quiet", "origin", ":main")
    note(both.ada, "after")
    assert both.ada.sync().pushed > 0
    both.settle()
    both.agree("before", "after")
