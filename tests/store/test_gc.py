"""Collecting what is left of forgotten records: not before all have heard, and then for good, whatever turns up later."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.core.edit import Pen
from gitmem.errors import GitmemError, UsageError
from gitmem.git import snapshots
from gitmem.git.repo import Repo
from gitmem.memory.locate import locate
from gitmem.memory.upkeep.gc import UNSIGNED
from gitmem.memory.upkeep.prune_undo import undo
from gitmem.store.store import Write
from tests.support.git import Git
from tests.support.stores import open_memory, person
from tests.support.team import NAMES, Team, closed, make_team, quick


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada's and Bob's clones of a plain store."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=True))


@pytest.fixture(params=[True, False], ids=["plain", "sealed"])
def three(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """Three clones of a plain store, and of a sealed one."""
    yield from closed(make_team(quick(tmp_path), NAMES, plain=request.param))


def test_a_tombstone_goes_once_all_have_heard(three: Team) -> None:
    """It waits for whoever has not synced, by name; then the file goes everywhere, and the log is sound."""
    team = three
    record = team.learn()
    team["ada"].forget(record)
    team.sync("ada", "bob")
    report = team["ada"].gc()
    assert report.collected == []
    assert [(one.id, one.waits_for) for one in report.waiting] == [(record, sorted([team.replica("bob"), team.replica("cam")]))]
    team.sync("cam", "ada")
    report = team["ada"].gc(dry_run=True)
    assert ([one.id for one in report.collected], report.waiting, report.commit) == ([record], [], None)
    assert {one.replica: (one.member, one.me, one.retired) for one in report.replicas} == {
        team.replica(name): (name, name == "ada", False) for name in NAMES
    }
    assert team.has(record) == list(NAMES)
    report = team["ada"].gc()
    assert [one.id for one in report.collected] == [record]
    assert snapshots.all_snapshots(Repo.find(team.folder / "ada"))[-1].reason == "gc"
    assert team["ada"].gc().collected == []
    team.agree()
    assert team.has(record) == []
    with pytest.raises(GitmemError, match="was forgotten, and `gitmem gc` removed"):
        team["bob"].get(record)


def test_a_signature_is_as_good_as_a_sync(team: Team) -> None:
    """Whoever has signed anything since has heard: no ref on the remote is needed."""
    record = team.learn()
    team["ada"].forget(record)
    team.sync("ada", "bob")
    remote = Git(team.folder / "remote.git")
    remote("update-ref", "-d", f"refs/gitmem/heard/{team.replica('bob')}")
    team.sync("ada")
    assert team["ada"].gc(dry_run=True).collected == []
    team["bob"].learn("note", {"type": "semantic", "text": "something else"})
    team.sync("bob", "ada")
    assert [one.id for one in team["ada"].gc().collected] == [record]
    team.agree()


def test_whoever_only_reads_is_not_waited_for_twice(team: Team) -> None:
    """A sync that brings nothing new announces nothing, and one that is announced makes no commit."""
    team.forgotten()
    heads = Git(team.folder / "remote.git")("for-each-ref", "--format=%(refname) %(objectname)")
    assert heads.count("refs/gitmem/heard/") == 1
    team.sync("bob", "ada")
    assert Git(team.folder / "remote.git")("for-each-ref", "--format=%(refname) %(objectname)") == heads


def test_what_is_disputed_is_no_tombstone(team: Team) -> None:
    """A record that somebody edited while somebody else deleted it stands, and is no garbage."""
    record = team.learn()
    team["ada"].forget(record)
    team["bob"].edit(record, {"fix": "still needed"})
    team.sync()
    report = team["ada"].gc()
    assert (report.collected, report.waiting) == ([], [])
    assert team["ada"].get(record).contested


def test_two_collect_at_once(team: Team) -> None:
    """Both come to the same, with what else each of them did."""
    records = [team.forgotten(text) for text in ("one error", "another error")]
    assert len(team["ada"].gc().collected) == len(team["bob"].gc().collected) == 2
    team.agree()
    assert [team.has(record) for record in records] == [[], []]


def test_squashed_with_its_deletion(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody deletes and collects a record, and makes one commit of it by git; who deleted it meanwhile makes no difference.

    The hook signs for what became of the values: once another deletion is merged in, hashes of files explain nothing any more.
    """
    record = team.learn()
    monkeypatch.setenv("GITMEM_IDENTITY_FILE", str(team.folder / "home-ada/.config/gitmem/identity.txt"))
    team["bob"].forget(record)
    team["bob"].commit()
    team["ada"].forget(record)
    team["ada"].commit()
    assert [one.id for one in team["ada"].gc(retire=team.replica("bob")).collected] == [record]
    git = Git(team.folder / "ada")
    git("reset", "--quiet", "--soft", "HEAD~2")
    git("commit", "--quiet", "--message", "both at once")
    team.reopen("ada")
    team.agree()


