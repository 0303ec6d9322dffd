"""Whoever reverts the commits that founded a store, or let them in, has it back with the next sync in that very clone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import HEAL
from gitmem.core.auditing.parse import parse_segment
from gitmem.errors import InvalidRecord, NoStore
from gitmem.git.attributes import unprotected
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.founding.cloning import clone
from gitmem.memory.members.person import Person
from gitmem.memory.members.removal import set_role
from gitmem.memory.members.roster import my_name
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share

_NOTE = {"type": "semantic", "text": "what everybody should know"}


@dataclass(frozen=True)
class _Team:
    """A remote that ada shares, and whose member bob sits at the test's home."""

    remote: Path
    ada: Path
    adas: Person
    bob: Path
    git: Git

    def sync_ada(self) -> None:
        with open_memory(self.ada, self.adas) as memory:
            memory.sync()

    def revert(self, *paths: str, at: Git | None = None) -> None:
        """Revert the first commit that touched `paths` (the founding without any)."""
        git = at or self.git
        found = git("rev-list", "--no-merges", "--topo-order", "--reverse", "HEAD", "--", *paths).split()[0]
        git("revert", "--no-edit", found)


@pytest.fixture(params=["plain", "sealed"])
def team(request: pytest.FixtureRequest, tmp_path: Path) -> _Team:
    """A store of two members; what bob recorded last waits for a commit."""
    ada, bob = person(tmp_path / "ada-home"), person()
    remote = tmp_path / "remote.git"
    Git(tmp_path)("init", "--quiet", "--bare", remote)
    found(tmp_path / "ada", plain=request.param == "plain", who=ada)
    share(tmp_path / "ada", remote, ada)
    with open_memory(tmp_path / "ada", ada) as memory:
        join(memory, tmp_path / "joining", remote, "bob", bob)
    clone(str(remote), str(tmp_path / "bob"))
    with open_memory(tmp_path / "bob", bob) as memory:
        memory.learn("note", _NOTE)
        memory.sync()
        memory.learn("note", _NOTE | {"text": "not committed yet"})
    return _Team(remote, tmp_path / "ada", ada, tmp_path / "bob", Git(tmp_path / "bob"))


def _all_is_well(team: _Team) -> None:
    team.sync_ada()
    assert (team.bob / ".gitmem/config.yaml").exists()
    assert team.git("status", "--porcelain") == ""
    assert team.git("rev-parse", "HEAD") == Git(team.ada)("rev-parse", "HEAD")
    for place, who in ((team.ada, team.adas), (team.bob, None)):
        with open_memory(place, who) as memory:
            assert [check for check in doctor(memory.context) if not check.ok] == []
            assert memory.verify().problems == []
            assert {record.fields["text"] for record in memory.records()} == {_NOTE["text"], "not committed yet"}


def test_sync_brings_a_reverted_founding_back(team: _Team) -> None:
    """Opening it is refused with the command that helps; sync puts back, signs, and goes on as if nothing had been."""
    team.revert()
    with pytest.raises(NoStore) as refused:
        open_memory(team.bob)
    assert "gitmem sync" in refused.value.hint
    with Memory.open(team.bob, reopen=True) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)


@pytest.mark.parametrize("plain", [True, False])
def test_what_is_open_while_somebody_reverts(tmp_path: Path, plain: bool) -> None:
    """A server that has opened the store syncs all of it back, and does so again when git goes back to the revert.

    What was committed here alone after that goes with the reset.
    """
    found(tmp_path / "store", plain=plain)
    git = Git(tmp_path / "store")
    with open_memory(git.path) as memory:
        note = memory.learn("note", _NOTE).id
        memory.sync()
        memory.used(note, fixed=True)
        git("revert", "--no-edit", *git("rev-list", "HEAD").split())
        reverted = git("rev-parse", "HEAD")
        for fixed in (1, 0):
            assert memory.sync().problems == []
            assert memory.verify().problems == []
            assert memory.get(note).usage.fixed == fixed
            assert git("status", "--porcelain") == ""
            git("reset", "--quiet", "--hard", reverted)


