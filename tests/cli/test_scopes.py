"""Scopes and keys on the command line: made, listed, handed on; an agent's own; and where one's own key is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gitmem.cli import complete
from tests.cli.conftest import ERROR, LESSON, Seat
from tests.support.cli import Cli
from tests.support.git import Git

NOTE = ("--kind", "note", "--set", "text=the door code is 4711")
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="no age on this machine: apt-get install age")


def test_a_scope_from_its_making_to_a_new_reader(ada: Seat, bob: Seat) -> None:
    """Made for one, seen sealed by the other, who is told whom to ask; let in, he reads what is old as well."""
    made = ada("scope", "add", "ops", "--members", "ada", "--json").ok().json
    assert list(made) == ["scope", "members", "epoch", "commit"]
    assert (made["scope"], made["members"]) == ("ops", ["ada"])
    files = Git(ada.path)("show", "--name-only", "--format=", "HEAD").splitlines()
    assert sorted(file.split("/")[0] for file in files)[-1] == "log"
    assert len(files) <= 3
    found = ada.learn(*NOTE, "--scope", "ops")
    ada("sync").ok()
    bob("sync").ok()
    assert bob("list").ok().out == f"{found}\tnote\tops\t-\tsealed: no key\n"
    refused = bob("show", found, "--json").expect(12).error
    assert "scope ops is sealed" in refused["error"]
    assert refused["hint"] == "one of them can let you in: `gitmem scope grant ops bob`; sync afterwards"
    assert "ops (sealed: no key)" in bob("status").ok().out
    assert bob("scope", "list", "--json").ok().json == {
        "scopes": [
            {"scope": "ops", "opened": False, "members": ["ada"], "records": 1},
            {"scope": "team", "opened": True, "members": ["ada", "bob"], "records": 0},
        ]
    }
    bob("scope", "grant", "ops", "bob").expect(1)  # neither an admin of it, nor of the store
    assert ada("scope", "grant", "ops", "bob").ok().err == "bob can read ops now; `gitmem sync` passes the keys on\n"
    assert "holds the key of ops already" in ada("scope", "grant", "ops", "bob").expect(2).err
    ada("sync").ok()
    bob("sync").ok()
    assert "4711" in bob("search", "door", "--scope", "ops").ok().out
    assert bob("audit", "verify").ok()
    ada("scope", "revoke", "ops", "bob").expect(2)  # nobody is there to ask
    looked = ada("scope", "revoke", "ops", "bob", "--dry-run", "--json").ok().json
    assert (looked["dry_run"], looked["read"], looked["resealed"]) == (True, [found], 0)
    drawn = ada.terminal("scope", "revoke", "ops", "bob", answers=[("take bob, who could read 1 record, out of ops?", "n\n")])
    assert (drawn.code, "nothing was changed" in drawn.text, "cannot be taken back" in drawn.text) == (0, True, False)
    done = ada("scope", "revoke", "ops", "bob", "--yes", "--json").ok().json
    assert list(done) == ["scope", "members", "epoch", "resealed", "problems", "dry_run", "read", "secrets"]
    assert (done["members"], done["resealed"], done["problems"]) == (["ada"], 1, [])
    ada("sync").ok()
    bob("sync").ok()
    bob("show", found).expect(12)
    assert bob("audit", "verify").ok()
    assert {entry["scope"] for entry in bob("log", "--scope", "ops", "--json").ok().json["entries"]} == {"ops"}


def test_an_invitation_into_a_scope(place: Path, ada: Seat) -> None:
    """Both sides are told where it leads; whoever joins by it reads what stands in the scope."""
    ada("scope", "add", "ops").ok()
    found = ada.learn(*NOTE, "--scope", "ops")
    ada("sync").ok()
    assert ada("member", "invite", "dan", "--scope", "nowhere").expect(2).out == ""
    made = ada("member", "invite", "dan", "--scope", "ops", "--json").ok().json
    assert list(made) == ["invitation", "name", "role", "until", "scopes"]
    assert made["scopes"] == ["ops"]
    assert "it leads into ops as well" in ada("member", "invite", "dan", "--scope", "ops").ok().err
    remote = Git(ada.path)("remote", "get-url", "origin")
    dan = Seat(place / "dans", place / "keys/dan/gitmem/identity.txt", {"XDG_CONFIG_HOME": str(place / "keys/dan")})
    asked = Seat(place, dan.key, dan.env)("join", made["invitation"], remote, "dans").ok().out
    added = ada("member", "add", asked.strip()).ok()
    assert "the invitation lets dan into ops as well" in added.err
    ada("sync").ok()
    dan("sync").ok()
    assert dan("show", found, "--json").ok().json["fields"] == {"text": "the door code is 4711"}


def test_scopes_that_cannot_be(ada: Seat, cli: Cli) -> None:
    """Names that are taken, reserved or mistaken for an epoch; members there are not; and a store without keys."""
    head = ada.head()
    for name, said in (("team", "reserved"), ("store", "reserved"), ("agents/1-0123abcd", "reserved"), ("../up", "form")):
        assert said in ada("scope", "add", name).expect(2).err
    assert "no member 'bobb'; did you mean 'bob'" in ada("scope", "add", "ops", "--members", "ada,bobb").expect(2).err
    assert "no scope 'tean'; did you mean 'team'" in ada("list", "--scope", "tean").expect(2).err
    assert "`gitmem scope add nobody` makes one" in ada("learn", *LESSON, "--scope", "nobody").expect(12).err
    assert "no scope 'nobody'" in ada("scope", "grant", "nobody", "bob").expect(2).err
    assert ada.head() == head
    cli("init", "open", "--plain", "--name", "ada").ok()
    assert "plain store has no keys" in cli("-C", "open", "scope", "add", "ops").expect(2).err
    cli("-C", "open", "learn", *LESSON, "--scope", "ops").ok()
    assert cli("-C", "open", "scope", "list").ok().out == "ops\t1\tyes\tada\nteam\t0\tyes\tada\n"


def test_an_agents_own_scope(ada: Seat, bob: Seat) -> None:
    """Its first record makes it, signed, for its owner alone; it reads the team's records, and others see it sealed."""
    scout = {"GITMEM_AGENT": "scout"}
    known = ada.learn()
    found = ada("learn", *NOTE, env=scout).ok()
    assert "in the scope agents/scout" in found.err
    head = ada.head()
    batch = ada(
        "learn", "--batch", "-", "--json", env=scout, input='{"pattern":"x y z","fix":"z"}\n{"pattern":"q","scope":"team"}'
    )
    assert len(batch.ok().json_lines) == 2
    assert ada("list", "--scope", "agents/scout").ok().out.count("\n") == 2
    assert Git(ada.path)("diff", "--name-only", head, "HEAD", "--", ".gitmem") == ""
    assert [one["id"] for one in ada("match", "--json", ERROR, env=scout).ok().json["matches"]] == [known]
    ada("sync").ok()
    bob("sync").ok()
    assert bob("list", "--scope", "agents/scout").ok().out.count("sealed: no key") == 2
    assert bob("audit", "verify").ok()
    assert "cannot be an agent's name" in ada("learn", *NOTE, env={"GITMEM_AGENT": "../x"}).expect(2).err


