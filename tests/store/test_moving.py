"""A process killed between moving the branch and writing index and work tree is finished by the next one.

What the killed process leaves is made by hand here, step by step; `tests/faults` kills real ones at random moments.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, open_memory, share


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two commits of records."""
    found(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        for text in ("one", "two"):
            memory.learn("note", {"type": "semantic", "text": text})
            memory.commit()
    return tmp_path / "store"


def _was_moving(store: Path, old: str, target: str = "") -> None:
    with open_memory(store) as memory:
        memory.context.store.marks.set_note("moving", f"{old} {target}")


def _clean(store: Path) -> bool:
    return Git(store)("status", "--porcelain") == ""


def _texts(memory: Memory) -> set[str]:
    return {record.fields["text"] for record in memory.records("note")}


def test_the_index_follows_a_killed_commit(store: Path) -> None:
    """The branch has moved, git's index has not: the next commit brings it along, and commits nothing."""
    git = Git(store)
    head = git("rev-parse", "HEAD")
    git("read-tree", "HEAD~1")
    _was_moving(store, git("rev-parse", "HEAD~1"))
    assert not _clean(store)
    with open_memory(store) as memory:
        assert memory.commit() is None
    assert _clean(store)
    assert git("rev-parse", "HEAD") == head


def test_plain_git_finds_it_finished_as_well(store: Path) -> None:
    """The hook does the same before git commits something else."""
    git = Git(store)
    git("read-tree", "HEAD~1")
    _was_moving(store, git("rev-parse", "HEAD~1"))
    (store / "README").write_text("read me")
    git("add", "README")
    git("commit", "--quiet", "--message", "a file of the team's")
    assert _clean(store)
    assert git("show", "--format=", "--name-only") == "README"
    with open_memory(store) as memory:
        assert memory.verify().problems == []


def test_files_follow_a_killed_merge(store: Path) -> None:
    """The branch has moved, index and work tree have not: they follow, and a file somebody edits meanwhile is left alone."""
    git = Git(store)
    (store / "README").write_text("read me")
    git("add", "README")
    git("commit", "--quiet", "--message", "a file of the team's")
    git("checkout", "--quiet", "--detach", "HEAD~2")
    git("update-ref", "HEAD", "main")
    git("symbolic-ref", "HEAD", "refs/heads/main")
    (store / "README").write_text("something else")
    _was_moving(store, git("rev-parse", "HEAD~2"))
    with open_memory(store) as memory:
        memory.commit()
        assert _texts(memory) == {"one", "two"}
        assert memory.verify().problems == []
    assert git("status", "--porcelain") == " M README"
    assert (store / "README").read_text() == "something else"


def test_files_go_back_where_a_killed_fast_forward_wrote_some(store: Path, bare_remote: Path) -> None:
    """The branch has not moved, some files have: they go back, and the next sync does it again."""
    share(store, bare_remote)
    other = store.parent / "other"
    clone(str(bare_remote), str(other))
    old = Git(other)("rev-parse", "HEAD")
    with open_memory(store) as memory:
        memory.learn("note", {"type": "semantic", "text": "three"})
        memory.sync()
    git = Git(other)
    git("fetch", "--quiet")
    target = git("rev-parse", "origin/main")
    changed = git("diff", "--name-only", old, target).splitlines()
    assert len(changed) > 2
    git("checkout", target, "--", changed[0])  # in index and work tree
    (other / changed[1]).parent.mkdir(parents=True, exist_ok=True)
    (other / changed[1]).write_bytes(git.raw("cat-file", "blob", f"{target}:{changed[1]}"))  # in the work tree alone
    _was_moving(other, old, target)
    with open_memory(other) as memory:
        assert memory.sync().problems == []
        assert _texts(memory) == {"one", "two", "three"}
    assert _clean(other)
    assert git("rev-parse", "HEAD") == target


def test_an_orphan_branch_begun_meanwhile_keeps_what_it_is_to_begin_with(store: Path) -> None:
    """Between the killed commit and the next command somebody starts history over: index and files are not taken away."""
    git = Git(store)
    before = git("ls-files", "--stage")
    _was_moving(store, git("rev-parse", "HEAD~1"))
    git("checkout", "--quiet", "--orphan", "anew")
    with open_memory(store) as memory:
        assert _texts(memory) == {"one", "two"}
        memory.learn("note", {"type": "semantic", "text": "three"})
        with pytest.raises(GitmemError, match=r"the branch anew has no commit yet, and the log of .* begins on another"):
            memory.commit()
        assert git("ls-files", "--stage") == before
        git("checkout", "--quiet", "--force", "main")
        memory.commit()
        assert _texts(memory) == {"one", "two", "three"}
        assert memory.verify().problems == []


def test_a_forgotten_start_is_no_obstacle(store: Path) -> None:
    """A commit that git has collected since cannot be compared with; the note is dropped."""
    _was_moving(store, "1" * 40, "2" * 40)
    with open_memory(store) as memory:
        assert memory.commit() is None
        assert memory.context.store.marks.note("moving") == ""
    assert _clean(store)
