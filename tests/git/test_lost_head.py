"""A HEAD that was cut off or damaged: it is told where it stood without git, which takes this for no repository then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.git.lost_head import is_lost, put_back, where_it_stood
from gitmem.git.repo import Repo
from tests.support.git import Git

DAMAGED = (None, b"", b"\0" * 21, b"ref: rafs/heads/main\n", b"\xff\xfe", b"ref: ")


def nothing(git: Git) -> None:
    """HEAD stays on the branch it began on."""


def switched(git: Git) -> None:
    """To another branch and a third, of which no commit tells."""
    git("switch", "--quiet", "--create", "topic/one")
    git("switch", "--quiet", "--create", "topic/two")


def packed(git: Git) -> None:
    """The branches are in one file."""
    switched(git)
    git("pack-refs", "--all")


def detached(git: Git) -> None:
    """At a commit that no branch is at."""
    git("switch", "--quiet", "--detach")
    git.commit("on none")


def rebased(git: Git) -> None:
    """A rebase leaves a branch and comes back to it."""
    git("switch", "--quiet", "--create", "topic", "HEAD~1")
    git.commit("on topic", {"t": "t"})
    git("rebase", "--quiet", "main")


def renamed(git: Git) -> None:
    """The branch has another name now."""
    switched(git)
    git("branch", "--move", "topic/three")


def unlogged(git: Git) -> None:
    """There is no log, and one branch."""
    (git.path / ".git/logs/HEAD").unlink()


WAYS = (nothing, switched, packed, detached, rebased, renamed, unlogged)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_stands_where_it_stood(make_repo: Callable[..., Git], way: Callable[[Git], None]) -> None:
    """On the same branch, or at the same commit, with the same index and work tree; git works again."""
    git = make_repo()
    git.commit("one", {"a": "1"})
    git.commit("two", {"a": "2"})
    way(git)
    repo, head = Repo.find(git.path), git.path / ".git/HEAD"
    before = head.read_bytes()
    assert not is_lost(repo)
    for content in DAMAGED:
        head.unlink()
        if content is not None:
            head.write_bytes(content)
        assert is_lost(repo)
        stood = where_it_stood(repo)
        assert stood is not None
        put_back(repo, stood)
        assert head.read_bytes() == before, content
        assert git("status", "--porcelain") == ""


def test_a_linked_work_tree_has_its_own(make_repo: Callable[..., Git], tmp_path: Path) -> None:
    """What the main work tree has checked out is none of its business."""
    git = make_repo()
    git.commit("one", {"a": "1"})
    git("worktree", "add", "--quiet", "-b", "beside", tmp_path / "beside")
    repo = Repo.find(tmp_path / "beside")
    (repo.git_dir / "HEAD").write_bytes(b"")
    assert is_lost(repo)
    assert not is_lost(Repo.find(git.path))
    assert where_it_stood(repo) == "ref: refs/heads/beside"


def test_nothing_is_guessed(make_repo: Callable[..., Git]) -> None:
    """Several branches at one commit and no word of which: a person has to say."""
    git = make_repo()
    git.commit("one", {"a": "1"})
    git("branch", "other")
    (git.path / ".git/logs/HEAD").unlink()
    repo = Repo.find(git.path)
    (git.path / ".git/HEAD").write_bytes(b"")
    assert where_it_stood(repo) is None
