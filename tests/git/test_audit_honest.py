"""No false alarm: whatever git does to honest work, the audit holds."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.merge import normalise
from gitmem.core.record import State
from gitmem.git.repo import Repo
from gitmem.memory.auditing.audit import verify
from tests.support.auditing import edited
from tests.support.auditing_git import Member, path_of, team
from tests.support.git import Git


@pytest.fixture
def ada(tmp_path: Path) -> Member:
    """The founder of a store."""
    (tmp_path / "ada").mkdir()
    return team(Git(tmp_path / "ada"), "ada")[0]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Member, Member]:
    """Two members with a clone each, who both changed the one record `p-shared` since."""
    (tmp_path / "ada").mkdir()
    ada, bob = team(Git(tmp_path / "ada"), "ada", "bob")
    ada.learn("p-shared", fix="old", meaning="old")
    bob.git("pull", "--quiet")
    for member in (ada, bob):
        member.edit("p-shared", fix=f"by {member.name}")
        member.use("p-shared")
        member.use("p-shared", "failed")
        member.learn(f"p-{member.name}")
    return ada, bob


def test_one_line_of_history(ada: Member) -> None:
    """Learned, edited, used, put in and taken out: all of it is explained."""
    ada.learn("p-one")
    ada.edit("p-one", fix="better", meaning="clear")
    ada.use("p-one")
    ada.put(".gitmem/keys/team/1-00000000/ada.age", b"wrapped", "key")
    ada.put(".gitmem/keys/team/1-00000000/ada.age", None, "key")
    ada.put(".gitmem/schemas/mine.json", b"1")
    ada.put(".gitmem/schemas/mine.json", b"2")
    ada.put(".gitmem/schemas/mine.json", b"1")
    report = ada.verify()
    assert report.problems == []
    assert (report.ok, report.writers, report.entries) == (True, 1, 11)


def test_a_store_below_the_top_of_a_repository(tmp_path: Path) -> None:
    """The store may lie in a folder of a repository that holds other things."""
    outer = Git(tmp_path)
    outer("init", "--quiet")
    outer.commit("code", {"src/main.py": "print()"})
    inner = tmp_path / "team" / "memory"
    inner.mkdir(parents=True)
    ada = Member(Git(inner), "ada")
    ada.found()
    ada.learn("p-one")
    ada.edit("p-one", fix="new")
    outer.commit("more code", {"src/main.py": "print(1)", "memory/not-ours.txt": "x"})
    assert verify(Repo.find(tmp_path), "team/memory/").problems == []


def test_merge(pair: tuple[Member, Member]) -> None:
    """A merge needs no entry, and the writes after it are explained like those before."""
    ada, bob = pair
    bob.git("pull", "--quiet", "--no-rebase")
    assert bob.problems() == []
    bob.edit("p-shared", fix="settled")
    ada.edit("p-shared", meaning="meanwhile")
    ada.git("pull", "--quiet", "--no-rebase", bob.root, "main")
    assert ada.problems() == []
    assert ada.read("p-shared").total("fixed") == 2


def test_rebase(pair: tuple[Member, Member]) -> None:
    """After a rebase no commit holds the states that were signed."""
    _, bob = pair
    bob.git("pull", "--quiet", "--rebase")
    assert bob.problems() == []
    assert bob.git("rev-list", "--merges", "HEAD") == ""


def test_cherry_pick(pair: tuple[Member, Member]) -> None:
    """Commits picked one by one onto another line, and the line they came from merged later."""
    ada, bob = pair
    ada.git("fetch", "--quiet", bob.root, "main:bob")
    ada.git("cherry-pick", "main..bob")
    assert ada.problems() == []
    ada.use("p-shared")
    ada.git("merge", "--quiet", "bob")
    assert ada.problems() == []


@pytest.mark.parametrize("more", [0, 2])
def test_squash(pair: tuple[Member, Member], more: int) -> None:
    """Several commits squashed into one, onto a line that has moved: most signed states are in no commit."""
    ada, bob = pair
    ada.git("fetch", "--quiet", bob.root, "main:bob")
    ada.git("merge", "--quiet", "--squash", "bob")
    ada.git("commit", "--quiet", "-m", "squashed")
    for _ in range(more):
        ada.edit("p-shared", fix="again")
    assert ada.problems() == []


def test_squash_of_a_rebased_line(pair: tuple[Member, Member]) -> None:
    """Rebased, then all in one commit."""
    _, bob = pair
    bob.git("pull", "--quiet", "--rebase")
    bob.git("reset", "--quiet", "--soft", "origin/main")
    bob.git("commit", "--quiet", "-m", "all of it")
    assert bob.problems() == []


def test_criss_cross(pair: tuple[Member, Member]) -> None:
    """Each merges the other's work at once, and then the merges meet."""
    ada, bob = pair
    ada.git("fetch", "--quiet", bob.root, "main:bob")
    bob.git("fetch", "--quiet", ada.root, "main:ada")
    ada.git("merge", "--quiet", "bob")
    bob.git("merge", "--quiet", "ada")
    ada.use("p-shared")
    bob.edit("p-shared", meaning="by bob")
    ada.git("pull", "--quiet", "--no-rebase", bob.root, "main")
    assert ada.problems() == []


