"""What an auditor asks is answered or refused: a store that does not open, and a word that the log does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.store.layout import CONFIG
from tests.cli.conftest import Seat
from tests.support.cli import Cli
from tests.support.git import Git


def _spoil(ada: Seat, how: str) -> None:
    config = ada.path / CONFIG
    if how == "removed":
        config.unlink()
    else:
        config.write_bytes(config.read_bytes() + b"zz: 1\n")


@pytest.mark.parametrize("how", ["removed", "spoiled"])
def test_a_configuration_that_is_not_there_is_a_verdict(ada: Seat, place: Path, how: str) -> None:
    """Whether the work tree alone lacks it or every clone, one made by plain git too: exit code 15, with the file."""
    _spoil(ada, how)
    assert [one["where"] for one in ada("audit", "verify", "--json").expect(15).json["problems"]] == [CONFIG]
    git = Git(ada.path)
    git("commit", "--quiet", "--all", "--no-verify", "--message", "spoiled")
    git("push", "--quiet", "--no-verify", "origin", "HEAD:main")
    git("clone", "--quiet", place / "remote.git", place / "auditor")
    for folder in (ada.path / "log", place / "auditor"):
        found = Cli(folder)("audit", "verify", "--json").expect(15).json
        assert found["problems"]
        assert all(one["where"].startswith(CONFIG) for one in found["problems"])
        assert found["entries"] > 3


def test_where_there_is_no_store_there_is_no_verdict(place: Path) -> None:
    """Neither in a directory nor in a repository without one."""
    for folder in (place / "none", place / "code"):
        folder.mkdir()
    Git(place)("init", "--quiet", "code")
    for folder in (place / "none", place / "code"):
        assert Cli(folder)("audit", "verify").expect(10).err.startswith("error: there is no gitmem store")


@pytest.mark.parametrize(
    ("asked", "error", "hint"),
    [
        (("--op", "lear"), "the log knows no operation 'lear'; did you mean 'learn'?", "the operations are: archive, attest"),
        (("--kind", "pattren"), "the log knows no kind 'pattren'; did you mean 'pattern'?", "the kinds are: context"),
        (("--member", ""), "the log knows no member ''", "the members are: ada, bob, recovery"),
        (("--member", "nobody"), "the log knows no member 'nobody'", "the members are: ada, bob, recovery"),
        (("--op", "read"), "'read' is no change", "with --acts"),
        (("--acts", "--op", "learn"), "'learn' is a change", "without --acts"),
    ],
)
def test_a_word_that_the_log_does_not_know(ada: Seat, asked: tuple[str, ...], error: str, hint: str) -> None:
    """It is no empty answer, which would be taken for a clean log."""
    told = ada("audit", "log", *asked, "--json").expect(2).error
    assert told["error"] == error
    assert told["hint"].startswith(hint)


def test_a_word_that_nothing_is_told_of(ada: Seat) -> None:
    """Whoever is a member and did nothing, and what nobody did yet, are an empty answer."""
    assert ada("audit", "log", "--op", "erase", "--kind", "quirk", "--json").ok().json["entries"] == []
    assert ada("audit", "export", "--member", "recovery").ok().out == ""
    assert ada("audit", "export", "--op", "lear").expect(2)
