"""Pins, checkpoints and witnesses from before `erase --history` hold after it; a rewriting that no admin signed is told of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.core.codec import emit
from gitmem.core.dots import json_line
from gitmem.core.edit import Pen
from gitmem.core.ids import element_key
from gitmem.memory.auditing import checkpoints, pins, witness
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from gitmem.memory.privacy import erase_history
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erasures import rules
from gitmem.memory.privacy.rewritten import NOTICES
from gitmem.store.layout import CONFIG, STORE_SCOPE
from tests.support.git import Git
from tests.support.stores import EFFORT, open_memory, person
from tests.support.team import Team, closed, make_team, quick


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Ada's and Bob's clones, with a second remote, and checkpoints soon."""
    monkeypatch.setattr(checkpoints, "EVERY", 4)
    made = make_team(quick(tmp_path), ("ada", "bob"), plain=True)
    Git(made.folder)("init", "--quiet", "--bare", "mirror.git")
    for name in made.clones:
        Git(made.folder / name)("remote", "add", "mirror", made.folder / "mirror.git")
    yield from closed(made)


def _secret(team: Team) -> str:
    """A record with a past, in a log that has checkpoints, seen by everybody and by the second remote."""
    record = team.learn(fix="plug in at Marlow street 7")
    team.learn("disk full")
    team["bob"].edit(record, {"fix": "call Bo Lind"})
    team.agree()
    assert any(entry.op == "checkpoint" for entries in team.entries("ada") for entry in entries)
    for name in team.clones:
        assert witness.push_to(team[name].context, "mirror").problems == []
    return record


def _missing(memory: Memory, pin: pins.Pin, statement: bytes) -> list[str]:
    """What a clone is said to lack by a pin and a statement, and what a full verification finds."""
    lost = [*pins.check_against(memory.context, pin), *witness.check(memory.context, statement)[0]]
    return [f"{problem.what}: {problem.where}" for problem in [*lost, *memory.verify(full=True).problems]]


def test_what_was_pinned_and_witnessed_before_holds(team: Team, tmp_path: Path) -> None:
    """In the clone that rewrote, in one that follows with work of its own, in a fresh one, and at the second remote."""
    record, ada, bob = _secret(team), team["ada"], team["bob"]
    pin, statement = pins.pin_of(bob.context), witness.state(bob.context)
    erase(ada.context, [record])
    assert erase_history.erase_history(ada.context).versions > 1
    late = bob.learn("note", {"text": "not shared yet"}).id
    bob.commit()
    assert bob.sync().problems == []
    team.agree()
    clone(str(team.folder / "remote.git"), str(tmp_path / "fresh"))
    with open_memory(tmp_path / "fresh", person(team.folder / "home-bob")) as fresh:
        pins.take_pin(fresh.context, pin)
        assert [_missing(memory, pin, statement) for memory in (ada, bob, fresh)] == [[], [], []]
        assert fresh.get(late)
    for name in ("bob", "ada"):
        done = witness.push_to(team[name].context, "mirror")
        assert (done.pushed, done.problems, done.notes) == (True, [], [])
    held = Git(team.folder / "mirror.git")("rev-parse", done.ref)
    assert held == Git(team.folder / "ada")("rev-parse", "HEAD")
    for name in ("ada", "bob", "mirror.git"):
        Git(team.folder / name)("gc", "--quiet", "--prune=now")
        assert not Git(team.folder / name)("log", "--all", "--format=%h", "-S", "Marlow")


def _forge(team: Team, *, signed: bool) -> str:
    """Bob, who is no admin, rewrites the history as `erase --history` does, and forces it upon the remote; his last commit."""
    memory, git = team["bob"], Git(team.folder / "bob")
    before = git("rev-parse", "HEAD")
    changes = erase_history._changes(memory.context, rules(memory.context))
    assert changes
    erase_history._rewrite(memory.context, "refs/heads/main", changes)
    if not signed:
        git("reset", "--quiet", "--hard", "HEAD~")
    made = git("rev-parse", "HEAD")
    assert made != before
    git("push", "--quiet", "--force", "origin", "HEAD:main")
    return made


@pytest.mark.parametrize("signed", [True, False][:EFFORT])
def test_a_rewriting_that_no_admin_signed_is_told_of(team: Team, tmp_path: Path, *, signed: bool) -> None:
    """By whoever syncs, who puts the history back, and by the second remote; a notice of Bob's own the log itself tells of."""
    record, ada = _secret(team), team["ada"]
    erase(team["bob"].context, [record])
    team.agree()
    witness.push_to(ada.context, "mirror")
    made = _forge(team, signed=signed)
    clone(str(team.folder / "remote.git"), str(tmp_path / "fresh"))
    Git(tmp_path / "fresh")("remote", "add", "mirror", team.folder / "mirror.git")
    with open_memory(tmp_path / "fresh", person(team.folder / "home-bob")) as fresh:
        done = witness.push_to(fresh.context, "mirror")
        assert ([problem.what for problem in done.problems], done.pushed) == (["rewritten history"], False)
        assert [problem.what for problem in fresh.verify().problems] == (["not entitled"] if signed else [])
    report = ada.sync()
    assert any("was rewritten; whatever it held before is kept" in note for note in report.notes)
    assert any("had no right" in problem for problem in report.problems) == signed
    remote = Git(team.folder / "remote.git")
    assert remote("merge-base", "--is-ancestor", made, "main") == ""
    assert remote("log", "--format=%h", "-S", "Marlow", "main"), "the history is there again"
    assert ada.verify(full=True).problems == []
    assert witness.push_to(ada.context, "mirror").problems == []


@pytest.mark.parametrize("odd", [{"map": []}, {"commits": "many"}, {"map": {}}, {"commits": None}][: 2 * EFFORT], ids=str)
def test_a_notice_of_another_form_is_none(team: Team, odd: dict[str, object]) -> None:
    """Bob's configuration says of a rewriting what is no notice: it counts for nothing, and Ada's sync goes on."""
    context, git = team["bob"].context, Git(team.folder / "bob")
    state = context.store.read_config().state
    pen = Pen(state, context.store.writer_for(CONFIG, state))
    for number in range(2):
        text = json_line({"old": f"{number}" * 40, "new": "2" * 40, "first": [], "map": "", "commits": number, **odd})
        key = element_key(context.store.vault.id_key(STORE_SCOPE), f"{state.id}/{NOTICES}", text)
        pen.add(NOTICES, key, lambda _path, _dot, text=text: text)
    pen.live()
    (team.folder / "bob" / CONFIG).write_bytes(emit(pen.state))
    git("commit", "--quiet", "--no-verify", "--message=odd", "--", CONFIG)
    git("push", "--quiet", "--no-verify", "origin", "HEAD")
    record = team.learn("still shared")
    assert team["bob"].get(record).fields["fix"] == "plug it in"
