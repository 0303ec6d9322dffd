"""`gitmem prune` as a person and a program use it."""

from __future__ import annotations

from tests.cli.conftest import Seat

FIELDS = ["dry_run", "records", "by_reason", "standing", "archive", "commit", "snapshot", "revived"]


def _useless(ada: Seat) -> str:
    """A record that speaks against itself."""
    record = ada.learn()
    for _ in range(2):
        ada("used", record, "--failed").ok()
    ada("config", "set", "prune.min_tries", "2").ok()
    ada("config", "set", "prune.fresh_days", "0").ok()
    return record


def test_pruning_and_back(ada: Seat) -> None:
    """Told, refused without an answer, done with --yes, listed, and undone."""
    record = _useless(ada)
    told = ada("prune", "--dry-run", "--json").ok().json
    assert list(told) == FIELDS
    assert told["records"] == [
        {"id": record, "kind": "pattern", "scope": "team", "reason": "success", "why": "worked 0 of 2 times"}
    ]
    refused = ada("prune").expect(2)
    assert "nobody is there to ask whether to prune 1 record" in refused.err
    done = ada("prune", "--yes", "--json").ok().json
    assert (done["dry_run"], done["by_reason"], done["commit"]) == (False, {"success": 1}, ada.head())
    assert ada("show", record, "--json").ok().json["alive"] is False
    listed = ada("prune", "--list", "--json").ok().json["archives"]
    assert [(one["name"], one["records"]) for one in listed] == [(done["archive"], 1)]
    assert "nobody is there to ask whether to bring back 1 record" in ada("prune", "--undo", "last").expect(2).err
    back = ada("prune", "--undo", done["archive"], "--yes", "--json").ok().json
    assert list(back) == ["dry_run", "archive", "restored", "skipped", "commit", "snapshot"]
    assert (back["restored"], back["skipped"]) == ([record], [])
    assert ada("show", record, "--json").ok().json["alive"] is True
    assert ada("prune", "--yes").ok().err.strip() == "pruned 0 records of 1"
    told = [entry["words"] for entry in ada("audit", "log", "--record", record, "--json").ok().json["entries"]]
    assert told[:2] == [f"{done} {record[:10]}… (pattern, team)" for done in ("brought back", "pruned")]
    ada("audit", "verify").ok()


def test_words_that_do_not_fit(ada: Seat) -> None:
    """Two things at once, and an archive there is not."""
    assert "two different things" in ada("prune", "--list", "--undo", "last").expect(2).err
    assert "nothing was pruned in this store" in ada("prune", "--undo", "last", "--yes").expect(1).err
