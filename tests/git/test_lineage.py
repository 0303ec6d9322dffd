"""What commits made of paths, against each parent, in every shape a history can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.git.lineage import Step, walk
from gitmem.git.repo import Repo
from gitmem.git.underway import under_way
from tests.support.git import Git


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Two branches that have changed `a`, merged with the content of `main`."""
    git = Git(tmp_path / "repo")
    git.path.mkdir()
    git("init", "--quiet")
    git.commit("first", {"memory/a": "1", "memory/b": "1", "other": "1"})
    git("branch", "side")
    git.commit("main", {"memory/a": "main"})
    git("checkout", "--quiet", "side")
    git.commit("side", {"memory/a": "side", "memory/c": "new", "other": "2"})
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "-s", "ours", "--no-edit", "side")
    return git


def _told(git: Git, steps: list[Step]) -> list[tuple[str, str, str | None, list[str | None]]]:
    """(subject, path, new content, old contents) of each step."""

    def content(entry: object) -> str | None:
        return None if entry is None else git("cat-file", "blob", entry.id)  # type: ignore[attr-defined]

    return [(git("log", "-1", "--format=%s", s.commit), s.path, content(s.new), [content(o) for o in s.olds]) for s in steps]


def test_each_parent_counts(git: Git) -> None:
    """A path that a merge holds as one parent does, and not as the other, is a step with both."""
    steps = _told(git, list(walk(Repo.find(git.path), "HEAD", None, ["memory"])))
    assert [step for step in steps if step[0].startswith("Merge")] == [
        ("Merge branch 'side'", "memory/a", "main", ["main", "side"]),
        ("Merge branch 'side'", "memory/c", None, [None, "new"]),
    ]
    assert ("first", "memory/a", "1", [None]) in steps
    assert ("main", "memory/a", "main", ["1"]) in steps
    assert not any(step[1] == "other" for step in steps)


def test_a_range_begins_after_what_was_examined(git: Git) -> None:
    """Commits that the other end reaches are left out; an end that is gone leaves nothing out."""
    repo = Repo.find(git.path)
    assert list(walk(repo, "HEAD", git("rev-parse", "HEAD"), ["memory"])) == []
    some = {step.commit for step in walk(repo, "HEAD", git("rev-parse", "HEAD~1"), ["memory"])}
    assert some == {git("rev-parse", "HEAD"), git("rev-parse", "side")}
    assert list(walk(repo, "HEAD", "1" * 40, ["memory"])) == list(walk(repo, "HEAD", None, ["memory"]))


def test_a_shallow_clone_has_what_it_has(git: Git, tmp_path: Path) -> None:
    """Where parents are missing a commit is held against nothing."""
    git("clone", "--quiet", "--depth", "1", f"file://{git.path}", tmp_path / "shallow")
    steps = list(walk(Repo.find(tmp_path / "shallow"), "HEAD", None, ["memory"]))
    assert [(step.path, step.olds) for step in steps] == [("memory/a", (None,)), ("memory/b", (None,))]


def test_replaced_commits_are_not_believed(git: Git) -> None:
    """`git replace` shows other commits; what was committed is what counts."""
    before = list(walk(Repo.find(git.path), "HEAD", None, ["memory"]))
    git("replace", git("rev-parse", "HEAD"), git("rev-parse", "HEAD~1"))
    assert list(walk(Repo.find(git.path), git("rev-parse", "HEAD"), None, ["memory"])) == before


def test_nothing_is_under_way_in_a_clean_clone(git: Git) -> None:
    """A merge that stopped is, with the commit it brings in."""
    assert under_way(Repo.find(git.path)) is None
    git("checkout", "--quiet", "-b", "third", "main~1")
    git("merge", "side", check=False)
    now = under_way(Repo.find(git.path))
    assert now is not None
    assert (now.name, now.merging) == ("merge", (git("rev-parse", "side"),))
