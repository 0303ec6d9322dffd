"""What git left unmerged without our configuration is settled by the next sync from the commits, not from the markers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem.core.codec import parse
from gitmem.errors import ConflictsLeft, GitmemError
from gitmem.git.underway import under_way
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.memory import Memory
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import found, open_memory

BASE = {"pattern": "no route to host", "fix": "plug it in"}


class Clone:
    """A plain store whose clone has lost everything that was configured; `side` and `main` have changed one record."""

    def __init__(self, memory: Memory, root: Path) -> None:
        self.memory = memory
        self.git = Git(root)
        self.root = root
        self.record = memory.learn("pattern", BASE).id
        memory.commit()
        self._unconfigure()
        self.path = self.git("ls-files", f"memory/*{self.record}.yaml")
        self.git("branch", "side")
        self.edit("main's")
        self.git("checkout", "--quiet", "side")
        self.edit("side's")
        memory.used(self.record, fixed=True)
        memory.commit()
        self.git("checkout", "--quiet", "main")

    def _unconfigure(self) -> None:
        for key in ("pull.twohead", "pull.octopus", "merge.gitmem.driver", "merge.gitmem.name"):
            self.git("config", "--unset-all", key, check=False)
        for name in ("pre-commit", "pre-merge-commit"):
            (self.root / ".git" / "hooks" / name).unlink(missing_ok=True)

    def edit(self, fix: str) -> None:
        """Change the fix, and commit it."""
        self.memory.edit(self.record, {"fix": fix})
        self.memory.commit()

    def fixes(self) -> list[str]:
        """All values of the fix in the record at HEAD, in the work tree and in the index, which agree."""
        assert self.git("status", "--porcelain") == ""
        register = parse(self.git.raw("show", f"HEAD:{self.path}"), self.path).fields["fix"]
        return sorted(map(str, register.values()))

    def both(self) -> None:
        """Nothing is lost, and the log explains all of it."""
        assert self.fixes() == ["main's", "side's"]
        assert self.memory.get(self.record).usage.fixed == 1
        assert [(p.what, p.where, p.why) for p in self.memory.verify().problems] == []


@pytest.fixture
def clone() -> Iterator[Clone]:
    """A clone in a file system that need not sync."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name:
        found(Path(name, "a"), plain=True)
        with open_memory(Path(name, "a")) as memory:
            yield Clone(memory, Path(name, "a"))


def _unmerged(clone: Clone) -> None:
    assert "<<<<" in (clone.root / clone.path).read_text()


def _markers_added(clone: Clone) -> None:
    clone.git("add", "--all")


def _ours_staged(clone: Clone) -> None:
    clone.git("checkout", "--ours", "--", clone.path)
    clone.git("add", clone.path)


def _theirs_staged(clone: Clone) -> None:
    clone.git("checkout", "--theirs", "--", clone.path)
    clone.git("add", clone.path)


def _removed(clone: Clone) -> None:
    clone.git("rm", "--quiet", "--force", clone.path)


STATES: list[Callable[[Clone], None]] = [_unmerged, _markers_added, _ours_staged, _theirs_staged, _removed]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.strip("_"))
def test_a_merge_that_stopped_is_settled_and_concluded(clone: Clone, state: Callable[[Clone], None]) -> None:
    """However far a person has come with it: `sync` makes the merge commit, with both values in it."""
    clone.git("merge", "side", check=False)
    state(clone)
    clone.memory.sync()
    assert len(clone.git("log", "-1", "--format=%P").split()) == 2
    assert not (clone.root / ".git" / "MERGE_HEAD").exists()
    clone.both()


def test_a_merge_is_concluded_where_git_is_to_sign(clone: Clone) -> None:
    """Nobody need be there to unlock the key: the commit is as unsigned as all that gitmem makes."""
    clone.git("merge", "side", check=False)
    clone.git("config", "commit.gpgSign", "true")
    clone.git("config", "gpg.program", "false")
    clone.memory.sync()
    clone.both()


def test_conflicts_in_other_files_are_left_alone(clone: Clone) -> None:
    """The record is settled, the user's file keeps its markers; once it is added the sync goes on."""
    clone.git.commit("main", {"notes.txt": "main\n"})
    clone.git("checkout", "--quiet", "side")
    clone.git.commit("side", {"notes.txt": "side\n"})
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "side", check=False)
    with pytest.raises(ConflictsLeft, match=r"notes\.txt"):
        clone.memory.sync()
    assert clone.git("ls-files", "--unmerged", "memory") == ""
    assert "<<<<" in (clone.root / "notes.txt").read_text()
    (clone.root / "notes.txt").write_text("both\n")
    clone.git("add", "notes.txt")
    clone.memory.sync()
    assert (clone.root / "notes.txt").read_text() == "both\n"
    clone.both()


