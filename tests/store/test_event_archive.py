"""Archiving events on real clones: smaller, readable, verified; two at once, an older clone, and what comes later."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from gitmem.memory.auditing.told import told_acts
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.committing.events import batch_file, every_event
from gitmem.memory.upkeep.event_archive import archive_events
from gitmem.store.layout import EVENTS
from tests.support.git import Git
from tests.support.team import NAMES, Team, closed, make_team, quick

BATCHES = 12


@pytest.fixture(params=[True, False], ids=["plain", "sealed"])
def team(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """Ada's and Bob's clones, with the uses of a dozen days half a year ago."""
    yield from closed(make_team(quick(tmp_path), NAMES[:2], plain=request.param))


def at(team: Team, now: datetime) -> None:
    """That is the time now."""
    for memory in team.clones.values():
        memory.context.clock = lambda: now


def then(days_ago: int = 160, hour: int = 0) -> datetime:
    """An hour amid the month of so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days_ago)).replace(day=15, hour=hour)


def worked(team: Team, days_ago: int = 160) -> str:
    """A record that Ada used in a dozen sessions."""
    at(team, then(days_ago))
    record = team.learn()
    for hour in range(BATCHES):
        at(team, then(days_ago, hour))
        for _ in range(8):
            team["ada"].used(record, fixed=True, ms=1500)
        team["ada"].commit()
    team.sync()
    at(team, datetime.now(UTC))
    return record


def told(team: Team, name: str) -> list[dict[str, Any]]:
    """Every event, in order."""
    return sorted(every_event(team[name].context), key=str)


def files(team: Team, name: str) -> list[str]:
    """The files that hold events in somebody's clone."""
    root = team.folder / name
    return sorted(file.relative_to(root).as_posix() for file in (root / EVENTS).rglob("*.yaml"))


def test_archived_and_readable(team: Team) -> None:
    """A dry run changes nothing; then a dozen files are one, a third of the size at most, with the same events everywhere."""
    worked(team)
    before, held = told(team, "ada"), files(team, "ada")
    assert archive_events(team["ada"].context, dry_run=True).batches >= BATCHES
    assert files(team, "ada") == held
    report = archive_events(team["ada"].context)
    assert (report.batches >= BATCHES, report.problems) == (True, [])
    assert report.after <= 0.3 * report.before
    assert told(team, "ada") == before
    team.agree()
    assert told(team, "bob") == before
    assert len(files(team, "bob")) < len(held) - BATCHES + 4
    assert archive_events(team["ada"].context).batches == 0
    assert team["ada"].verify(full=True).problems == []
    assert [check.why for check in doctor(team["bob"].context) if check.name in ("records", "history") and not check.ok] == []


def test_two_archive_at_once(team: Team) -> None:
    """They make the same file, whoever wrote the events; what each told before, both tell after."""
    worked(team)
    before = told(team, "ada")
    for name in ("ada", "bob"):
        assert archive_events(team[name].context).batches >= BATCHES
    assert files(team, "ada") == files(team, "bob")
    team.agree()
    assert told(team, "ada") == told(team, "bob") == before


def test_what_comes_late_is_another_batch(team: Team) -> None:
    """A clone commits what happened then after it was archived: under a number of its own, told once, archived next time."""
    record = worked(team)
    archive_events(team["ada"].context)
    team.sync()
    before = len(told(team, "ada"))
    at(team, then())
    for _ in range(2):
        team["ada"].used(record, fixed=True)
        team["ada"].commit()
    at(team, datetime.now(UTC))
    assert len(told(team, "ada")) == before + 2
    assert archive_events(team["ada"].context).batches == 2
    assert len(told(team, "ada")) == before + 2
    team.agree()


def test_batches_that_come_back_are_told_once(team: Team) -> None:
    """A revert brings the batches back beside the archive: nothing is counted twice, and the next archiving takes them out."""
    worked(team)
    before = told(team, "ada")
    archive_events(team["ada"].context)
    git = Git(team.folder / "ada")
    git("checkout", "--quiet", "HEAD~1", "--", EVENTS)
    git("commit", "--quiet", "--no-verify", "--message", "brought back")
    assert told(team, "ada") == before
    team["ada"].sync()
    archive_events(team["ada"].context)
    assert told(team, "ada") == before


