"""Records brought back to what they were: by a place in the log, a time, a backup, a snapshot."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, UsageError
from gitmem.git.repo import Repo
from gitmem.git.snapshots import all_snapshots
from gitmem.memory.auditing.files import heads
from gitmem.memory.auditing.log import log
from gitmem.memory.backups.moments import moment_of
from gitmem.memory.backups.restore import ERASED, FORGOTTEN, NEWER
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase import erase
from tests.support.git import Git
from tests.support.stores import EFFORT
from tests.support.team import NAMES, Team, closed, make_team, quick

POINTS = 8 if EFFORT == 1 else 200


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada's and Bob's clones of a sealed store."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=False))


@pytest.fixture(params=[True, False], ids=["plain", "sealed"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """The same, of an open store as well."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=request.param))


def _now(memory: Memory) -> str:
    """The end of this clone's own chain, as a place in the log."""
    memory.commit()
    head = heads(memory.context.store.root)[memory.context.store.replica.writer]
    return f"{head.writer}:{head.seq}"


def test_what_was_lost_comes_back_and_what_is_newer_stays(either: Team) -> None:
    """A forgotten record, a removed field and tag return; an edit since is kept, and told of. All clones agree on it."""
    team = either
    ada = team["ada"]
    lost, cut, edited = (team.learn(f"error {name}") for name in ("lost", "cut", "edited"))
    then = _now(ada)
    ada.forget(lost)
    ada.edit(cut, {"fix": None, "tags": []})
    ada.edit(edited, {"fix": "a better fix"})
    fresh = ada.learn("pattern", {"pattern": "came since", "fix": "new"}).id
    team.sync()
    dry = ada.restore(then, dry_run=True)
    head = Git(team.folder / "ada")("rev-parse", "HEAD")
    report = ada.restore(then)
    assert dry.records == report.records
    assert {one.id: one.what for one in report.records} == {lost: "brought back", cut: "completed", edited: NEWER}
    assert {one.id: one.lines for one in report.records}[cut] == ["+ fix: plug it in", "+ tags: net"]
    assert {one.id: one.lines for one in report.records}[edited] == ["! fix was written since, and stays"]
    assert Git(team.folder / "ada")("rev-parse", f"{report.snapshot}^1") == head
    assert ada.get(lost).alive
    assert (ada.get(lost).fields["fix"], ada.get(lost).sets["tags"], ada.get(lost).usage.fixed) == ("plug it in", ["net"], 1)
    assert (ada.get(cut).fields["fix"], ada.get(edited).fields["fix"]) == ("plug it in", "a better fix")
    assert ada.get(fresh).alive
    assert {entry.record for entry in log(ada.context.store.root, op="restore")} == {lost, cut}
    assert ada.restore(then).commit is None
    team.agree()
    assert team["bob"].get(lost).fields == ada.get(lost).fields


def test_all_can_be_put_back_as_it_was(either: Team) -> None:
    """With `replace` edits since give way, and records that came since are forgotten."""
    team = either
    ada = team["ada"]
    edited = team.learn("error edited")
    before = ada.get(edited)
    then = _now(ada)
    ada.edit(edited, {"fix": "a worse fix", "meaning": "none", "tags": ["net", "new"]})
    fresh = ada.learn("pattern", {"pattern": "came since", "fix": "new"}).id
    team.sync()
    report = ada.restore(then, replace=True)
    assert {one.id: one.what for one in report.records} == {edited: "put back", fresh: FORGOTTEN}
    told = {entry.record: entry.op for entry in log(ada.context.store.root, limit=3) if entry.record}
    assert told == {edited: "restore", fresh: "forget"}
    assert (ada.get(edited).fields, ada.get(edited).sets) == (before.fields, before.sets)
    assert not ada.get(fresh).alive
    team.agree()
    assert not team["bob"].get(fresh).alive


def test_a_part_can_be_restored(team: Team) -> None:
    """By kind, by scope, by id; what names no moment is refused with what would."""
    ada = team["ada"]
    one, other = team.learn("error one"), team.learn("error two")
    then = _now(ada)
    ada.forget(one)
    ada.forget(other)
    assert [found.id for found in ada.restore(then, id=one).records] == [one]
    assert ada.restore(then, kind="decision").records == []
    for kind, scope, name in (("decison", None, None), (None, "agents/x", None), (None, None, "p-nope")):
        with pytest.raises(GitmemError):
            ada.restore(then, kind=kind, scope=scope, id=name)
    assert not ada.get(other).alive
    none = ("tomorrow", "b-aaaaaaaa-0001", "zzz-1:1", "20260101T000000Z-gc", "2026-13-01", "2026-02-30T10")
    for name in (*none, "1999"):  # before the first entry: with `replace` all would be forgotten
        with pytest.raises(UsageError):
            ada.restore(name)