def test_what_stays_open_meets_the_revert_again(team: _Team) -> None:
    """A server has synced the store back when its user returns to the revert: nothing it puts there bars the next sync."""
    team.revert()
    reverted = team.git("rev-parse", "HEAD")
    with Memory.open(team.bob, reopen=True) as memory:
        assert memory.sync().problems == []
        team.git("reset", "--quiet", "--hard", reverted)
        assert memory.sync().problems == []
    _all_is_well(team)


def test_sync_brings_it_back_where_only_the_driver_merges(team: _Team) -> None:
    """A clone without the merge strategy heals as well, also what somebody recorded beside the revert."""
    team.git("config", "--unset", "pull.twohead")
    team.git("config", "--unset", "pull.octopus")
    with open_memory(team.ada, team.adas) as memory:
        memory.learn("note", _NOTE | {"text": "not committed yet"})
        memory.sync()
    team.revert()
    with Memory.open(team.bob, reopen=True) as memory:
        assert memory.sync().problems == []
    team.sync_ada()
    assert team.git("rev-parse", "HEAD") == Git(team.ada)("rev-parse", "HEAD")
    with open_memory(team.bob) as memory:
        assert memory.verify().problems == []
        assert [check.why for check in doctor(memory.context) if not check.ok and "pull." not in check.why] == []
        assert sorted(str(record.fields["text"]) for record in memory.records()) == [
            *["not committed yet"] * 2,
            _NOTE["text"],
        ]


def test_sync_takes_in_a_history_begun_anew_without_the_founding(team: _Team, tmp_path: Path) -> None:
    """Nothing leads from the remote's only commit to ours, and it has no configuration; yet it holds our log."""
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    plain = Git(tmp_path / "plain")
    team.revert(at=plain)
    plain("checkout", "--quiet", "--orphan", "anew")
    plain("commit", "--quiet", "-m", "begun anew")
    plain("push", "--quiet", "--force", "origin", "anew:main")
    with open_memory(team.bob) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)


def test_the_clone_that_began_it_anew_syncs_as_well(team: _Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit before its HEAD has the configuration: it is found in what the clone knows of, whatever its clock said."""
    with open_memory(team.bob) as memory:
        memory.commit()
    founding = team.git("rev-list", "--max-parents=0", "HEAD")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2099-01-01T00:00:00Z")
    team.git("branch", "dated", team.git("commit-tree", "-m", "the founding once more", f"{founding}^{{tree}}"))
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    team.revert()
    team.git("checkout", "--quiet", "--orphan", "anew")
    team.git("commit", "--quiet", "--no-verify", "-m", "begun anew")
    team.git("branch", "--force", "--move", "anew", "main")
    team.git("push", "--quiet", "--force", "origin", "main")
    team.sync_ada()
    with Memory.open(team.bob, reopen=True) as memory:
        memory.sync()
        assert memory.sync().problems == []
    _all_is_well(team)


@pytest.mark.parametrize(
    ("name", "fix"), [(".gitmem/config.yaml", False), (".gitmem/members/ada.yaml", True)], ids=["a sync", "doctor"]
)
def test_a_spoiled_footing_that_a_pull_brought(team: _Team, tmp_path: Path, name: str, fix: bool) -> None:
    """What a merge without gitmem pushed cannot even be opened, or asked who is a member: it stands as it last was one."""
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    with (tmp_path / "plain" / name).open("a") as file:
        file.write("<<<<<<< HEAD\n")
    Git(tmp_path / "plain").commit("spoiled")
    Git(tmp_path / "plain")("push", "--quiet")
    team.git("pull", "--quiet", "--no-rebase")
    with Memory.open(team.bob, reopen=True) as memory:
        assert not fix or all(check.ok for check in doctor(memory.context, fix=True))
        assert len(memory.sync().problems) == (not fix)
        assert memory.sync().problems == []
    _all_is_well(team)


@pytest.mark.parametrize("fix", [False, True], ids=["a sync", "doctor"])
@pytest.mark.parametrize("team", ["sealed"], indirect=True)
def test_keys_that_a_pull_has_spoiled(team: _Team, tmp_path: Path, fix: bool) -> None:
    """One's own is opened as it was when somebody signed for it, and nobody signs for what stands in another's place."""
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    adas, bobs, recovery = sorted((tmp_path / "plain/.gitmem/keys/team").glob("*/*.age"))
    for junk in (b"junk", recovery.read_bytes()):
        bobs.write_bytes(junk)
        adas.write_bytes(b"junk of another")
        Git(tmp_path / "plain").commit("spoiled")
        Git(tmp_path / "plain")("push", "--quiet")
        team.git("pull", "--quiet", "--no-rebase")
        with Memory.open(team.bob, reopen=True) as memory:
            assert not fix or all(check.ok for check in doctor(memory.context, fix=True))
            assert len(memory.sync().problems) == 2 * (not fix)
            assert memory.sync().problems == []
        Git(tmp_path / "plain")("pull", "--quiet")
    _all_is_well(team)


@pytest.mark.parametrize("team", ["sealed"], indirect=True)
def test_who_may_set_no_key_right_is_told(team: _Team, tmp_path: Path) -> None:
    """A reader's sync goes on, and says who will, until it brings the key."""
    with open_memory(team.bob) as memory:
        memory.sync()
    with open_memory(team.ada, team.adas) as ada:
        ada.sync()
        set_role(ada.context, "bob", "reader")
        ada.sync()
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    key = Git(tmp_path / "plain")("ls-files", "*bob.age")
    Git(tmp_path / "plain").commit("spoiled", {key: "junk"})
    Git(tmp_path / "plain")("push", "--quiet")
    team.git("pull", "--quiet", "--no-rebase")
    with Memory.open(team.bob, reopen=True) as memory:
        assert [problem.partition(" and ")[0] for problem in memory.sync().problems] == [f"{key} is not as it was signed for,"]
    team.sync_ada()
    with Memory.open(team.bob, reopen=True) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)


