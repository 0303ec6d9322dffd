"""`gitmem maintenance`: every step, one that fails, and the timers that run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Seat

STEPS = ["snapshot", "backup", "prune", "archive", "gc", "verify", "index", "git"]


def test_every_step(ada: Seat) -> None:
    """A dry run changes nothing; without an answer nothing is done; then each is done, or says why not."""
    ada.learn()
    ada("commit").ok()
    head = ada.head()
    told = ada("maintenance", "run", "--dry-run", "--json").ok().json
    assert (told["ok"], told["dry_run"], [step["name"] for step in told["steps"]]) == (True, True, STEPS)
    assert "nobody is there to ask" in ada("maintenance", "run").expect(2).err
    assert ada.head() == head
    done = ada("maintenance", "run", "--yes", "--json").ok().json
    assert list(done["steps"][0]) == ["name", "result", "said", "seconds"]
    results = {step["name"]: step["result"] for step in done["steps"]}
    assert results == dict.fromkeys(STEPS, "done") | {"backup": "skipped"}
    ada("backup", "create", "--to", str(ada.path.parent / "safe")).ok()
    again = {step["name"]: step for step in ada("maintenance", "run", "--yes", "--json").ok().json["steps"]}
    assert again["backup"]["result"] == "done"


def test_a_step_that_fails_does_not_stop_the_others(ada: Seat) -> None:
    """The place for backups is gone: it is named, the rest is done, and the exit code tells."""
    ada.learn()
    place = ada.path.parent / "away"
    ada("backup", "create", "--to", str(place)).ok()
    for file in sorted(place.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    place.rmdir()
    place.write_text("no directory")
    ada.learn("--pattern", "another error", "--fix", "restart")
    failed = ada("maintenance", "run", "--yes", "--json").expect(1)
    results = {step["name"]: step["result"] for step in failed.json["steps"]}
    assert results == dict.fromkeys(STEPS, "done") | {"backup": "failed"}
    assert "failed: backup" in failed.err


def test_timers(ada: Seat) -> None:
    """Printed, written, written again without a change, and taken out."""
    printed = ada("maintenance", "install", "--with", "systemd", "--dry-run").ok().out
    assert "OnCalendar=daily" in printed
    assert str(ada.path) in printed
    first = ada("maintenance", "install", "--with", "systemd", "--json").ok().json
    assert list(first) == ["dry_run", "way", "files", "changed", "notes"]
    assert (first["changed"], len(first["files"])) == (True, 2)
    assert ada("maintenance", "install", "--with", "systemd", "--json").ok().json["changed"] is False
    told = ada("maintenance", "uninstall", "--dry-run", "--json").ok().json["removed"]
    removed = ada("maintenance", "uninstall", "--json").ok().json["removed"]
    assert {*told[0]["files"]} == {*removed[0]["files"]} == {*first["files"]}
    assert "nothing was in place" in ada("maintenance", "uninstall").ok().err


def test_a_crontab_that_is_not_shown_is_not_overwritten(ada: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only somebody who has none yet has an empty one; whatever else goes wrong is told, and nothing is written."""
    program, table = tmp_path / "bin" / "crontab", tmp_path / "table"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    for says, code in (("crontab: cannot chdir(/var/spool/cron): Permission denied", 1), ("no crontab for ada", 0)):
        program.write_text(f'#!/bin/sh\n[ "$1" = - ] && exec cat > {table}\necho "{says}" >&2\nexit 1\n')
        program.chmod(0o755)
        done = ada("maintenance", "install", "--with", "cron").expect(code)
        assert (says in done.err, table.exists()) == (bool(code), not code)
    assert str(ada.path) in table.read_text()
