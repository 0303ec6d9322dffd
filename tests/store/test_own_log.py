"""What git takes out of a clone's unpushed commits, or of others' with a squash, is in the next commit, the log with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.memory.auditing.log import log
from gitmem.memory.committing.events import every_event
from gitmem.memory.founding.cloning import clone as copy
from gitmem.memory.members.joining import add_member
from gitmem.memory.members.requesting import request
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, open_memory, person, share

LESSON = {"pattern": "no route to host", "fix": "plug it in"}


@dataclass
class Clone:
    """A clone with one record, used once in a commit of its own."""

    memory: Memory
    git: Git
    record: str

    def sound(self, fixed: int) -> None:
        """Every use is counted and told of once, and the log explains every change."""
        assert self.memory.verify().problems == []
        assert self.memory.get(self.record).usage.fixed == fixed
        assert sum(event["op"] == "used" for event in every_event(self.memory.context)) == fixed
        assert sum(entry.raised.get("fixed", 0) for entry in log(self.git.path, kind="pattern")) == fixed
        assert self.git("status", "--porcelain") == ""

    def tree(self) -> str:
        """The tree at HEAD."""
        return self.git("rev-parse", "HEAD^{tree}")


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """It has never been shared."""
    found(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        record = memory.learn("pattern", LESSON).id
        memory.commit()
        memory.used(record, fixed=True)
        memory.commit()
        yield Clone(memory, Git(tmp_path / "store"), record)


def _soft(clone: Clone) -> None:
    clone.git("reset", "--quiet", "--soft", "HEAD~1")
    clone.git("commit", "--quiet", "--message=again")


def _mixed(clone: Clone) -> None:
    clone.git("reset", "--quiet", "HEAD~1")
    clone.memory.commit()


def _in_part(clone: Clone) -> None:
    clone.git("reset", "--quiet", "HEAD~1")
    clone.git("add", "memory")
    clone.git("commit", "--quiet", "--message=only the records")


def _amended(clone: Clone) -> None:
    clone.git("commit", "--quiet", "--amend", "--message=again")


def _squashed(clone: Clone) -> None:
    clone.git("branch", "topic")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    clone.git("merge", "--quiet", "--squash", "topic")
    clone.git("commit", "--quiet", "--message=again")


@pytest.mark.parametrize("way", [_soft, _mixed, _in_part, _amended, _squashed])
def test_a_commit_made_again(clone: Clone, way: Callable[[Clone], None]) -> None:
    """It holds what it held, byte for byte: the segment and the batch are no leftovers, and nobody signs twice."""
    before = clone.tree()
    way(clone)
    assert clone.tree() == before
    clone.sound(fixed=1)


@pytest.mark.parametrize("back", [1, 2])
@pytest.mark.parametrize("by_hand", [False, True])
def test_what_is_written_after_a_reset(clone: Clone, back: int, by_hand: bool) -> None:
    """Each entry says what its own write did: what was told before the reset is not told again with what came after."""
    clone.git("reset", "--quiet", "--soft", f"HEAD~{back}")
    clone.memory.used(clone.record, fixed=True)
    clone.memory.edit(clone.record, {"fix": "try again"})
    if by_hand:
        clone.git("add", "--all")
        clone.git("commit", "--quiet", "--message=by hand")
    clone.memory.commit()
    clone.sound(fixed=2)
    told = [(entry.op, entry.raised) for entry in log(clone.git.path, kind="pattern")]
    assert told == [("edit", {"fixed": 1}), ("use", {"fixed": 1}), ("learn", {})]
    assert len({entry.after for entry in log(clone.git.path, kind="pattern")}) == 3


def test_a_squash_of_a_branch_that_git_has_no_other_word_of(clone: Clone) -> None:
    """HEAD stood there too long ago for git's log of it."""
    before = clone.tree()
    clone.git("branch", "topic")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    clone.git("reflog", "expire", "--expire=now", "--all")
    clone.git("merge", "--quiet", "--squash", "topic")
    clone.memory.commit()
    assert clone.tree() == before
    clone.sound(fixed=1)


def _merged(git: Git) -> None:
    git("merge", "--quiet", "--squash", "origin/main")


def _picked(git: Git) -> None:
    git("cherry-pick", "--no-commit", "HEAD..origin/main")


def _without_a_branch(git: Git) -> None:
    git("update-ref", "-d", "refs/remotes/origin/main")
    git("pull", "--quiet", "--squash", git("remote", "get-url", "origin"), "main")


@pytest.mark.parametrize("way", [_merged, _picked, _without_a_branch])
@pytest.mark.parametrize(("by_hand", "diverged"), [(False, False), (True, False), (True, True)])
def test_a_squash_of_what_others_wrote(
    clone: Clone, tmp_path: Path, way: Callable[[Git], None], by_hand: bool, diverged: bool
) -> None:
    """Their log comes along, and what it vouches for is not signed for as an edit by hand of whoever squashes."""
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "team.git")
    share(clone.git.path, tmp_path / "team.git")
    copy(str(tmp_path / "team.git"), str(tmp_path / "other"))
    if diverged:
        clone.memory.edit(clone.record, {"meaning": "a cable"})
        clone.memory.commit()
    with open_memory(tmp_path / "other") as other:
        other.used(clone.record, fixed=True)
        other.edit(clone.record, {"fix": "try again"})
        other.commit()
        other.learn("note", {"type": "semantic", "text": "another"})
        other.sync()
    clone.git("fetch", "--quiet")
    way(clone.git)
    if by_hand:
        clone.git("commit", "--quiet", "--message=squashed")
    report = clone.memory.sync()
    assert report.problems == []
    assert diverged or clone.tree() == Git(tmp_path / "other")("rev-parse", "HEAD^{tree}")
    assert not log(clone.git.path, op="hand")
    clone.sound(fixed=2)