@pytest.mark.parametrize("name", ["log/audit", ".gitmem/keys", ".gitmem/members", ".gitmem/config.yaml"])
@pytest.mark.parametrize("team", ["sealed"], indirect=True)
def test_what_a_pull_brought_in_the_place_of_a_file(team: _Team, tmp_path: Path, name: str) -> None:
    """A directory and a link where files belong go, and the files stand again: they are read before anything is healed."""
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    plain = Git(tmp_path / "plain")
    first, *others = plain("ls-files", name).split()
    spoiled = {f"{first}/notes.txt"}
    plain("rm", "--quiet", first)
    for other in others:
        (plain.path / other).unlink()
        (plain.path / other).symlink_to("notes.txt")
        spoiled.add(other)
    plain.commit("spoiled", {f"{first}/notes.txt": "x"})
    plain("push", "--quiet")
    team.git("pull", "--quiet", "--no-rebase")
    with Memory.open(team.bob, reopen=True) as memory:
        assert {problem.partition(" ")[0] for problem in memory.sync().problems} == spoiled
        assert memory.sync().problems == []
        assert [check for check in doctor(memory.context) if not check.ok] == []
        assert {problem.where.partition(" ")[0].rstrip(":") for problem in memory.verify().problems} == spoiled
        assert len(memory.records()) == 2
    team.sync_ada()
    assert team.git("status", "--porcelain") == ""
    assert team.git("rev-parse", "HEAD") == Git(team.ada)("rev-parse", "HEAD")


def test_an_edit_that_is_not_finished_stays(team: _Team) -> None:
    """HEAD holds the member's file as one: what the work tree has is somebody's own, and is not moved away unasked."""
    file = team.bob / ".gitmem/members/ada.yaml"
    edited = file.read_text() + "half a li"
    file.write_text(edited)
    with Memory.open(team.bob, reopen=True) as memory, pytest.raises(InvalidRecord, match=r"ada\.yaml"):
        memory.sync()
    assert file.read_text() == edited


