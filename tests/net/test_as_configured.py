"""A sync takes in what it fetches, whatever the user's configuration makes of `git merge`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitmem.errors import ConflictsLeft, GitmemError, RemoteError
from tests.net.team import Team, moved, note

SETTINGS = [
    ("merge.ff", "only"),
    ("merge.verifySignatures", "true"),
    ("pull.twohead", "ours"),
    ("branch.main.mergeOptions", "--squash"),
    ("branch.main.mergeOptions", "--no-commit --no-ff"),
]


@pytest.fixture
def both(team: Callable[..., Team]) -> Team:
    """Ada and Bob, whose clones hold a README."""
    both = team()
    both.git("ada").commit("begin", {"README": "begin\n"})
    both.settle()
    return both


@pytest.mark.parametrize(("key", "value"), SETTINGS)
def test_whatever_git_merge_is_to_do(both: Team, key: str, value: str) -> None:
    """Bob fast-forwards; then both have changed the README, and git's conflict is there for Bob to settle, records and all."""
    bob = both.git("bob")
    bob("config", key, value)
    note(both.ada, "one")
    both.ada.sync()
    assert moved(both.bob.sync()) == (0, 1)
    assert bob("status", "--porcelain") == ""
    note(both.ada, "two")
    both.git("ada").commit("of Ada's", {"README": "ada\n"})
    both.ada.sync()
    note(both.bob, "three")
    bob.commit("of Bob's", {"README": "bob\n"})
    with pytest.raises(ConflictsLeft, match="README"):
        both.bob.sync()
    assert "<<<<" in (bob.path / "README").read_text()
    (bob.path / "README").write_text("settled\n")
    bob("add", "README")
    bob("commit", "--quiet", "--no-edit")
    both.settle()
    both.agree("one", "two", "three")
    assert (both.git("ada").path / "README").read_text() == "settled\n"


def test_a_remote_that_git_push_mirrors_to(both: Team) -> None:
    """A sync pushes the branch it is asked for, and what the remote alone has stays there."""
    ada = both.git("ada")
    ada("push", "--quiet", "origin", "HEAD:refs/heads/only-there")
    ada("branch", "only-here")
    ada("config", "remote.origin.mirror", "true")
    note(both.ada, "one")
    both.settle()
    both.agree("one")
    assert ada("ls-remote", "--heads", "origin").split()[1::2] == ["refs/heads/main", "refs/heads/only-there"]


def test_an_edit_in_the_way_of_a_conflict(both: Team) -> None:
    """Git cannot make the conflict over what is not committed: that is said, not that there is one to settle."""
    bob = both.git("bob")
    for name in ("ada", "bob"):
        both.git(name).commit("changed", {"README": f"{name}\n"})
    both.ada.sync()
    (bob.path / "README").write_text("not committed\n")
    with pytest.raises(GitmemError, match="git cannot merge them now") as raised:
        both.bob.sync()
    assert "git stash" in raised.value.hint
    assert (bob.path / "README").read_text() == "not committed\n"
    bob("checkout", "--", "README")
    with pytest.raises(ConflictsLeft):
        both.bob.sync()


@pytest.mark.parametrize("hooks", [".git/hooks", ".husky"])
def test_a_hook_that_stops_the_push(both: Team, hooks: str) -> None:
    """It is named as what it is, with what it said: the remote has nothing to do with it."""
    ada = both.git("ada")
    ada("config", "core.hooksPath", hooks)
    hook = ada.path / hooks / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on sundays'\necho 'nor today' >&2\nexit 1\n")
    hook.chmod(0o755)
    note(both.ada, "one")
    with pytest.raises(
        RemoteError, match="cannot push to origin: the pre-push hook of this clone refused: not on sundays"
    ) as told:
        both.ada.sync()
    assert "hook" in told.value.hint
    hook.unlink()
    both.settle()
    both.agree("one")
