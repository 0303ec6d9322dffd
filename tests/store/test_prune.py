"""Pruning on real clones: two at once, against uses and edits, brought back here and elsewhere, also what was collected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitmem.core.codec import emit
from gitmem.core.retention import pruned
from gitmem.errors import GitmemError
from gitmem.memory.configuration import thresholds
from gitmem.memory.locate import locate
from gitmem.memory.policies import set_numbers
from gitmem.memory.privacy.erase import erase
from gitmem.memory.recording import together
from gitmem.memory.upkeep import prune as pruning
from gitmem.memory.upkeep.prune import prune
from gitmem.memory.upkeep.prune_undo import archives, undo
from gitmem.store.settings import rules_for
from tests.support.git import Git
from tests.support.team import NAMES, Team, closed, make_team, quick


@pytest.fixture(params=[True, False], ids=["plain", "sealed"])
def team(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """Ada's and Bob's clones of a plain store, and of a sealed one."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=request.param))


def later(team: Team, days: int = 100) -> None:
    """So many days pass."""
    now = datetime.now(UTC) + timedelta(days=days)
    for memory in team.clones.values():
        memory.context.clock = lambda: now


def alive(team: Team, record: str) -> set[bool]:
    """Whether a record stands, as the clones see it."""
    return {team[name].get(record).alive for name in team.clones}


def test_two_prune_at_once(team: Team) -> None:
    """The dry run changes nothing; both prune before they meet, to the same bytes, and the log is sound."""
    record, kept = team.learn(), team["ada"].learn("preference", {"person": "ada", "topic": "tabs", "preference": "no"}).id
    team.sync()
    later(team)
    git = Git(team.folder / "ada")
    head = git("rev-parse", "HEAD")
    told = prune(team["ada"].context, dry_run=True)
    assert ([(one.id, one.reason) for one in told.records], told.by_reason) == ([(record, "unused")], {"unused": 1})
    assert (told.standing, told.commit, git("rev-parse", "HEAD")) == (2, None, head)
    done = [prune(team[name].context) for name in ("ada", "bob")]
    assert [[one.id for one in report.records] for report in done] == [[record], [record]]
    path = locate(team["ada"].context, record)
    assert (team.folder / "ada" / path).read_bytes() == (team.folder / "bob" / path).read_bytes()
    team.agree()
    assert alive(team, record) == {False}
    assert alive(team, kept) == {True}
    assert prune(team["ada"].context).records == []
    assert {one.name for one in archives(team["bob"].context)} == {report.archive for report in done}