def test_leftovers_of_a_killed_commit_go(clone: Clone) -> None:
    """A segment of ours that no commit ever held is none: the journal has what it says."""
    segment = sorted(clone.git("ls-files", "log/audit").splitlines())[-1]
    left = clone.git.path / segment.replace("000003", "000004")
    left.write_bytes((clone.git.path / segment).read_bytes())
    clone.memory.used(clone.record, fixed=True)
    clone.memory.commit()
    clone.sound(fixed=2)


@pytest.mark.parametrize("since", [False, True])
def test_a_commit_that_a_rebase_left_out(clone: Clone, since: bool) -> None:
    """A later segment says that there was one: it is in the next commit, with what it did, joined with what was done since."""
    used = clone.git("rev-parse", "HEAD")
    clone.memory.learn("note", {"type": "semantic", "text": "another"})
    clone.memory.commit()
    clone.git("rebase", "--quiet", "--onto", f"{used}~1", used)
    assert clone.memory.verify().problems
    if since:
        clone.memory.edit(clone.record, {"fix": "try again"})
    clone.memory.sync()
    clone.sound(fixed=1)
    assert clone.memory.get(clone.record).fields["fix"] == ("try again" if since else LESSON["fix"])
    tip = clone.git("rev-parse", "HEAD")
    clone.memory.sync()
    assert clone.git("rev-parse", "HEAD") == tip


def test_a_member_whom_a_rebase_left_out(clone: Clone, tmp_path: Path) -> None:
    """Who was let in by the commit is a member still, and has the key."""
    bob = person(tmp_path / "bob")
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "team.git")
    share(clone.git.path, tmp_path / "team.git")
    copy(str(tmp_path / "team.git"), str(tmp_path / "other"))
    with open_memory(tmp_path / "other", bob) as other:
        add_member(clone.memory.context, request(other.context, bob.identity()[0], "bob"))
        clone.memory.edit(clone.record, {"fix": "try again"})
        clone.memory.commit()
        clone.git("rebase", "--quiet", "--onto", "HEAD~2", "HEAD~1")
        clone.memory.sync()
        clone.sound(fixed=1)
        other.sync()
        assert other.get(clone.record).fields["fix"] == "try again"


def test_a_gap_that_nothing_can_fill(clone: Clone) -> None:
    """git keeps no log of where HEAD stood: the gap is named, and everything else goes on."""
    used = clone.git("rev-parse", "HEAD")
    clone.memory.learn("note", {"type": "semantic", "text": "another"})
    clone.memory.commit()
    clone.git("rebase", "--quiet", "--onto", f"{used}~1", used)
    clone.git("reflog", "expire", "--expire=now", "--all")
    for _ in range(2):
        clone.memory.used(clone.record, fixed=True)
        clone.memory.commit()
    assert {problem.what for problem in clone.memory.verify().problems} == {"missing segment"}


def _older(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "HEAD~1", "--", ".")


def _shorter(clone: Clone) -> None:
    clone.git("restore", "--source", "HEAD~1", "--staged", "--worktree", ".")
    assert b"gitmem commit" in clone.git.run("commit", "--message=as it was").stderr


@pytest.mark.parametrize("way", [_older, _shorter])
def test_an_older_state_staged(clone: Clone, way: Callable[[Clone], None]) -> None:
    """It takes nothing back, and after a commit by gitmem nothing of it is left in git's index."""
    before = clone.tree()
    way(clone)
    clone.memory.commit()
    assert clone.tree() == before
    clone.sound(fixed=1)


def test_a_damaged_segment_is_not_built_upon(clone: Clone, tmp_path: Path) -> None:
    """A bit flips in the end of each chain in the work tree: what is signed next goes on from what HEAD holds."""
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "team.git")
    share(clone.git.path, tmp_path / "team.git")
    copy(str(tmp_path / "team.git"), str(tmp_path / "other"))
    with open_memory(tmp_path / "other") as other:
        other.used(clone.record, fixed=True)
        other.sync()
    clone.git("pull", "--quiet")
    for path in clone.git("ls-files", "log/audit").splitlines():
        file = clone.git.path / path
        file.write_text(file.read_text().replace('"op":"events"', '"op":"evenus"'))
    clone.memory.used(clone.record, fixed=True)
    assert clone.memory.commit()
    clone.git("checkout", "--quiet", "HEAD", "--", "log")
    clone.sound(fixed=3)


class _KilledError(BaseException):
    """A process that ends here."""


def test_a_killed_commit_that_git_undid(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when the branch had moved and no file was written; `git commit -a` then takes the segment out unseen."""

    def killed(*_: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr("gitmem.memory.committing.commit._put", killed)
        clone.memory.learn("note", {"type": "semantic", "text": "another"})
        with pytest.raises(_KilledError):
            clone.memory.commit()
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--no-verify", "--message=by hand")
    clone.memory.learn("note", {"type": "semantic", "text": "a third"})
    clone.memory.sync()
    clone.sound(fixed=1)
    assert len(clone.memory.records("note")) == 2
