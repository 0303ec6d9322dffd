"""Erasing: gone at once and for good, whoever has not heard, whatever is restored; signed for, and what remains is said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.git import snapshots
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.purge import replay_erasures
from gitmem.memory.privacy.remains import remains
from gitmem.memory.syncing import quarantine
from tests.support.git import Git
from tests.support.stores import open_memory, person
from tests.support.team import Team, closed, make_team, quick

SECRET = "plug in at Marlow street 7"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada's and Bob's clones of a plain store."""
    yield from closed(make_team(quick(tmp_path), ("ada", "bob"), plain=True))


def _erase(team: Team, name: str, record: str, **how: str) -> None:
    report = erase(team[name].context, [record], **how)
    assert [one.id for one in report.erased] == [record]
    assert report.problems == []


def test_a_record_is_gone_everywhere_at_once(team: Team) -> None:
    """Nobody is waited for; the log vouches for it with evidence; every clone purges itself when it hears."""
    record = team.learn(fix=SECRET)
    ada, bob = team["ada"], team["bob"]
    for memory in (ada, bob):
        assert memory.search("route")
        context = memory.context
        snapshots.create(context.store.repo, "test", context.clock())
        quarantine.set_aside(context, team.path(record).as_posix(), SECRET.encode(), "test")
        (context.store.local / "drafts").mkdir(exist_ok=True)
        (context.store.local / "drafts" / record).write_text(SECRET)
    _erase(team, "ada", record, basis="request 4711")
    assert team.has(record) == ["bob"]
    assert not _beside(team, "ada")
    with pytest.raises(GitmemError, match=r"was erased on 20"):
        ada.get(record)
    team.sync("ada", "bob", "ada")
    assert team.has(record) == []
    assert not _beside(team, "bob")
    assert bob.search("route") == []
    team.agree()
    entry = next(e for s in team.entries("ada") for e in s if e.op == "erase" and record in e.object)
    assert (entry.subject, entry.after, entry.detail["values"], entry.detail["basis"]) == ("ada", None, 3, "request 4711")
    assert entry.before
    assert team["ada"].context.store.graves.of(team.path(record).as_posix()).total("fixed") == 1  # type: ignore[union-attr]
    assert not ada.gc().waiting


