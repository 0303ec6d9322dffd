"""`gitmem privacy` from a shell, and what the hook says of a commit that names somebody."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Seat
from tests.support.git import Git


def test_choosing(ada: Seat) -> None:
    """Shown, chosen, shown again; a word that is none is refused."""
    assert ada("privacy", "status", "--json").ok().json["consent"]["ada"] == {"usage": True, "reads": True}
    assert "not logged" in ada("privacy", "opt-out", "reads").ok().err
    assert ada("privacy", "opt-in", "usage", "--json").ok().json == {"usage": True}
    assert ada("privacy", "status").ok().out.splitlines()[0] == "ada\tyes\tno"
    ada("privacy", "opt-out", "everything").expect(2)
    ada("audit", "verify").ok()


def test_commits_that_name_nobody(ada: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    """gitmem's do not from then on, the hook says of git's own that they do."""
    told = ada("privacy", "pseudonyms", "on", "--json").ok().json
    assert told["pseudonyms"]
    git = Git(ada.path)
    assert git("log", "-1", "--format=%an <%ae>").strip() == told["commits_as"]
    ada("learn", "--pattern", "no route", "--fix", "plug it in").ok()
    git("add", "--all")
    monkeypatch.setenv("GITMEM_IDENTITY_FILE", str(ada.key))
    assert "are to name nobody" in git.run("commit", "--quiet", "-m", "by hand").stderr.decode()
    ada("audit", "verify").ok()