@pytest.mark.parametrize("what", ["rebase", "cherry-pick", "revert", "am"])
def test_what_is_no_merge_is_settled_and_left_to_its_continue(clone: Clone, what: str) -> None:
    """The store's files are settled; the error names the command that goes on, and that command works."""
    if what == "rebase":
        clone.git("rebase", "side", check=False)
    elif what == "cherry-pick":
        clone.git("cherry-pick", "side", "side~1", check=False)
    elif what == "am":
        patch = clone.git.raw("format-patch", "--stdout", "main..side")
        clone.git.run("am", "-3", stdin=patch)
    else:
        clone.edit("third")
        clone.git("revert", "--no-edit", "HEAD~1", check=False)
    for _ in range(4):
        with pytest.raises(GitmemError, match="under way") as raised:
            clone.memory.sync()
        command = raised.value.hint.split("`")[1].split()[1:]
        clone.git("-c", "core.editor=true", *command, check=False)
        if under_way(clone.memory.context.store.repo) is None:
            break
    clone.memory.sync()
    if what == "revert":
        assert clone.fixes() == ["third"]
    else:
        assert clone.fixes() == ["main's", "side's"]


def test_a_stash_that_does_not_apply_is_settled(clone: Clone) -> None:
    """`git stash pop` names no commit: the versions in the index are joined, and the next commit has both."""
    clone.git("checkout", "--quiet", "side")
    state = (clone.root / clone.path).read_bytes()
    clone.git("checkout", "--quiet", "main")
    clone.git("checkout", "--quiet", "main~1")
    (clone.root / clone.path).write_bytes(state)
    clone.git("stash")
    clone.git("checkout", "--quiet", "main")
    clone.git("stash", "pop", check=False)
    _unmerged(clone)
    clone.memory.sync()
    assert clone.fixes() == ["main's", "side's"]


def test_a_record_taken_for_another_is_settled(clone: Clone) -> None:
    """git takes a record that went on one side for renamed, and merges another's changes into it: both come out whole."""
    clone.git("rm", "--quiet", clone.path)
    clone.git("commit", "--quiet", "-m", "removed by hand")
    other = clone.memory.learn("pattern", BASE | {"pattern": "no route to hosts", "fix": "main's"}).id
    clone.memory.commit()
    clone.git("merge", "side", check=False)
    clone.memory.sync()
    assert clone.fixes() == ["main's", "side's"]
    assert clone.memory.get(other).fields["pattern"] == "no route to hosts"


def test_what_was_recorded_meanwhile_is_kept(clone: Clone) -> None:
    """A use that is journalled while the record is in conflict is in the commit that follows."""
    clone.git("merge", "side", check=False)
    clone.git("checkout", "--ours", "--", clone.path)
    clone.memory.used(clone.record, fixed=True)
    clone.git("checkout", "--merge", "--", clone.path)
    clone.memory.sync()
    assert clone.fixes() == ["main's", "side's"]
    assert clone.memory.get(clone.record).usage.fixed == 2


@pytest.mark.parametrize("content", [b"", b"0" * 39, b"1" * 40 + b"\n"], ids=["empty", "cut", "unknown"])
def test_a_merge_whose_head_was_cut_off(clone: Clone, content: bytes) -> None:
    """git had no room for MERGE_HEAD, or a power loss emptied it: everything says so, and `doctor --fix` ends it."""
    clone.git("merge", "side", check=False)
    head = clone.root / ".git/MERGE_HEAD"
    head.write_bytes(content)
    for act in (clone.memory.commit, clone.memory.sync):
        with pytest.raises(GitmemError, match="MERGE_HEAD names no commit") as told:
            act()
        assert told.value.hint == "gitmem doctor --fix"
    assert [check.ok for check in doctor(clone.memory.context) if check.name == "merge"] == [False]
    assert [check.name for check in doctor(clone.memory.context, fix=True) if not check.ok] == []
    assert not head.exists()
    assert clone.fixes() == ["main's", "side's"]  # as far as the index tells
    clone.git("merge", "side")
    clone.both()


@pytest.mark.parametrize("message", ["whole", "empty", "missing"])
def test_doctor_settles_it_too(clone: Clone, message: str) -> None:
    """`doctor` names the merge, `doctor --fix` concludes it, also where git had not written its message."""
    clone.git("merge", "side", check=False)
    if message != "whole":
        (clone.root / ".git/MERGE_MSG").unlink()
    if message == "empty":
        (clone.root / ".git/MERGE_MSG").touch()
    assert [check.ok for check in doctor(clone.memory.context) if check.name == "merge"] == [False]
    doctor(clone.memory.context, fix=True)
    clone.both()
