"""Removals, new keys and what crosses them: every clone ends alike, the leaver reads nothing new, and nobody is locked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.core.token import TOKEN
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.removal import remove, set_role
from gitmem.memory.members.rotation import rotate, strangers
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import join, person
from tests.support.team import NAMES, Team, closed, make_team, quick


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada and bob, who are admins, and cam."""
    made = make_team(quick(tmp_path), NAMES, plain=False)
    set_role(made["ada"].context, "bob", "admin")
    made.sync()
    yield from closed(made)


def _epochs(memory: Memory) -> set[str]:
    """The epochs of the values that stand."""
    files = (memory.context.store.root / "memory").rglob("*.yaml")
    return {match[1] for file in files for match in TOKEN.finditer(file.read_text())}


def _meet(team: Team, *names: str) -> None:
    for name in [*names, *names, *names]:
        team[name].sync()


def _agree(team: Team, *names: str) -> None:
    """All hold the same bytes, in one epoch; nobody has a key who may not read; the log explains all of it."""
    assert len({Git(team.folder / name)("rev-parse", "HEAD^{tree}") for name in names}) == 1
    for name in names:
        memory = team[name]
        assert _epochs(memory) == {memory.context.store.vault.newest_epoch("team")}
        assert strangers(memory.context, members_of(memory.context)) == {}
        assert memory.verify().problems == []
        assert [check.name for check in doctor(memory.context) if not check.ok] == []


def test_what_was_written_beside_a_removal_is_sealed_anew(team: Team) -> None:
    """Bob had not heard of it: whoever takes in what he wrote seals it with the new key, each the same bytes."""
    record = team.learn()
    team["bob"].edit(record, {"fix": "not for cam's eyes"})
    team["bob"].commit()
    remove(team["ada"].context, "cam")
    team["ada"].sync()
    newest = team["ada"].context.store.vault.newest_epoch("team")
    Git(team.folder / "bob")("fetch", "--quiet")
    Git(team.folder / "ada")("pull", "--quiet", "--no-edit", team.folder / "bob", "main")  # neither has pushed what both will
    assert _epochs(team["ada"]) > {newest}
    for name in ("ada", "bob"):
        report = team[name].sync()
        assert report.problems == []
    _meet(team, "ada", "bob")
    _agree(team, "ada", "bob")
    state = team["ada"].context.store.read(team.path(record).as_posix())
    assert state is not None
    assert [len(register) for _, register in state.registers()] == [1] * len(list(state.registers()))
    assert team["bob"].get(record).fields["fix"] == "not for cam's eyes"


def test_a_key_made_beside_a_removal(team: Team) -> None:
    """Bob's two new keys win over ada's and are wrapped to cam, whom she removes: the next sync makes one more."""
    team.learn()
    remove(team["ada"].context, "cam")
    for _ in range(2):
        rotate(team["bob"].context)
    team["bob"].sync()
    assert "wrapped to cam, who may not read it: there is a new one" in " ".join(team["ada"].sync().notes)
    _meet(team, "bob", "ada")
    _agree(team, "ada", "bob")


def test_two_admins_remove_at_once(team: Team) -> None:
    """Each removes another: both are gone, and neither has the key that is used from then on."""
    team.learn()
    join(team["ada"], team.folder / "dan", team.folder / "remote.git", "dan", person(team.folder / "home-dan"))
    _meet(team, "ada", "bob", "cam")
    remove(team["ada"].context, "cam")
    remove(team["bob"].context, "dan")
    _meet(team, "ada", "bob")
    _agree(team, "ada", "bob")
    assert sorted(members_of(team["bob"].context).by_name) == ["ada", "bob"]
    assert set(team["ada"].context.store.vault.holders("team", team["ada"].context.store.vault.newest_epoch("team"))) == {
        "ada",
        "bob",
        "recovery",
    }


def test_somebody_let_in_beside_a_new_key(team: Team) -> None:
    """Dan is let in by ada while bob makes a new key, which nobody wrapped to dan: an admin's next sync does."""
    record = team.learn()
    rotate(team["bob"].context)
    who = person(team.folder / "home-dan")
    join(team["ada"], team.folder / "dan", team.folder / "remote.git", "dan", who)
    _meet(team, "bob", "ada")
    team.clones["dan"] = Memory.open(team.folder / "dan", env=who.env)
    team["dan"].sync()
    assert team["dan"].get(record).fields["fix"] == "plug it in"
    _agree(team, "ada", "bob", "dan")


def test_an_unfinished_resealing_goes_on_with_anybodys_sync(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new key was committed and shared, and what stands was not sealed anew: cam's sync does that."""
    record = team.learn()
    monkeypatch.setattr("gitmem.memory.members.rotation.reseal", lambda _context, _todo: (0, []))
    rotate(team["ada"].context)
    monkeypatch.undo()
    Git(team.folder / "ada")("push", "--quiet", "origin", "main")
    assert len(_epochs(team["ada"])) == 1
    assert "sealed with an older key" in " ".join(team["cam"].sync().notes)
    _meet(team, "ada", "bob", "cam")
    _agree(team, "ada", "bob", "cam")
    assert team["bob"].get(record).fields["fix"] == "plug it in"