@needs_age
def test_age_alone_opens_every_key(ada: Seat) -> None:
    """No lock-in: with one's own identity file, `age -d` opens the key of each scope and epoch that one holds."""
    ada("scope", "add", "agents/ci").ok()
    files = sorted((ada.path / ".gitmem/keys").rglob("ada.age"))
    assert len(files) == 2
    for file in files:
        opened = subprocess.run(["age", "-d", "-i", ada.key, file], capture_output=True, check=True, text=True).stdout
        said = dict(line.split(": ") for line in opened.splitlines())
        assert f"{said['scope']}/{said['epoch']}" == file.parent.relative_to(ada.path / ".gitmem/keys").as_posix()
        assert list(said) == ["gitmem-epoch", "scope", "epoch", "key", "id-key"]


def test_key_status(ada: Seat) -> None:
    """Every epoch with its age from the log and its holders; what is missing, and where the key in use was found."""
    shown = ada("key", "status").ok()
    assert [line.split("\t")[0::4] for line in shown.out.splitlines()] == [["team", "yes"]]
    assert f"your key is from GITMEM_IDENTITY_FILE {ada.key}" in shown.err
    status = ada("key", "status", "--json").ok().json
    assert list(status) == ["identity", "recipient", "member", "tried", "scopes"]
    (team,) = status["scopes"]
    assert list(team) == ["scope", "epochs", "missing", "strangers"]
    assert list(team["epochs"][0]) == ["epoch", "since", "by", "holders", "opened"]
    assert team["epochs"][0]["holders"] == ["ada", "bob", "recovery"]
    assert (team["epochs"][0]["by"], team["missing"], team["strangers"]) == ("ada", [], [])
    (ada.path / ".gitmem/keys/team" / team["epochs"][0]["epoch"] / "bob.age").unlink()
    assert "bob belongs to team and lacks its key: `gitmem scope grant team bob`" in ada("key", "status").ok().err
    stranger = {"GITMEM_IDENTITY_FILE": "/nonexistent"}
    assert ada("key", "status", "--json", env=stranger).ok().json["identity"] is None


