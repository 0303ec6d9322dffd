"""`gitmem erase` from a shell: it asks, tells where copies may remain, and refuses where nobody can be asked."""

from __future__ import annotations

from tests.cli.conftest import Seat


def test_erasing(ada: Seat) -> None:
    """Looked at first, then asked for, then done; the JSON names every place."""
    found = ada("learn", "--pattern", "no route", "--fix", "call Bo Lind", "--json").ok().json["id"]
    looked = ada("erase", found, "--dry-run", "--json").ok().json
    assert looked.keys() == {"dry_run", "erased", "remains", "commit", "problems"}
    assert looked["erased"] == [{"id": found, "kind": "pattern", "scope": "team", "values": 2, "registers": []}]
    assert {"log", "backups", "readers"} <= {place["what"] for place in looked["remains"]}
    assert "--yes" in ada("erase", found).expect(2).err
    assert "200" in ada("erase", found, "--yes", "--basis", "x" * 201).expect(2).err
    done = ada("erase", found, "--yes", "--basis", "request 4711").ok()
    assert found in done.out
    assert "copies may remain" in done.err
    assert "was erased on" in ada("show", found).expect(1).err
    assert "was erased on" in ada("erase", found, "--yes").expect(1).err
    ada("audit", "verify").ok()