def _beside(team: Team, name: str) -> list[str]:
    """Where the clone still holds the secret beside the repository, or in a snapshot."""
    store = team[name].context.store
    found = [file.name for file in store.local.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    kept = snapshots.all_snapshots(store.repo)
    return found + [one.ref for one in kept if SECRET.encode() in Git(store.repo.root).raw("archive", one.commit)]


def test_what_no_commit_holds_is_erased_without_one(team: Team) -> None:
    """A record that was never committed enters no history by being erased; other writes that wait are kept."""
    ada = team["ada"]
    other = ada.learn("pattern", {"pattern": "disk full", "fix": "make room"}).id
    record = ada.learn("pattern", {"pattern": "no route to host", "fix": SECRET}).id
    ada.used(other, fixed=True)
    _erase(team, "ada", record)
    team.agree()
    assert ada.get(other).usage.fixed == 1
    assert SECRET.encode() not in _objects(team.folder / "ada")
    assert not _beside(team, "ada")


def _objects(clone: Path) -> bytes:
    """Every object of a repository, whatever refers to it."""
    names = Git(clone)("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").encode()
    from gitmem.git.repo import Repo

    return Repo.find(clone).run("cat-file", "--batch", input=names)


def test_who_had_not_heard_brings_what_they_wrote_and_nothing_else(team: Team) -> None:
    """A concurrent edit stands by itself, contested and told of; erasing again settles it."""
    record = team.learn(fix=SECRET)
    team["bob"].edit(record, {"fix": "buy a cable"})
    _erase(team, "ada", record)
    team.sync("ada")
    told = team["bob"].sync().problems
    assert len(told) == 1
    assert "had not heard" in told[0]
    team["ada"].sync()
    for memory in (team["ada"], team["bob"]):
        found = memory.get(record)
        assert (found.fields, found.sets, found.contested) == ({"fix": "buy a cable"}, {}, True)
    assert team["ada"].verify().problems == []
    _erase(team, "ada", record)
    team.agree()
    assert team.has(record) == []


def test_learning_the_same_again_makes_a_new_record(team: Team) -> None:
    """It goes on under the id with the old counters, in the same writer's name."""
    record = team.learn(fix=SECRET)
    writer = team["ada"].context.store.replica.writer
    _erase(team, "ada", record)
    assert team["ada"].learn("pattern", {"pattern": "no route to host", "fix": "ask the net team"}).id == record
    team.agree()
    assert team["bob"].get(record).fields == {"pattern": "no route to host", "fix": "ask the net team"}
    assert team["bob"].get(record).usage.fixed == 1
    assert team["ada"].context.store.replica.writer == writer


def test_a_forgotten_and_collected_record_can_still_be_erased(team: Team) -> None:
    """Its values are in history only; the mark is set all the same, once."""
    record = team.forgotten()
    team["ada"].gc()
    team.agree()
    _erase(team, "bob", record)
    with pytest.raises(GitmemError, match="was erased on"):
        erase(team["bob"].context, [record])
    team.agree()


def test_no_old_state_is_read_again(team: Team) -> None:
    """A reset, a checkout of old files, a revert: what this clone knows to be erased is not read even before a sync."""
    record = team.learn(fix=SECRET)
    git = Git(team.folder / "ada")
    before = git("rev-parse", "HEAD").strip()
    _erase(team, "ada", record)
    team.sync()
    for step in (("checkout", before, "--", "memory"), ("reset", "--hard", before)):
        git(*step)
        assert team.has(record) == ["ada"]
        with pytest.raises(GitmemError):
            team.reopen("ada").get(record)
        assert team["ada"].match("no route to host") == []
    team.agree()
    assert team.has(record) == []


def test_an_erasure_that_a_reset_took_back_is_signed_for_again(team: Team) -> None:
    """Before anybody had heard of it: doctor tells, and the next sync, or `--fix`, has all hear."""
    record, other = team.learn(fix=SECRET), team.learn("disk full", fix="make room")
    git = Git(team.folder / "ada")
    before = git("rev-parse", "HEAD").strip()
    _erase(team, "ada", record)
    _erase(team, "ada", other)
    git("reset", "--quiet", "--hard", before)
    ada = team.reopen("ada")
    ada.learn("pattern", {"pattern": "disk full", "fix": "ask for a larger one"})
    assert _history(team) == (False, "gitmem doctor --fix")
    assert _history(team, fix=True)[0]
    ada.gc()
    team.agree()
    assert [memory.verify().problems for memory in (ada, team["bob"])] == [[], []]
    assert team.has(record) == []
    assert [team[name].get(other).fields["fix"] for name in ("ada", "bob")] == ["ask for a larger one"] * 2
    git("reset", "--quiet", "--hard", before)  # what others have heard comes back by itself
    team.reopen("ada")
    sound, fix = _history(team)
    assert (sound, fix.partition(",")[0]) == (False, "gitmem sync")
    team.agree()
    assert git("log", "--format=%s").count("erased again") == 1


def _history(team: Team, *, fix: bool = False) -> tuple[bool, str]:
    """What doctor says of the history in Ada's clone."""
    return next((check.ok, check.fix) for check in doctor(team["ada"].context, fix=fix) if check.name == "history")


def test_a_restore_replays_erasures(team: Team, tmp_path: Path) -> None:
    """An old clone that is put back reads nothing of it once it has replayed, and one from an old bundle after its sync."""
    record = team.learn(fix=SECRET)
    shutil.copytree(team.folder / "bob", tmp_path / "copy", symlinks=True)
    Git(team.folder / "bob")("bundle", "create", "--quiet", tmp_path / "old.bundle", "--all")
    _erase(team, "ada", record)
    team.sync()
    team["bob"].close()
    shutil.rmtree(team.folder / "bob")
    shutil.move(tmp_path / "copy", team.folder / "bob")
    bob = team.reopen("bob")
    assert replay_erasures(bob.context) == [record]
    with pytest.raises(GitmemError, match="erased"):
        bob.get(record)
    assert bob.match("no route to host") == []
    team.agree()
    who = person(team.folder / "home-bob")
    Git(tmp_path)("clone", "--quiet", tmp_path / "old.bundle", tmp_path / "new")
    Git(tmp_path / "new")("remote", "set-url", "origin", team.folder / "remote.git")
    with open_memory(tmp_path / "new", who) as memory:
        memory.sync()
        with pytest.raises(GitmemError):
            memory.get(record)
    assert SECRET not in "".join(file.read_text() for file in (tmp_path / "new" / "memory").rglob("*.yaml"))


def test_where_copies_may_remain_is_said(team: Team) -> None:
    """History, the remote, the clones by name, backups: as far as this clone can know, before and after."""
    record = team.learn(fix=SECRET)
    report = erase(team["ada"].context, [record], dry_run=True)
    assert report.commit is None
    assert team.has(record) == ["ada", "bob"]
    places = {place.what: place for place in report.remains}
    assert {"history", "reflogs", "log", "remote", "clone", "backups", "readers"} == places.keys()
    assert places["clone"].where.startswith(f"{team.replica('bob')}, bob's")
    assert places["clone"].until.startswith("until it syncs")
    assert "guessed" in places["log"].where
    _erase(team, "ada", record)
    team.sync()
    team.sync("ada")
    [clone] = [place for place in remains(team["ada"].context, [team.path(record).as_posix()]) if place.what == "clone"]
    assert clone.until.startswith("has heard")