def test_from_a_backup_that_holds_more_than_this_clone(team: Team) -> None:
    """What was recorded, backed up and then lost with its history: the backup's objects are fetched, and its counts join."""
    ada = team["ada"]
    record = team.learn("error one")
    before = Git(team.folder / "ada")("rev-parse", "HEAD")
    ada.backup(str(team.folder / "there"))
    ada.used(record, fixed=True)
    gone = ada.learn("pattern", {"pattern": "only in the backup", "fix": "restore"}).id
    made = ada.backup()
    used = ada.get(record).usage.fixed
    Git(team.folder / "ada")("reset", "--hard", "--quiet", before)
    Git(team.folder / "ada")("reflog", "expire", "--expire=now", "--all")
    Git(team.folder / "ada")("update-ref", "-d", "ORIG_HEAD")
    Git(team.folder / "ada")("gc", "--quiet", "--prune=now")
    ada = team.reopen("ada")
    assert [one.id for one in ada.records()] == [record]
    report = ada.restore(made.id)
    assert {one.id: one.what for one in report.records} == {record: "completed", gone: "brought back"}
    assert (ada.get(gone).fields["fix"], ada.get(record).usage.fixed) == ("restore", used)
    team.agree()


def test_erasures_survive(team: Team) -> None:
    """A record that was erased since is told of, and not brought back: not here, and not from a backup."""
    ada = team["ada"]
    gone = team.learn("error of Bo")
    then = _now(ada)
    made = ada.backup(str(team.folder / "there"))
    erase(ada.context, [gone])
    team.sync()
    for at in (then, made.id):
        report = team["ada"].restore(at)
        assert ([(one.id, one.what) for one in report.records], report.commit) == ([(gone, ERASED)], None)
    assert team.has(gone) == []


def test_a_conflict_of_then_comes_back_as_it_was_shown(team: Team) -> None:
    """Of two values that stood beside each other the one that was shown is put back, and it is said that there were two."""
    ada, bob = team["ada"], team["bob"]
    record = team.learn("error one")
    ada.edit(record, {"fix": "of Ada"})
    bob.edit(record, {"fix": "of Bob"})
    team.sync()
    shown = ada.get(record).fields["fix"]
    ada.learn("pattern", {"pattern": "another", "fix": "one"})
    then = _now(ada)
    ada.resolve(record, "fix", value="settled")
    [told] = ada.restore(then, replace=True).records
    assert (told.what, told.lines[-1]) == ("put back", "! fix had 2 values then; this is the one shown")
    assert (ada.get(record).fields["fix"], ada.get(record).conflicts) == (shown, {})
    ada.forget(record)
    ada.restore(then)
    assert ada.get(record).fields["fix"] == shown
    team.agree()


def test_a_snapshot_can_be_restored(team: Team) -> None:
    """By its name: what a batch, a gc or a restore was preceded by."""
    ada = team["ada"]
    record = team.learn("error one")
    then = _now(ada)
    ada.edit(record, {"fix": "a worse fix"})
    ada.commit()
    ada.restore(then, replace=True)
    name = all_snapshots(Repo.find(team.folder / "ada"))[-1].ref.rpartition("/")[2]
    assert ada.get(record).fields["fix"] == "plug it in"
    ada.restore(name, replace=True)
    assert ada.get(record).fields["fix"] == "a worse fix"


def test_a_point_in_time_is_right_whatever_the_clocks_say(tmp_path: Path) -> None:
    """Three clones, clocks off by up to a year: every place in the log is the state that its writer had just signed."""
    for team in closed(make_team(quick(tmp_path), NAMES, plain=True)):
        draw, oracle = random.Random(7), dict[str, str]()
        for memory in team.clones.values():
            off = timedelta(days=draw.uniform(-365, 365))
            memory.context.clock = lambda clock=memory.context.clock, off=off: clock() + off  # type: ignore[misc]
        while len(oracle) < POINTS:
            name = draw.choice(NAMES)
            _act(team[name], draw)
            place = _now(team[name])
            oracle[place] = Git(team.folder / name)("rev-parse", "HEAD:memory")
            if draw.random() < 0.4:
                team.sync(name)
        team.sync()
        for place, tree in oracle.items():
            reader = team[draw.choice(NAMES)]
            [commit] = moment_of(reader.context, place).commits
            assert Git(reader.context.store.root)("rev-parse", f"{commit}:memory") == tree, place
        for place in draw.sample(sorted(oracle), 2):
            team["ada"].restore(place, replace=True)
            wanted = _values(team["ada"], place)
            assert {one.id: (one.fields, one.sets) for one in team["ada"].records(limit=1000)} == wanted
        team.agree()


def _act(memory: Memory, draw: random.Random) -> None:
    known = memory.records(limit=1000)
    act = draw.choice(("learn", "edit", "used", "forget")) if len(known) > 2 else "learn"
    if act == "learn":
        memory.learn("pattern", {"pattern": f"error {draw.random()}", "fix": "one"}, tags=[draw.choice("abc")])
    elif act == "edit":
        memory.edit(draw.choice(known).id, {"fix": f"fix {draw.random()}", "tags": [draw.choice("abc")]})
    elif act == "used":
        memory.used(draw.choice(known).id, fixed=True)
    else:
        memory.forget(draw.choice(known).id)


def _values(memory: Memory, place: str) -> dict[str, object]:
    """The values of the records that stood at a place in the log, read from a clone of that commit."""
    [commit] = moment_of(memory.context, place).commits
    folder = memory.context.store.root.parent / f"at-{commit[:8]}"
    Git(folder.parent)("clone", "--quiet", "--no-checkout", memory.context.store.root, folder)
    Git(folder)("checkout", "--quiet", "-B", "main", commit)
    with Memory.open(folder) as then:
        return {one.id: (one.fields, one.sets) for one in then.records(limit=1000)}
