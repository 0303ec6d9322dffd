"""`gitmem backup` as people and scripts use it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import LESSON, Seat
from tests.support.git import Git


def test_a_laptop_is_lost(ada: Seat, tmp_path: Path) -> None:
    """Made, listed, verified; then restored by somebody who has nothing but the place and their key."""
    record, there = ada.learn(*LESSON), tmp_path / "there"
    made = ada("backup", "create", "--to", there, "--json").ok().json
    assert {"id", "type", "bytes", "records"} <= made.keys()
    assert (made["type"], made["records"]) == ("full", 1)
    again = ada("backup", "create").ok()
    assert (again.out.strip(), "nothing was recorded since" in again.err) == (made["id"], True)
    listed = ada("backup", "list").ok().out.split("\t")
    assert (listed[0], listed[2]) == (made["id"], "full")
    assert ada("backup", "list", "--json").ok().json["backups"][0]["id"] == made["id"]
    report = ada("backup", "verify", "--deep", "--json").ok().json
    assert (report["ok"], report["problems"]) == (True, [])
    done = ada("-C", tmp_path, "backup", "restore", "--from", there, "back", "--json").ok().json
    assert (done["backup"], done["records"], done["root"]) == (made["id"], 1, str(tmp_path / "back"))
    assert ada("-C", tmp_path / "back", "show", record, "--json").ok().json["id"] == record
    assert Git(tmp_path / "back")("status", "--porcelain") == ""


def test_what_is_wrong_has_an_exit_code(ada: Seat, tmp_path: Path) -> None:
    """15 with the problem on stdout, and a way on; 2 where the words do not fit; 10 where there is nothing."""
    assert "no place for backups is known" in ada("backup", "create").expect(2).err
    assert "is gone when this command ends" in ada("backup", "create", "--to", "memory://x").expect(2).err
    assert "there are no backups" in ada("backup", "verify", "--from", tmp_path / "keys").expect(1).err
    assert "not both" in ada("backup", "create", "--full", "--incremental").expect(2).err
    there, back = tmp_path / "there", tmp_path / "back"
    ada("backup", "create", "--to", there).ok()
    bundle = next(there.rglob("*.bundle.age"))
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"x")
    found = ada("backup", "verify").expect(15)
    assert ("altered bundle" in found.out, "error: 1 problem at" in found.err) == (True, True)
    assert ada("backup", "verify", "--json").expect(15).json["problems"][0]["what"] == "altered bundle"
    assert "altered" in ada("backup", "restore", "--from", there, back).expect(15).err
    assert not back.exists()
    assert "no backups of a store" in ada("backup", "restore", "--from", tmp_path / "keys", back).expect(10).err
    assert "it takes --from and --at" in ada("backup", "restore", back).expect(2).err


def test_records_are_restored(ada: Seat, tmp_path: Path) -> None:
    """Shown first, asked about, and done; nothing without a word where nobody is there."""
    record = ada.learn(*LESSON)
    ada("backup", "create", "--to", tmp_path / "there").ok()
    ada("forget", record, "--yes").ok()
    shown = ada("backup", "restore", "--dry-run").ok()
    assert (f"{record}  pattern  team  brought back" in shown.out, "would restore 1 record" in shown.err) == (True, True)
    assert "nobody is there to ask whether to restore 1 record" in ada("backup", "restore").expect(2).err
    assert "nothing was changed" in ada.terminal("backup", "restore", answers=[("[y/N]", "n\n")]).text
    done = ada("backup", "restore", "--yes", "--json").ok().json
    assert [(one["id"], one["what"]) for one in done["records"]] == [(record, "brought back")]
    assert ada("show", record, "--json").ok().json["alive"]
    assert f"brought back {record[:10]}… (pattern, team)" in ada("audit", "log", "--op", "restore").ok().out
    assert "nothing to restore" in ada("backup", "restore").ok().err
    assert "names no state" in ada("backup", "restore", "--at", "tomorrow").expect(2).err
    assert "names no state" in ada("backup", "restore", "--at", "").expect(2).err


def test_drill_and_rotate(ada: Seat, tmp_path: Path) -> None:
    """A drill says what it opened; a rotation asks; the policy is the store's."""
    ada.learn(*LESSON)
    ada("backup", "create", "--to", tmp_path / "there").ok()
    report = ada("backup", "drill", "--json").ok().json
    assert (report["ok"], report["opened"], len(report["canaries"])) == (True, 1, 3)
    ada("backup", "create", "--full").ok()
    assert ada("backup", "keep", "--last", "1", "--days", "0", "--json").ok().json["keep"]["backups.last"] == 1
    assert "would remove 1 backup, 1 stay" in ada("backup", "rotate", "--dry-run").ok().err
    assert "nobody is there to ask" in ada("backup", "rotate").expect(2).err
    assert "not in the range" in ada("backup", "rotate", "--days", "800000", "--dry-run").expect(2).err
    assert len(ada("backup", "rotate", "--yes", "--json").ok().json["removed"]) == 1
    assert ada("backup", "verify").ok().err.startswith("ok: 1 backup at")
    ada("learn", "--pattern", "tells of what was done", "--fix", "by its commit").ok()
    ada("commit").ok()
    told = ada("audit", "log", "--acts").ok().out
    assert (f"drilled with the backup {report['backup']}" in told, "made or rotated the backup" in told) == (True, True)
