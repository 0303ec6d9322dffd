"""`gitmem migrate` as a person and a program use it."""

from __future__ import annotations

import json

from tests.cli.conftest import Seat

FIELDS = ["dry_run", "records", "sealed", "problems", "commit", "snapshot"]
SCHEMA = {
    "description": "What broke.",
    "x-gitmem": {"prefix": "i", "title": "what", "identity": []},
    "type": "object",
    "additionalProperties": False,
    "required": ["what"],
    "properties": {"what": {"type": "string"}},
}


def _second_version(ada: Seat) -> str:
    """A record of a kind that has got a second version since."""
    folder = ada.path / ".gitmem/schemas/incident"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(json.dumps(SCHEMA))
    record = str(ada("learn", "--kind", "incident", "--set", "what=a fire", "--json").ok().json["id"])
    properties = {"what": {"type": "string"}, "severity": {"enum": ["low", "high"]}}
    (folder / "2.json").write_text(json.dumps(SCHEMA | {"properties": properties}))
    ada("commit").ok()
    return record


def test_detect_plan_run(ada: Seat) -> None:
    """What waits is told, planned, refused without an answer, done with --yes, and done once."""
    record = _second_version(ada)
    found = ada("migrate", "detect", "--json").ok().json["kinds"]
    assert found[0] == {"kind": "incident", "newest": 2, "versions": {"1": 1}, "waiting": 1}
    planned = ada("migrate", "plan", "--json").ok().json
    assert list(planned) == FIELDS
    assert planned["records"] == [{"id": record, "kind": "incident", "scope": "team", "schema": 1, "to": 2, "fields": []}]
    head = ada.head()
    assert ada("migrate", "run", "--dry-run", "--json").ok().json == planned
    refused = ada("migrate", "run").expect(2)
    assert "nobody is there to ask whether to migrate 1 record" in refused.err
    assert "--dry-run" in refused.err
    assert ada.head() == head
    done = ada("migrate", "run", "--yes", "--json").ok().json
    assert (done["dry_run"], done["commit"], done["snapshot"][:20]) == (False, ada.head(), "refs/gitmem/snapshot")
    assert ada("show", record, "--json").ok().json["schema"] == 2
    assert f"migrated {record[:10]}… (incident, team)" in ada("audit", "log", "--limit", "1").ok().out
    again = ada("migrate", "run", "--yes").ok()
    assert again.err.strip() == "migrated 0 records"
    assert ada("audit", "verify").ok()


def test_a_kind_that_is_not_there(ada: Seat) -> None:
    """The nearest is named."""
    assert "did you mean 'quirk'" in ada("migrate", "detect", "--kind", "qirk").expect(13).err