def test_brought_back_while_it_is_collected(team: Team) -> None:
    """Bob, who knows that it was forgotten, learns it again as it was, while Ada collects it: it stands, and it is whole."""
    record = team.forgotten()
    team["bob"].learn("pattern", {"pattern": "no route to host", "fix": "plug it in"})
    team["ada"].gc()
    team.agree()
    for name in ("ada", "bob"):
        shown = team[name].get(record)
        assert (shown.fields["pattern"], shown.fields["fix"]) == ("no route to host", "plug it in")
        assert (shown.sets["tags"], shown.usage.fixed, shown.contested) == (["net"], 1, False)
    team["bob"].forget(record)
    team.agree()
    assert len(team["ada"].gc().collected) == 1
    team.agree()
    assert team.has(record) == []


def test_learned_again_after_it_was_collected(team: Team) -> None:
    """It is a new record with the old counters, disputed by nobody; and may be forgotten and collected again."""
    record = team.forgotten()
    team["ada"].gc()
    team.sync()
    for name in ("bob", "ada"):
        assert team[name].learn("pattern", {"pattern": "no route to host", "fix": "another fix"}).id == record
        team.agree()
        shown = team["ada"].get(record)
        assert (shown.alive, shown.contested, shown.fields["fix"], shown.usage.fixed) == (True, False, "another fix", 1)
        assert shown.sets.get("tags", []) == []
        team[name].forget(record)
        team.agree()
        team.sync("bob")
        assert len(team["bob"].gc().collected) == 1
        team.sync()
        assert team.has(record) == []


def test_a_clone_that_is_behind_collects(team: Team) -> None:
    """What it does not know of is not lost: Bob's late use stays with the record, which stays deleted until the next time."""
    record = team.forgotten()
    team["bob"].used(record, fixed=True)
    team.sync("bob")
    team["ada"].gc()
    team.agree()
    assert not team["ada"].get(record).alive
    assert team["ada"].get(record).usage.fixed == 2
    assert len(team["ada"].gc().collected) == 1
    team.agree()
    assert team.has(record) == []


def test_an_old_clone_cannot_resurrect(team: Team) -> None:
    """A backup from before the deletion is put to work again, untouched or with uses of its own: the record stays deleted."""
    record = team.learn()
    for name in ("untouched", "used"):
        shutil.copytree(team.folder / "bob", team.folder / name, symlinks=True)
    team["ada"].forget(record)
    team.sync()
    team["ada"].gc()
    team.agree()
    bob = person(team.folder / "home-bob")
    with open_memory(team.folder / "untouched", bob) as old:
        assert old.sync().problems == []
        with pytest.raises(GitmemError, match="was forgotten"):
            old.used(record, fixed=True)
    team.agree()
    assert team.has(record) == []
    with open_memory(team.folder / "used", bob) as old:
        old.used(record, fixed=True)
        assert old.sync().problems == []
        assert old.records() == []
    team.agree()
    assert team["ada"].records() == []
    assert team["ada"].get(record).usage.fixed == 2


def test_a_retired_replica_comes_back(three: Team) -> None:
    """It is not waited for; when it is back, what it wrote is there and whole, and it goes on under a new name."""
    team = three
    record, other = team.learn(), team.learn("port in use", meaning="two servers")
    old = team.replica("cam")
    team["cam"].edit(other, {"fix": "stop the other server"})
    note = team["cam"].learn("note", {"type": "semantic", "text": "written offline"}).id
    for forgotten in (record, other):
        team["ada"].forget(forgotten)
    team.sync("ada", "bob", "ada")
    assert len(team["ada"].gc(dry_run=True).waiting) == 2
    report = team["ada"].gc(retire=old[:5])
    assert (len(report.collected), report.retired) == (2, old)
    assert [one.replica for one in report.replicas if one.retired] == [old]
    team.sync("ada", "bob", "cam")
    team.reopen("cam").used(note, fixed=True)
    assert team.replica("cam") != old
    team.agree()
    assert team.has(record) == []
    for name in NAMES:
        shown = team[name].get(other)
        assert shown.fields == {"pattern": "port in use", "fix": "stop the other server", "meaning": "two servers"}
        assert (shown.sets["tags"], shown.usage.fixed, shown.contested) == (["net"], 2, True)
        assert team[name].get(note).usage.fixed == 1
    team["bob"].forget(other)
    team.sync()
    assert [one.id for one in team["bob"].gc().collected] == [other]
    team.agree()


def test_names_to_retire(team: Team) -> None:
    """Only the name of one other replica will do."""
    team.learn()
    for name, why in (("nobody", "no replica"), (team.replica("ada"), "you are working in")):
        with pytest.raises(UsageError, match=why):
            team["ada"].gc(retire=name)
    assert team["ada"].gc(retire=team.replica("bob"), dry_run=True).retired == team.replica("bob")
    assert not any(one.retired for one in team["ada"].gc(dry_run=True).replicas)


