"""The log handed on: as JSON Lines and as CSV, whole or filtered, and what one agent did."""

from __future__ import annotations

import csv
import io

from tests.cli.conftest import Seat


def test_the_log_as_lines_and_as_a_table(ada: Seat) -> None:
    """Both forms hold the same entries, filters hold for both, and the next commit tells of the exports."""
    ada.learn()
    ada("commit").ok()
    lines = ada("audit", "export").ok().json_lines
    table = list(csv.DictReader(io.StringIO(ada("audit", "export", "--format", "csv").ok().out)))
    assert len(lines) == len(table) > 3
    assert [one["hash"] for one in lines] == [one["hash"] for one in table]
    assert {one["op"] for one in ada("audit", "export", "--op", "learn").ok().json_lines} == {"learn"}
    ada.learn("--pattern", "another error", "--fix", "none")
    ada("commit").ok()
    told = {entry["words"] for entry in ada("audit", "log", "--acts", "--json").ok().json["entries"]}
    assert {"exported audit.csv", "exported audit.jsonl 2\N{MULTIPLICATION SIGN}"} <= told


def test_what_an_agent_did(ada: Seat) -> None:
    """What an agent records stands in its own scope, by which its entries are found."""
    ada("learn", "--pattern", "agent's error", "--fix", "none", env={"GITMEM_AGENT": "ci"}).ok()
    ada("commit").ok()
    ops = {(one["op"], one["scope"]) for one in ada("audit", "log", "--agent", "ci", "--json").ok().json["entries"]}
    assert ("learn", "agents/ci") in ops
    assert ada("audit", "log", "--agent", "nobody", "--json").ok().json["entries"] == []