def _dropped(team: Team, git: Git) -> None:
    archived = git("rev-parse", "HEAD")
    team["bob"].learn("note", {"type": "semantic", "text": "another"})
    team["bob"].commit()
    git("rebase", "--quiet", "--onto", f"{archived}~1", archived)
    team["bob"].commit()


def _soft(team: Team, git: Git) -> None:
    git("reset", "--quiet", "--soft", "HEAD~1")
    team["bob"].commit()


def _by_hand(_team: Team, git: Git) -> None:
    git("reset", "--quiet", "--soft", "HEAD~1")
    git("commit", "--quiet", "--message=again")


@pytest.mark.parametrize("team", [True], indirect=True)
@pytest.mark.parametrize("way", [_dropped, _soft, _by_hand])
def test_an_archiving_that_git_takes_out(team: Team, way: Callable[[Team, Git], None]) -> None:
    """Bob's commit that archived Ada's events is left out, or made again: the archive stands, what is in it is gone."""
    worked(team)
    before = told(team, "ada")
    archive_events(team["bob"].context)
    held = files(team, "bob")
    gone = {*files(team, "ada")}.difference(held)
    way(team, Git(team.folder / "bob"))
    assert gone.isdisjoint(files(team, "bob"))
    assert {*held} <= {*files(team, "bob")}
    assert [event for event in told(team, "bob") if event in before] == before
    team.agree()
    assert team["bob"].verify().problems == []


def test_young_months_stay(team: Team) -> None:
    """What happened lately is not touched."""
    worked(team, 20)
    assert archive_events(team["ada"].context, dry_run=True).batches == 0


def packed(lines: bytes) -> str:
    """Some lines as a plain store packs events."""
    return base64.b64encode(zstandard.ZstdCompressor().compress(lines)).decode()


HUGE = b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little")
"""The head of a zstd frame that says that it holds 2**60 bytes."""
NO_BATCHES = {
    "no payload": b"writer: ada-1\nscope: team\n",
    "no scope": f"writer: ada-1\npayload: {packed(b'{}')}\n".encode(),
    "sealed, and no writer": b"scope: team\npayload: ENC[1-9f3a1c07,AAAA]\n",
    "not zstd": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], "AAAA"),
    "too large": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], base64.b64encode(HUGE).decode()),
    "a list": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], packed(b"[1]\n")),
    "a number": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], packed(b"1\n")),
    "too deep": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], packed(b"[" * 100_000)),
    "an odd name": batch_file("ada-1", "team", ["2026-11-20T10:00:00Z"], packed(b'{"by":"ada-1","id":[]}\n')),
}


@pytest.mark.parametrize("team", [True], indirect=True)
def test_what_is_no_batch_is_passed_over(team: Team) -> None:
    """Whatever a member commits in the place of a batch: who needs all events is told which file, and goes on."""
    said, before = list[str](), told(team, "ada")
    team["ada"].context.warn = said.append
    file = team.folder / "ada" / EVENTS / "ada-1/2026-11/000001.yaml"
    file.parent.mkdir(parents=True)
    for what, content in NO_BATCHES.items():
        file.write_bytes(content)
        assert told(team, "ada") == before, what
        assert "000001.yaml is no batch" in said.pop(), what
        assert told_acts(team["ada"].context) == [], what


@pytest.mark.parametrize("team", [True], indirect=True)
def test_a_time_that_is_none_gets_into_no_header(team: Team) -> None:
    """An archive says in the clear from when to when it is: a time that would add lines to that keeps the month as it is."""
    folder = team.folder / "ada" / EVENTS / f"ada-1/{then():%Y-%m}"
    folder.mkdir(parents=True)
    for number, at in enumerate(("2026-01-01T00:00:00Z", r"2026-01-01T00:00:00Z\npayload")):
        content = packed(f'{{"at":"{at}","op":"used"}}\n'.encode() * 100)
        (folder / f"{number + 1:06d}.yaml").write_bytes(batch_file("ada-1", "team", ["2026-01-01T00:00:00Z"] * 100, content))
    done = archive_events(team["ada"].context, dry_run=True)
    assert (done.archives, done.problems) == (0, [f"{EVENTS}/ada-1/{folder.name} was left as it is: it holds no batch"])