def test_a_reset_and_a_new_writer(ada: Member) -> None:
    """Work that was never shared is reset away; the next writer closes the chain where the tree holds it."""
    ada.learn("p-one")
    ada.git("branch", "kept")
    ada.edit("p-one", fix="lost")
    ada.git("branch", "dropped")
    ada.git("reset", "--quiet", "--hard", "kept")
    ada.rotate()
    ada.edit("p-one", fix="anew")
    assert ada.problems() == []
    ada.git("merge", "--quiet", "dropped")
    assert ada.problems() == []


def test_branches_and_the_writers_they_need(ada: Member) -> None:
    """Work on two branches by turns, each turn under a new writer, merged at the end."""
    ada.learn("p-one")
    ada.git("branch", "side")
    ada.use("p-one")
    for branch in ("side", "main", "side"):
        ada.git("switch", "--quiet", branch)
        ada.rotate()
        ada.use("p-one")
        ada.edit("p-one", fix=f"{branch} {ada.scribe.writer}")
        assert ada.problems() == []
    ada.git("switch", "--quiet", "main")
    ada.git("merge", "--quiet", "side")
    assert ada.problems() == []
    assert ada.read("p-one").total("fixed") == 4


def test_two_enrol_at_once(pair: tuple[Member, Member]) -> None:
    """Two members enrol others concurrently, and one of those works before the branches meet."""
    ada, bob = pair
    ada.enrol("cem")
    bob.enrol("dee")
    dee = Member(bob.git.clone(bob.root.with_name("dee")), "dee")
    dee.learn("p-dee")
    dee.git("pull", "--quiet", "--no-rebase", ada.root, "main")
    assert dee.problems() == []


def test_what_came_from_outside_is_taken_in(ada: Member) -> None:
    """What somebody committed without gitmem is a problem until a member signs for it: broken, or edited by hand."""
    ada.learn("p-one", fix="old")
    state = ada.read("p-one")
    markers = b"<<<<<<< ours\n" + emit(state) + b">>>>>>> theirs\n"
    _taken_in(ada, markers, edited(state, "zed-1", fix="healed"))
    by_hand = (ada.root / path_of("p-one")).read_bytes().replace(b"healed", b"better")
    _taken_in(ada, by_hand, normalise(parse(by_hand, "")))


def _taken_in(ada: Member, outside: bytes, healed: State) -> None:
    ada.git.commit("by hand", {path_of("p-one"): outside})
    assert ada.problems() == [("unsigned change", path_of("p-one"))]
    ada.take_in("p-one", healed)
    assert ada.problems() == []
    ada.use("p-one")
    assert ada.problems() == []


def test_what_is_not_committed_is_a_note(ada: Member) -> None:
    """A change in the work tree is no tampering; it is told, with what to do."""
    (ada.root / "memory").mkdir()
    (ada.root / "memory" / "new.yaml").write_text("x")
    report = ada.verify()
    assert report.ok
    assert "1 file changed since HEAD" in report.notes[0]
    assert "gitmem commit" in report.notes[0]


def test_an_unborn_branch_and_a_shallow_clone_are_notes(ada: Member, tmp_path: Path) -> None:
    """Nothing to verify is said; a shallow clone verifies what it has."""
    ada.learn("p-one")
    ada.edit("p-one", fix="new")
    (tmp_path / "empty").mkdir()
    empty = Git(tmp_path / "empty")
    empty("init", "--quiet")
    ada.git("clone", "--quiet", "--depth=1", f"file://{ada.root}", tmp_path / "shallow")
    reports = [verify(Repo.find(tmp_path / name)) for name in ("empty", "shallow")]
    assert "holds no store" in reports[0].notes[0]
    assert reports[1].problems == []
    assert "shallow" in reports[1].notes[0]


@pytest.mark.parametrize("seed", range(4))
def test_any_honest_history(tmp_path: Path, seed: int) -> None:
    """Three members who edit, count, merge, rebase, squash and reset at random: no alarm at any time."""
    (tmp_path / "ada").mkdir()
    members = team(Git(tmp_path / "ada"), "ada", "bob", "cem")
    members[0].learn("p-one")
    for member in members[1:]:
        member.git("pull", "--quiet")
    chance = random.Random(seed)
    for number in range(9):
        member, other = chance.sample(members, 2)
        _STEPS[chance.choice(sorted(_STEPS))](member, other, f"p-{seed}{number}")
        assert member.problems() == []


def _meet(*command: str) -> Callable[[Member, Member, str], None]:
    def meet(member: Member, other: Member, _record: str) -> None:
        member.git("fetch", "--quiet", other.root, "main")
        member.git(*command, "FETCH_HEAD")

    return meet


def _squash(member: Member, other: Member, record: str) -> None:
    _meet("merge", "--quiet", "--squash")(member, other, record)
    member.git("commit", "--quiet", "--allow-empty", "--message", "squashed")


def _reset(member: Member, _other: Member, record: str) -> None:
    """Lose the last commit, and go on under another name."""
    member.use("p-one", "failed")
    member.git("reset", "--quiet", "--hard", "HEAD~")
    member.rotate()
    member.edit("p-one", meaning=record)


_STEPS: dict[str, Callable[[Member, Member, str], None]] = {
    "edit": lambda member, _, record: member.edit("p-one", fix=record),
    "use": lambda member, _, __: member.use("p-one"),
    "learn": lambda member, _, record: member.learn(record),
    "merge": _meet("merge", "--quiet"),
    "rebase": _meet("rebase", "--quiet"),
    "squash": _squash,
    "reset": _reset,
}