def test_who_puts_a_log_back_has_seen_it(team: _Team) -> None:
    """Else it hangs on the names of two chains whether a member may put the keys of others back."""
    team.git("rm", "--quiet", "-r", ".")
    team.git("commit", "--quiet", "--no-verify", "-m", "all of it")
    with Memory.open(team.bob, reopen=True) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)
    segments = [parse_segment(file.read_bytes(), path) for path, file in segment_files(team.bob)]
    [healed] = [one for one in segments if any(entry.op == HEAL for entry in one.entries)]
    assert {one.writer for one in segments} - {healed.writer} <= healed.entries[0].seen.keys()


def test_whoever_began_it_anew_still_has_a_name(team: _Team, tmp_path: Path) -> None:
    """Ada's second clone was never told her name, and her own member's file goes with the founding: the reflog has it."""
    clone(str(team.remote), str(tmp_path / "second"))
    git = Git(tmp_path / "second")
    team.revert(at=git)
    git("checkout", "--quiet", "--orphan", "anew")
    git("commit", "--quiet", "--no-verify", "-m", "begun anew")
    with Memory.open(git.path, env=team.adas.env, reopen=True) as memory:
        (git.path / ".gitmem/members/ada.yaml").unlink()
        assert my_name(memory.context) == "ada"


def test_a_branch_that_never_held_the_store_is_left_alone(team: _Team) -> None:
    """A sync on an orphan branch of the user's own puts nothing of the store there."""
    team.git("checkout", "--quiet", "--orphan", "website")
    team.git("rm", "--quiet", "-rf", ".")
    team.git("commit", "--quiet", "--no-verify", "--allow-empty", "-m", "a page to come")
    with pytest.raises(NoStore):
        Memory.open(team.bob, reopen=True)
    assert not any((team.bob / name).exists() for name in (".gitmem", ".gitattributes", "log"))


def test_sync_brings_a_reverted_key_back(team: _Team) -> None:
    """A member whose joining is reverted opens the store with the key that history has, signs with it, and heals."""
    team.revert(".gitmem/members/bob.yaml")
    with open_memory(team.bob) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)


def test_sync_takes_in_a_reverted_founding(team: _Team, tmp_path: Path) -> None:
    """Somebody without gitmem reverts and pushes it: the next sync of anybody who has it open heals it for all."""
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    plain = Git(tmp_path / "plain")
    team.revert(at=plain)
    plain("push", "--quiet", "origin", "HEAD")
    team.sync_ada()
    with open_memory(team.bob) as memory:
        assert memory.sync().problems == []
    _all_is_well(team)


def test_sync_heals_where_git_alone_was(team: _Team, tmp_path: Path) -> None:
    """A clone that was never set up finds the store in its history as well, and so does one that pulled the revert."""
    team.sync_ada()
    with Memory.open(team.bob) as memory:
        memory.sync()
    Git(tmp_path)("clone", "--quiet", team.remote, tmp_path / "plain")
    team.revert(at=Git(tmp_path / "plain"))
    with Memory.open(tmp_path / "plain", reopen=True) as memory:
        assert memory.sync().problems == []
        assert not unprotected(memory.context.store.repo, "")
    with open_memory(team.bob) as memory:
        memory.sync()
    _all_is_well(team)


def test_who_has_no_key_syncs_and_another_heals(team: _Team, tmp_path: Path) -> None:
    """Nobody without a key can sign for what comes back: their sync hands the revert on, and takes the store in later."""
    stranger = person(tmp_path / "stranger-home")
    clone(str(team.remote), str(tmp_path / "reader"))
    team.revert(at=Git(tmp_path / "reader"))
    for _ in range(2):
        with Memory.open(tmp_path / "reader", env=stranger.env, reopen=True) as memory:
            memory.sync()
        team.sync_ada()
    with open_memory(team.bob) as memory:
        memory.sync()
    assert (tmp_path / "reader/.gitmem/config.yaml").exists()
    _all_is_well(team)


def test_doctor_brings_a_reverted_founding_back(team: _Team) -> None:
    """`doctor --fix` does what sync does, without the network."""
    team.revert()
    with Memory.open(team.bob, reopen=True) as memory:
        assert [check for check in doctor(memory.context, fix=True) if not check.ok] == []
        memory.sync()
    _all_is_well(team)
