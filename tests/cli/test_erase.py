"""`gitmem erase` from a shell: it asks, tells where copies may remain, and refuses where nobody can be asked."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Seat


def test_erasing(ada: Seat) -> None:
    """Looked at first, then asked for, then done; the JSON names every place."""
    found = ada("learn", "--pattern", "no route", "--fix", "call Bo Lind", "--json").ok().json["id"]
    looked = ada("erase", found, "--dry-run", "--json").ok().json
    assert looked.keys() == {"dry_run", "erased", "remains", "commit", "problems", "notes", "redacted"}
    assert looked["erased"] == [{"id": found, "kind": "pattern", "scope": "team", "values": 2, "registers": []}]
    assert {"log", "backups", "readers"} <= {place["what"] for place in looked["remains"]}
    assert "--yes" in ada("erase", found).expect(2).err
    assert "--redact goes with --subject" in ada("erase", found, "--redact", "--yes").expect(2).err
    assert "--keep-backup goes with --history" in ada("erase", found, "--keep-backup", "--yes").expect(2).err
    assert "--basis" in ada("erase", "--history", "--basis", "request 4711").expect(2).err
    assert "200" in ada("erase", found, "--yes", "--basis", "x" * 201).expect(2).err
    done = ada("erase", found, "--yes", "--basis", "request 4711").ok()
    assert found in done.out
    assert "copies may remain" in done.err
    assert "was erased on" in ada("show", found).expect(1).err
    assert "was erased on" in ada("erase", found, "--yes").expect(1).err
    ada("audit", "verify").ok()


def test_a_person(ada: Seat, tmp_path: Path) -> None:
    """Handed out, listed, redacted; found no more."""
    ada("learn", "--pattern", "no route", "--fix", "call Bo Lind").ok()
    out = tmp_path / "bo.tar.gz"
    assert ada("export", "--subject", "Bo Lind", "--output", str(out), "--json").ok().json["records"] == 1
    assert out.exists()
    assert "there already" in ada("export", "--subject", "Bo Lind", "--output", str(out)).expect(2).err
    looked = ada("erase", "--subject", "bo lind", "--redact", "--dry-run", "--json").ok().json
    assert looked["erased"][0]["registers"] == ["fields/fix"]
    assert "--yes" in ada("erase", "--subject", "bo lind").expect(2).err
    ada("erase", "--subject", "bo lind", "--redact", "--yes").ok()
    assert "<erased>" in ada("match", "no route").ok().out
    assert "would erase 0 records" in ada("erase", "--subject", "bo lind", "--dry-run").ok().err


def test_erasing_from_history(ada: Seat) -> None:
    """The same for git's history: looked at, done, and there is nothing left to do."""
    found = ada("learn", "--pattern", "no route", "--fix", "call Bo Lind", "--json").ok().json["id"]
    ada("commit").ok()
    assert "--subject or --history" in ada("erase").expect(2).err
    assert "nothing of what was erased" in ada("erase", "--history").ok().err
    ada("erase", found, "--yes").ok()
    looked = ada("erase", "--history", "--dry-run", "--json").ok().json
    assert (looked["versions"], looked["commits"], looked["new"]) == (1, 2, None)
    assert "--yes" in ada("erase", "--history").expect(2).err
    done = ada("erase", "--history", "--yes", "--keep-backup").ok().err
    assert "took 1 version of 1 record out of history" in done
    assert "remove it soon" in done
    assert "rewrote the history" in ada("audit", "log").ok().out
    ada("audit", "verify").ok()
    assert "nothing of what was erased" in ada("erase", "--history", "--yes").ok().err