def test_a_key_in_the_keychain(ada: Seat, tmp_path: Path) -> None:
    """On request and through the library: found from then on without its file, until it is forgotten."""
    root = Path(__file__).parents[2]
    env = {"PYTHON_KEYRING_BACKEND": "tests.support.file_keyring.FileKeyring", "PYTHONPATH": str(root)}
    env |= {"GITMEM_TEST_KEYRING": str(tmp_path / "keyring.json")}
    kept = ada("key", "cache", "--json", env=env).ok().json
    assert list(kept) == ["keychain", "recipient", "from"]
    assert kept["keychain"] == "a file of the tests"
    without = env | {"GITMEM_IDENTITY_FILE": "/nonexistent"}
    assert "your key is from OS keychain" in ada("key", "status", env=without).ok().err
    assert ada("key", "cache", "--forget", "--json", env=without).ok().json == {"forgotten": True}
    ada("match", "x", env=without).expect(12)
    assert "no OS keychain here" in ada("key", "cache").expect(1).err


def test_a_password_manager(ada: Seat, tmp_path: Path) -> None:
    """GITMEM_IDENTITY_CMD prints the key; where it fails, exit code 12 says how. The key is in no command line."""
    manager = tmp_path / "pass"
    manager.write_text(f'#!/bin/sh\n[ "$*" = "show gitmem" ] || {{ echo "no such entry" >&2; exit 3; }}\ncat {ada.key}\n')
    manager.chmod(0o755)
    env = {"GITMEM_IDENTITY_FILE": "", "GITMEM_IDENTITY_CMD": f"{manager} show gitmem"}
    assert ada("learn", *LESSON, env=env).ok()
    refused = ada("match", ERROR, env=env | {"GITMEM_IDENTITY_CMD": f"{manager} show other"}).expect(12).err
    assert "GITMEM_IDENTITY_CMD (ended with exit code 3)" in refused
    assert "no such entry" in refused


def test_completion(ada: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell offers scopes and members; outside a store, nothing."""
    ada("scope", "add", "agents/ci").ok()
    offer = {"ctx": None, "param": None}
    monkeypatch.chdir(ada.path)
    assert complete.scopes(**offer, incomplete="a") == ["agents/ci"]  # type: ignore[arg-type]
    assert complete.members(**offer, incomplete="b") == ["bob"]  # type: ignore[arg-type]
    monkeypatch.chdir(os.sep)
    assert complete.scopes(**offer, incomplete="") == complete.members(**offer, incomplete="") == []  # type: ignore[arg-type]
