"""`gitmem gc` as a person and a program use it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Seat

FIELDS = ["dry_run", "collected", "waiting", "replicas", "retired", "commit", "problems", "let_go", "snapshots"]


def _forgotten(ada: Seat, bob: Seat) -> str:
    """A record that Ada has forgotten and Bob has used; both have heard of all."""
    found = ada.learn()
    ada("sync").ok()
    bob("sync").ok()
    bob("used", found, "--fixed").ok()
    bob("sync").ok()
    ada("sync").ok()
    ada("forget", found, "--yes").ok()
    for seat in (ada, bob, ada):
        seat("sync").ok()
    return found


def _replica(seat: Seat) -> str:
    return str(seat("status", "--json").ok().json["replica"])


def test_collecting(ada: Seat, bob: Seat) -> None:
    """Those who wait are named; the one that is gone for good is retired; then the file goes, here and there."""
    found = _forgotten(ada, bob)
    files = [next((seat.path / "memory").rglob("*.yaml")) for seat in (ada, bob)]
    report = ada("gc", "--dry-run", "--json").ok().json
    assert list(report) == FIELDS
    assert (report["dry_run"], report["collected"], report["commit"]) == (True, [], None)
    (waiting,) = report["waiting"]
    assert list(waiting) == ["what", "id", "kind", "scope", "waits_for"]
    # The fixture copied the clones it founded, so that they are replicas that nobody will ever hear of again.
    strangers = {one["replica"] for one in report["replicas"]} - {_replica(ada), _replica(bob)}
    assert (waiting["id"], waiting["what"], set(waiting["waits_for"])) == (found, "tombstone", strangers)
    shown = ada("gc", "--dry-run").ok()
    for name in strangers:
        assert f"{name}\tada\t" in shown.out
    assert f"{found}\tpattern\tteam\t" in shown.out
    assert "would collect nothing" in shown.err
    head = ada.head()
    *others, last = sorted(strangers)
    for name in others:
        ada("gc", "--retire", name, "--yes").ok()
    assert "say so: --yes" in ada("gc", "--retire", last).expect(2).err
    done = ada("gc", "--retire", last[:6], "--yes").ok()
    assert f"retired {last}, collected 1 forgotten record" in done.err
    assert done.out == f"{found}\tpattern\tteam\t\n"
    assert ada.head() != head
    for seat in (ada, bob):
        seat("sync").ok()
        assert seat("audit", "verify").ok()
    assert [file.exists() for file in files] == [False, False]
    assert "was forgotten, and `gitmem gc` removed" in bob("show", found).expect(1).err
    log = bob("audit", "log", "--op", "collect").ok().out
    assert f"collected {found[:10]}… (pattern, team)" in log
    assert f"retired the replica {last}" in bob("audit", "log").ok().out
    again = bob("gc", "--json").ok().json
    assert (again["collected"], again["waiting"], again["dry_run"]) == ([], [], False)
    assert [one["retired"] for one in again["replicas"] if one["replica"] == last] == [True]


def test_a_person_is_asked(ada: Seat, bob: Seat, place: Path) -> None:
    """No is the answer that changes nothing."""
    found = _forgotten(ada, bob)
    names = [one["replica"] for one in ada("gc", "--dry-run", "--json").ok().json["replicas"]]
    for name in set(names) - {_replica(ada), _replica(bob)}:
        ada("gc", "--retire", name, "--yes").ok()
    for seat in (bob, ada):
        seat("sync").ok()
    tombstone = ada.learn("--pattern", "another error", "--fix", "do")
    ada("sync").ok()
    ada("forget", tombstone, "--yes").ok()
    for seat in (ada, bob, ada):
        seat("sync").ok()
    refused = ada.terminal("gc", answers=[("collect 1 forgotten record?", "n\n")])
    assert (refused.code, "nothing was changed" in refused.text) == (0, True)
    agreed = ada.terminal("gc", answers=[("collect 1 forgotten record?", "y\n")])
    assert (agreed.code, "collected 1 forgotten record" in agreed.text) == (0, True)
    assert "removed what was left" in ada("used", found, "--fixed").expect(1).err
    assert "no replica's name begins with" in ada("gc", "--retire", "nobody", "--yes").expect(2).err