def test_a_clock_that_may_be_years_ahead_prunes_nothing_unasked(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that clock has committed something: it refuses before anything is done, and goes on where a person is sure."""
    record = team.learn()
    later(team, 366)
    ada, git = team["ada"], Git(team.folder / "ada")
    monkeypatch.setenv("GIT_COMMITTER_DATE", ada.context.now())
    head = git.commit("under the wrong clock")
    assert prune(ada.context, dry_run=True).records != []
    with pytest.raises(GitmemError, match=r"nothing was committed from 2.* until today.*clock may be ahead"):
        prune(ada.context)
    assert (git("rev-parse", "HEAD"), ada.get(record).alive) == (head, True)
    assert [one.id for one in prune(ada.context, sure=True).records] == [record]


def test_a_try_or_an_edit_elsewhere_keeps_it(team: Team) -> None:
    """Bob tries one and edits the other before he hears that Ada pruned both: both stand everywhere, and nobody is asked."""
    tried, edited = team.learn(), team.learn("another error")
    later(team)
    assert len(prune(team["ada"].context).records) == 2
    team["bob"].used(tried, fixed=True)
    team["bob"].edit(edited, {"fix": "another way"})
    team.agree()
    for name in team.clones:
        assert (team[name].get(tried).alive, team[name].get(tried).usage.fixed) == (True, 2)
        assert (team[name].get(edited).fields["fix"], team[name].conflicts()) == ("another way", [])
    assert prune(team["ada"].context).records == []


def test_a_plain_pull_is_settled_by_the_next_prune(team: Team) -> None:
    """Where git alone brought both, the next pruning lets the record stand."""
    record = team.learn()
    later(team)
    prune(team["ada"].context)
    team["ada"].sync()
    team["bob"].used(record, fixed=True)
    team["bob"].commit()
    Git(team.folder / "bob")("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    assert not team["bob"].get(record).alive
    assert prune(team["bob"].context).revived == [record]
    team.agree()
    assert alive(team, record) == {True}


def test_brought_back_elsewhere(team: Team) -> None:
    """Bob undoes what Ada pruned, twice without effect, and it is not pruned again; what stands or was erased is named."""
    record, erased, edited = team.learn(), team.learn("another error"), team.learn("a third")
    later(team)
    archive = prune(team["ada"].context).archive
    team.sync()
    erase(team["ada"].context, [erased])
    team["ada"].learn("pattern", {"pattern": "a third", "fix": "again"})
    team.sync()
    assert [(one.name, one.member, len(one.paths)) for one in archives(team["bob"].context)] == [(archive, "ada", 3)]
    told = undo(team["bob"].context, "last", dry_run=True)
    assert (told.dry_run, told.restored, told.commit) == (True, [record], None)
    report = undo(team["bob"].context, str(archive))
    assert report.restored == [record]
    assert {one.id: one.why[:13] for one in report.skipped} == {erased: "it was erased", edited: "it stands"}
    team.agree()
    shown = team["ada"].get(record)
    assert (shown.alive, shown.fields["fix"], shown.sets["tags"], shown.usage.fixed) == (True, "plug it in", ["net"], 1)
    assert prune(team["ada"].context).records == []
    assert undo(team["ada"].context, str(archive)).restored == []
    later(team, 200)
    assert record in {one.id for one in prune(team["ada"].context).records}


def test_brought_back_after_it_was_collected(team: Team) -> None:
    """The file is gone everywhere and only the grave is left: its values come from git's history."""
    record = team.learn()
    later(team)
    prune(team["ada"].context)
    team.sync()
    team.sync()
    assert [one.id for one in team["ada"].gc().collected] == [record]
    team.agree()
    assert team.has(record) == []
    assert undo(team["bob"].context, "last").restored == [record]
    team.agree()
    shown = team["ada"].get(record)
    assert (shown.alive, shown.fields["fix"], shown.sets["tags"], shown.usage.fixed) == (True, "plug it in", ["net"], 1)
    assert team["ada"].match("no route to host")[0].id == record


def test_thresholds_of_the_store(team: Team) -> None:
    """Its own count for all, a kind's before those, a scope's before a kind's, an agent's before all."""
    ada = team["ada"].context
    set_numbers(ada, {"prune.unused_days": 50, "prune.unused_days.kind.quirk": 40, "prune.unused_days.scope.ops": 30})
    set_numbers(ada, {"prune.unused_days.agent.ci": 20, "prune.success_percent": 33})
    days = [rules_for(thresholds(ada), *place).unused_days for place in PLACES]
    assert days == [50, 40, 30, 20, 180, 0]
    assert rules_for(thresholds(ada), "note", "team").success_percent == 33
    record = team.learn()
    later(team, 51)
    assert [one.id for one in prune(team["bob"].context, dry_run=True).records] == [record]


PLACES = [
    ("pattern", "team"),
    ("quirk", "team"),
    ("quirk", "ops"),
    ("quirk", "agents/ci"),
    ("decision", "team"),
    ("preference", "team"),
]


def test_all_or_nothing(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pruning that cannot be committed leaves everything as it was, and the next one does it."""
    record = team.learn()
    later(team)
    real, lock = together.commit, team.folder / "ada/.git/refs/heads/main.lock"
    monkeypatch.setattr(together, "commit", lambda *args, **options: (lock.touch(), real(*args, **options))[1])
    with pytest.raises(GitmemError):
        prune(team["ada"].context)
    lock.unlink()
    monkeypatch.undo()
    assert Git(team.folder / "ada")("status", "--porcelain", "memory") == ""
    assert team["ada"].get(record).alive
    assert [one.id for one in prune(team["ada"].context).records] == [record]
    team.agree()


def test_there_is_nothing_to_bring_back(team: Team) -> None:
    """An archive there is not is refused with the way to those there are."""
    for name in ("last", "k3v9q2xa-1.7", "../etc"):
        with pytest.raises(GitmemError) as caught:
            undo(team["ada"].context, name)
        assert "--list" in caught.value.hint
    assert pruning.settle(team["ada"].context, ["memory/nowhere.yaml"]) == []


def test_one_that_was_killed_before_its_commit(team: Team) -> None:
    """What it left in the work tree is taken in by the next commit, as a pruning that can be undone."""
    record = team.learn()
    path = locate(team["ada"].context, record)
    state = team["ada"].context.store.read(path)
    assert state is not None
    team["ada"].context.store.put_file(path, emit(pruned(state)))
    team["ada"].commit()
    assert not team["ada"].get(record).alive
    assert undo(team["ada"].context, "last").restored == [record]
    team.agree()