def test_a_merge_without_gitmem_brings_it_back(team: Team) -> None:
    """A host's merge button, a hand, a revert: the next sync buries it again, and the list of what was collected stays."""
    record = team.forgotten()
    team["ada"].gc()
    team.sync()
    bob = Git(team.folder / "bob")
    for how in (["checkout", "HEAD~1", "--", "memory"], ["revert", "--no-commit", "HEAD"]):
        bob(*how)
        bob("commit", "--quiet", "--no-verify", "--message", "by hand")
        assert team.has(record) == ["bob"]
        team.sync("bob")
        bob("revert", "--quit")
        team.agree()
        assert team.has(record) == []


@pytest.mark.parametrize("strategy", [True, False], ids=["strategy", "driver"])
def test_plain_git_pulls(team: Team, strategy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada collects what Bob has counted meanwhile, by plain git: he ends where a sync would have brought him."""
    records = [team.forgotten(text) for text in ("one error", "another error")]
    team["ada"].gc()
    team.sync("ada")
    team["bob"].used(records[0], fixed=True)
    team["bob"].commit()
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, person(team.folder / "home-bob").env[name])
    bob = Git(team.folder / "bob")
    if not strategy:
        bob("config", "--unset", "pull.twohead")
        assert "deleted in" in bob("pull", "--no-rebase", check=False)
        bob("add", "--all")
        bob("commit", "--quiet", "--no-edit")
    else:
        bob("pull", "--quiet", "--no-rebase")
    assert team.has(records[1]) == []
    assert b"dead" in (team.folder / "bob" / team.path(records[0])).read_bytes()
    assert b"fix:" not in (team.folder / "bob" / team.path(records[0])).read_bytes()
    team.agree()
    assert team["ada"].get(records[0]).usage.fixed == 2


def test_what_nobody_signed_waits(team: Team) -> None:
    """A deletion that the log does not speak of is not taken for one that all have heard of."""
    record = team.learn()
    team["ada"].forget(record)
    git = Git(team.folder / "ada")
    git("add", "--all")
    git("commit", "--quiet", "--no-verify", "--message", "unsigned")
    (team.folder / "ada/.git/gitmem/journal").rename(team.folder / "ada/.git/gitmem/lost")
    ada = team.reopen("ada")
    assert [one.waits_for for one in ada.gc(dry_run=True).waiting] == [[UNSIGNED]]


def test_a_list_cannot_be_made_shorter_by_hand(team: Team) -> None:
    """Who removes the list of what was collected gets it back."""
    record = team.forgotten()
    team["ada"].gc()
    team.sync()
    (listing,) = (team.folder / "bob/.gitmem/collected").iterdir()
    before = listing.read_bytes()
    listing.unlink()
    team["bob"].learn("note", {"type": "semantic", "text": "new"})
    team["bob"].commit()
    assert listing.read_bytes() == before
    team.agree()
    assert team.has(record) == []


def test_empty_and_duplicate_records_are_forgotten(three: Team) -> None:
    """Two tidy up at once: of equal notes one stays, the same for both; what says anything else stays; and it can be undone."""
    ada = three["ada"]
    notes = sorted(ada.learn("note", {"type": "semantic", "text": "the disk is full"}).id for _ in range(3))
    others = [ada.learn("note", {"type": kind, "text": "the disk is full"}).id for kind in ("episodic", "procedural")]
    three.sync()
    told = ada.gc(dry_run=True)
    assert {(one.id, one.what) for one in told.let_go} == {(one, "duplicate") for one in notes[1:]}
    for name in ("ada", "bob"):
        assert {one.id for one in three[name].gc().let_go} == {*notes[1:]}
    three.agree()
    standing = {record.id for record in three["cam"].records("note")}
    assert standing == {notes[0], *others}
    assert ada.gc().let_go == []
    assert sorted(undo(three["bob"].context, "last").restored) == notes[1:]
    three.agree()
    assert ada.gc().let_go == []


def test_a_record_that_says_nothing_is_forgotten(team: Team) -> None:
    """All its fields were taken out, by an older gitmem perhaps."""
    record = team.learn()
    store, path = team["ada"].context.store, locate(team["ada"].context, record)
    state = store.read(path)
    assert state is not None
    pen = Pen(state, store.writer_for(path, state))
    pen.state.fields.clear()
    pen.state.sets.clear()
    pen.live()
    store.write([Write(path, pen.state)])
    assert [(one.id, one.what) for one in team["ada"].gc().let_go] == [(record, "empty")]
    team.agree()
    assert not team["bob"].get(record).alive
