"""Migrating on real clones: two at once, against edits of an older gitmem, without a key, all or nothing, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git import snapshots
from gitmem.memory.locate import locate
from gitmem.memory.recording import together
from gitmem.memory.upkeep.migrate import detect, plan, rollback, run
from tests.support.git import Git
from tests.support.older import older
from tests.support.team import NAMES, Team, closed, make_team, quick


@pytest.fixture(params=[True, False], ids=["plain", "sealed"])
def team(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """Ada's and Bob's clones of a plain store, and of a sealed one."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=request.param))


def shared(team: Team, versions: str = "since 14.2") -> str:
    """An older quirk that both have."""
    record = older(team["ada"], versions)
    team.sync()
    return record


def held(team: Team, name: str, record: str) -> bytes:
    """The record's bytes in somebody's clone."""
    return (team.folder / name / locate(team[name].context, record)).read_bytes()


def test_two_migrate_separately_to_the_same_bytes(team: Team) -> None:
    """Both run it before they meet: the same file; then they sync, agree, and nothing waits or is in conflict."""
    record = shared(team)
    (before,) = detect(team["ada"].context)
    assert (before.kind, before.newest, before.versions, before.waiting) == ("quirk", 2, {1: 1}, 1)
    for name in ("ada", "bob"):
        (told,) = run(team[name].context).records
        assert (told.id, told.schema, told.to, told.fields) == (record, 1, 2, ["since"])
    assert held(team, "ada", record) == held(team, "bob", record)
    team.agree()
    for name in ("ada", "bob"):
        shown = team[name].get(record)
        assert (shown.schema, shown.fields["since"], shown.fields["versions"], shown.conflicts) == (2, "14.2", "since 14.2", {})
        assert run(team[name].context).records == []
        assert [hit.id for hit in team[name].search("14.2")] == [record]


def test_against_an_edit_of_an_older_gitmem(team: Team) -> None:
    """Bob's gitmem knows the first version only and edits while Ada migrates: the next run follows his words."""
    record = shared(team)
    run(team["ada"].context)
    older(team["bob"], "since 15")
    team.sync()
    assert team["ada"].get(record).fields["versions"] == "since 15"
    assert detect(team["ada"].context)[0].waiting == 1
    run(team["ada"].context)
    run(team["bob"].context)
    team.agree()
    assert (team["bob"].get(record).fields["since"], team["bob"].get(record).conflicts) == ("15", {})


def test_while_it_is_forgotten_used_and_edited(team: Team) -> None:
    """A migration is no edit: it revives nothing, and what others write meanwhile stands."""
    gone, kept = older(team["ada"], "since 1"), older(team["ada"], "since 2", "q-6zaaaaaaaaaa")
    team.sync()
    run(team["ada"].context)
    team["bob"].forget(gone)
    team["bob"].used(kept, fixed=True)
    team["bob"].edit(kept, {"since": "2.0.1"})
    team.agree()
    assert not team["ada"].get(gone).alive
    shown = team["ada"].get(kept)
    assert (shown.usage.fixed, shown.fields["since"], shown.conflicts) == (1, "2.0.1", {})


def test_back_and_again(team: Team) -> None:
    """A rollback takes back what was filled in, here and elsewhere; another run fills it in again."""
    record = shared(team)
    run(team["ada"].context)
    team.sync()
    assert [one.fields for one in rollback(team["bob"].context, dry_run=True).records] == [["since"]]
    report = rollback(team["bob"].context)
    assert (report.dry_run, [one.id for one in report.records]) == (False, [record])
    team.agree()
    assert "since" not in team["ada"].get(record).fields
    team["ada"].edit(record, {"impact": "slow"})
    assert "since" not in team["ada"].get(record).fields
    assert rollback(team["ada"].context).records == []
    run(team["ada"].context)
    team.agree()
    assert team["bob"].get(record).fields["since"] == "14.2"


def test_writing_works_it_out(team: Team) -> None:
    """What is learned or edited is of the newest version at once, also a record of an older one."""
    ada = team["ada"]
    new = ada.learn("quirk", {"service": "db", "quirk": "dozes", "versions": "3.1+"})
    assert (new.schema, new.fields["since"]) == (2, "3.1")
    record = shared(team)
    edited = ada.edit(record, {"fixed_in": "16"})
    assert (edited.schema, edited.fields["since"], edited.fields["fixed_in"]) == (2, "14.2", "16")
    assert ada.edit(record, {"versions": "since 14.3"}).fields["since"] == "14.3"
    team.agree()
    assert detect(ada.context)[0].waiting == 0


def test_one_record_that_does_not_fit_stops_all(team: Team) -> None:
    """A step that fails leaves every byte as it was, and names the record; the plan shows it."""
    shared(team)
    bad = older(team["ada"], "since 2", "q-6zaaaaaaaaaa", service=" ")
    team["ada"].commit()
    git = Git(team.folder / "ada")
    before = git("rev-parse", "HEAD")
    assert [problem.partition(" stays")[0] for problem in plan(team["ada"].context).problems] == [bad]
    with pytest.raises(InvalidRecord, match=f"nothing was migrated: {bad}"):
        run(team["ada"].context)
    assert (git("rev-parse", "HEAD"), git("status", "--porcelain", "--ignored")) == (before, "")


def test_a_commit_that_fails_puts_everything_back(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while the commit is made: work tree and branch are as they were, and the next run does it."""
    shared(team)
    git = Git(team.folder / "ada")
    git("gc", "--quiet")
    real = together.commit

    def full(context: Any, message: str | None = None, extras: Any = ()) -> Any:
        if extras:
            (team.folder / "ada/.git/refs/heads/main.lock").touch()  # git cannot move the branch
        return real(context, message, extras)

    monkeypatch.setattr(together, "commit", full)
    with pytest.raises(GitmemError):
        run(team["ada"].context)
    (team.folder / "ada/.git/refs/heads/main.lock").unlink()
    assert git("status", "--porcelain", "memory") == ""
    monkeypatch.undo()
    assert len(run(team["ada"].context).records) == 1
    assert snapshots.all_snapshots(team["ada"].context.store.repo)[-1].reason.startswith("migrate")
    team.agree()
