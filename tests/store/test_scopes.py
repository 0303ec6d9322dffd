"""Living without a key: a member who lacks a scope's key sees, merges and syncs what is in it, and never its content."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gitmem.crypto.keys import new_epoch, wrap
from gitmem.errors import GitmemError, NoKey, UsageError
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.diff import diff
from gitmem.memory.founding.cloning import clone
from gitmem.memory.members.enrolment import member_file
from gitmem.memory.members.granting import add_scope, grant, revoke
from gitmem.memory.members.keys import key_status
from gitmem.memory.members.person import Person
from gitmem.memory.members.removal import remove, set_role
from gitmem.memory.members.requesting import request
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase import erase
from gitmem.store.layout import key_path
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share

SECRET = "the vault code is 4711"


def scope_key(memory: Memory, scope: str, *names: str) -> None:
    """Give `scope` a key that the named members hold, without the command that does so."""
    recipients = {member.name: member.recipients for member in memory.members()}
    epoch = new_epoch(scope, 1)
    memory.context.store.vault.adopt(epoch, memory.context.store.vault.identity)
    files = [Extra(key_path(scope, epoch.epoch, name), wrap(epoch, *recipients[name]), "key") for name in names]
    commit(memory.context, "a scope", files)


def hand_on(memory: Memory, scope: str, name: str) -> None:
    """Wrap the key of `scope` to one more member."""
    recipients = {member.name: member.recipients for member in memory.members()}
    key = memory.context.store.vault.current(scope)
    commit(memory.context, "a key", [Extra(key_path(scope, key.epoch, name), wrap(key, *recipients[name]), "key")])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, who has the scope `ops` for herself and a record in it, and bob, who is a member; with the remote they share."""
    place = tmp_path_factory.mktemp("scopes")
    who = person(place / "ada-home")
    found(place / "ada", who=who)
    Git(place)("init", "--quiet", "--bare", place / "remote.git")
    share(place / "ada", place / "remote.git", who)
    with open_memory(place / "ada", who) as ada:
        join(ada, place / "bob", place / "remote.git", "bob", person(place / "bob-home"))
        scope_key(ada, "ops", "ada")
        ada.learn("pattern", {"pattern": "disk full", "fix": "empty the cache"})
        ada.learn("note", {"text": SECRET}, tags=["door"], scope="ops")
        ada.sync()
    return place


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Path:
    """A copy of them for one test."""
    place = tmp_path / "place"
    shutil.copytree(template, place)
    for name in ("ada", "bob"):
        Git(place / name)("remote", "set-url", "origin", place / "remote.git")
    return place


@pytest.fixture
def team(place: Path) -> Iterator[tuple[Memory, Memory]]:
    """The stores of ada and bob, opened; bob has synced."""
    with open_memory(place / "ada", person(place / "ada-home")) as ada, open_memory(place / "bob", _bob(place)) as bob:
        bob.sync()
        yield ada, bob


def _bob(place: Path) -> Person:
    return person(place / "bob-home")


def test_a_sealed_record_is_seen_and_not_read(team: tuple[Memory, Memory]) -> None:
    """Lists and counts tell that it is there; whoever asks for it learns who could let them in; all else works on."""
    _, bob = team
    listed = bob.records()
    assert [(r.kind, r.scope, r.sealed, r.fields) for r in listed if r.sealed] == [("note", "ops", True, {})]
    assert [one.fields["fix"] for one in bob.match("disk full")] == ["empty the cache"]
    assert bob.search("vault code") == []
    status = bob.status()
    assert (status.records, status.sealed, status.scopes, status.sealed_scopes) == (2, 1, ["ops", "team"], ["ops"])
    sealed = next(record.id for record in listed if record.sealed)
    for call in (bob.get, bob.forget, lambda each: bob.edit(each, {"text": "x"}), lambda each: erase(bob.context, [each])):
        with pytest.raises(NoKey, match=r"scope ops is sealed.*held by ada") as refused:
            call(sealed)
        assert refused.value.hint.startswith("one of them can let you in: `gitmem scope grant ops bob`")
    with pytest.raises(NoKey, match="scope ops is sealed"):
        bob.learn("note", {"text": "mine"}, scope="ops")
    assert bob.conflicts() == []
    assert all(check.ok for check in doctor(bob.context)), [check for check in doctor(bob.context) if not check.ok]
    assert bob.verify().ok


def test_who_lacks_the_key_merges_to_the_same_bytes(team: tuple[Memory, Memory]) -> None:
    """Concurrent writes to a sealed record meet in a clone that cannot read them, as they do in one that can."""
    ada, bob = team
    sealed = next(record.id for record in bob.records() if record.sealed)
    bob.used(sealed, fixed=True)
    assert [(one.id, one.what) for one in diff(bob.context)] == [(sealed, "used")]
    bob.commit()
    ada.edit(sealed, {"text": f"{SECRET}2"})
    ada.used(sealed, fixed=True)
    ada.sync()
    bob.sync()  # merges what ada wrote with the count of his
    ada.sync()
    trees = {Git(each.context.store.root)("rev-parse", "HEAD^{tree}") for each in (ada, bob)}
    assert len(trees) == 1
    assert (ada.get(sealed).fields["text"], ada.get(sealed).usage.fixed) == (f"{SECRET}2", 2)
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in bob.context.store.local.rglob("*") if file.is_file())


def _shared_beside_a_plain_clone(team: tuple[Memory, Memory], place: Path) -> tuple[str, Git]:
    """A record of a scope that bob was let into, shared by him and not taken in by ada yet; and a clone without gitmem."""
    ada, bob = team
    hand_on(ada, "ops", "bob")
    ada.sync()
    bob.sync()
    learned = bob.learn("note", {"text": SECRET}, scope="ops").id
    bob.sync()
    return learned, Git(place / "remote.git").clone(place / "plain")


def test_a_damaged_key_says_nothing_of_what_it_opens(team: tuple[Memory, Memory], place: Path) -> None:
    """A sound record beside it is not quarantined by whom it is for, nor is anybody else kept from syncing."""
    learned, plain = _shared_beside_a_plain_clone(team, place)
    key = plain("ls-files", ".gitmem/keys/ops/*/ada.age")
    plain.commit("spoiled", {key: b"junk"})
    plain("push", "--quiet")
    with open_memory(place / "ada", person(place / "ada-home")) as ada_anew:
        Git(place / "ada")("pull", "--quiet")
        assert {record.id for record in ada_anew.records() if record.sealed} >= {learned}
        report = ada_anew.sync()
        assert learned in {hit.id for hit in ada_anew.search("vault code")}
        assert [problem.partition(" ")[0] for problem in report.problems] == [key]
        assert ada_anew.get(learned).fields["text"] == SECRET
        assert ada_anew.sync().problems == []
        assert ada_anew.verify().problems == []


def test_what_is_sealed_with_a_reverted_key_is_sound(team: tuple[Memory, Memory], place: Path) -> None:
    """Whoever meets a new record together with the loss of its key heals the key, and quarantines nothing."""
    ada = team[0]
    learned, plain = _shared_beside_a_plain_clone(team, place)
    plain("rm", "--quiet", "-r", ".gitmem/keys/ops")
    plain.commit("reverted")
    plain("push", "--quiet")
    assert ada.sync().problems == []
    assert ada.get(learned).fields["text"] == SECRET
    assert ada.verify().problems == []


def test_when_the_key_comes_the_record_is_found(team: tuple[Memory, Memory]) -> None:
    """Nothing but a key file arrives, and the index takes in what had been sealed."""
    ada, bob = team
    assert [record.sealed for record in bob.records("note")] == [True]
    hand_on(ada, "ops", "bob")
    ada.sync()
    bob.sync()
    assert [hit.fields["text"] for hit in bob.search("vault code")] == [SECRET]
    assert [record.sealed for record in bob.records("note", tag="door")] == [False]
    assert bob.status().sealed == 0
    bob.learn("note", {"text": "mine"}, scope="ops")


def test_a_member_without_the_teams_key(team: tuple[Memory, Memory], place: Path) -> None:
    """Who holds nothing but a scope of their own works in that, and signs as themselves."""
    ada, _ = team
    who = person(place / "cyd-home")
    clone(str(place / "remote.git"), str(place / "cyd"))
    with open_memory(place / "cyd", who) as cyd:
        asked = request(cyd.context, who.identity()[0], "cyd")
    commit(ada.context, "cyd, without a key", [member_file(ada.context, "cyd", [asked.recipient], [asked.key], "member")])
    scope_key(ada, "agents/cyd", "cyd")
    ada.sync()
    with open_memory(place / "cyd", who) as cyd:
        cyd.sync()
        made = cyd.learn("pattern", {"pattern": "no route", "fix": "plug it in"}, scope="agents/cyd")
        assert [one.id for one in cyd.match("no route")] == [made.id]
        assert {record.scope for record in cyd.records() if record.sealed} == {"team", "ops"}
        assert cyd.status().member == "cyd"
        cyd.sync()
    ada.sync()
    assert ada.verify().ok
    with open_memory(place / "ada", person(place / "ada-home")) as again, pytest.raises(NoKey, match="agents/cyd is sealed"):
        again.get(made.id)


def test_one_error_in_two_scopes_is_two_records(team: tuple[Memory, Memory]) -> None:
    """Ids are keyed by scope; what is asked of one scope is answered by that scope alone, however much there is elsewhere."""
    ada, bob = team
    lesson = {"pattern": "disk full", "fix": "call the vendor"}
    own = ada.learn("pattern", lesson, scope="ops")
    there = ada.records("pattern", scope="team")
    assert [record.fields["fix"] for record in there] == ["empty the cache"]
    assert {one.id for one in ada.match("disk full")} == {own.id, there[0].id}
    assert [one.id for one in ada.match("disk full", scope="ops")] == [own.id]
    assert [one.id for one in ada.search("disk", scope="team")] == [there[0].id]
    assert ada.conflicts("ops") == []
    for call in (
        ada.records,
        ada.conflicts,
        lambda scope: ada.match("x", scope=scope),
        lambda scope: ada.search("x", scope=scope),
    ):
        with pytest.raises(UsageError, match="no scope 'opps'; did you mean 'ops'"):
            call(scope="opps")
    with pytest.raises(NoKey, match="scope ops is sealed"):
        bob.match("disk full", scope="ops")
    assert [record.sealed for record in bob.records(scope="ops")] == [True]


def test_an_agent_keeps_what_it_records(team: tuple[Memory, Memory], place: Path) -> None:
    """Its writes go to its own scope unless it names another; it reads all it has keys for."""
    ada, _ = team
    scope_key(ada, "agents/scout", "ada")
    env = person(place / "ada-home").env
    assert ada.learn("note", {"text": "plain"}).scope == "team"
    with Memory.open(place / "ada", env={**env, "GITMEM_AGENT": "scout"}) as scout:
        assert scout.learn("note", {"text": "its own"}).scope == "agents/scout"
        assert scout.learn("note", {"text": "for all"}, scope="team").scope == "team"
        assert {hit.fields["text"] for hit in scout.search("own all plain")} == {"its own", "for all", "plain"}
    for name in ("../up", "No", "a/b", ""):
        with suppress(UsageError), Memory.open(place / "ada", agent=name) as other:
            assert name == ""
            assert other.context.agent is None


def test_who_leaves_a_scope_opens_nothing_new(team: tuple[Memory, Memory]) -> None:
    """A new key for the others, and what stands sealed with it; who is let in again reads all of it by one file."""
    ada, bob = team
    add_scope(ada.context, "vault", ["bob"])
    before = ada.learn("note", {"text": "the first code"}, scope="vault").id
    ada.sync()
    bob.sync()
    assert bob.get(before).fields["text"] == "the first code"
    with pytest.raises(GitmemError, match="only an admin may say who belongs to vault"):
        revoke(bob.context, "vault", "ada")
    done = revoke(ada.context, "vault", "bob")
    assert (done.members, done.epoch.split("-")[0], done.resealed, done.problems) == (["ada"], "2", 1, [])
    after = ada.learn("note", {"text": "the second code"}, scope="vault").id
    ada.sync()
    bob.sync()
    assert {record.id for record in bob.records(scope="vault") if record.sealed} == {before, after}
    with pytest.raises(NoKey, match="none of your keys opens it"):
        bob.learn("note", {"text": "x"}, scope="vault")
    assert ada.search("code first second", scope="vault")
    keys = next(keys for keys in key_status(ada.context).scopes if keys.scope == "vault")
    assert [epoch.holders for epoch in keys.epochs] == [["ada", "bob", "recovery"], ["ada", "recovery"]]
    assert all(epoch.opened for epoch in keys.epochs)
    assert (keys.missing, keys.strangers) == ([], [])
    granted = grant(ada.context, "vault", "bob")
    changed = Git(ada.context.store.root)("show", "--name-only", "--format=", granted.commit).split()
    assert [path for path in changed if not path.startswith("log/")] == [key_path("vault", done.epoch, "bob")]
    ada.sync()
    bob.sync()
    assert {bob.get(each).fields["text"] for each in (before, after)} == {"the first code", "the second code"}
    assert bob.verify().ok


def test_leaving_a_scope_of_ones_own(team: tuple[Memory, Memory]) -> None:
    """Who made a scope may leave it to the others, who say from then on who belongs to it; nobody leaves it empty."""
    ada, bob = team
    add_scope(bob.context, "den", ["ada"])
    bob.learn("note", {"text": "left behind"}, scope="den")
    assert revoke(bob.context, "den", "bob").members == ["ada"]
    bob.sync()
    ada.sync()
    assert [hit.fields["text"] for hit in ada.search("behind", scope="den")] == ["left behind"]
    for scope, name, why in (
        ("den", "ada", "nobody would be left"),
        ("den", "bob", "not in the scope"),
        ("team", "bob", "every member's"),
    ):
        with pytest.raises(UsageError, match=why):
            revoke(ada.context, scope, name)
    grant(ada.context, "den", "bob")
    assert ada.verify().ok


def test_letting_somebody_go_who_had_a_scope_of_their_own(team: tuple[Memory, Memory]) -> None:
    """An admin lacks its key and makes none: the removal says who has to, or that nobody reads it any more."""
    ada, bob = team
    add_scope(bob.context, "den")
    add_scope(bob.context, "hall", ["ada"])
    bob.sync()
    ada.sync()
    done = remove(ada.context, "bob")
    assert sorted(done.epochs) == ["hall", "team"]
    assert done.problems == ["den has nobody left who opens it"]
    ada.sync()
    assert ada.verify().ok


def test_a_service_has_a_scope_of_its_own(team: tuple[Memory, Memory], place: Path) -> None:
    """A service makes the scope that bears its name, with its first record and in everybody's eyes, and no other one."""
    ada, bob = team
    set_role(ada.context, "bob", "service")
    ada.sync()
    bob.sync()
    with Memory.open(place / "bob", env={**_bob(place).env, "GITMEM_AGENT": "bob"}) as service:
        made = service.learn("note", {"text": "build 7 is slow"})
        assert made.scope == "agents/bob"
        with pytest.raises(GitmemError, match="only an admin may make the scope ops2, and you are bob, a service"):
            add_scope(service.context, "ops2")
        assert service.sync().problems == []
    assert ada.sync().problems == []
    assert ada.verify().problems == []
    vault = ada.context.store.vault
    assert vault.holders("agents/bob", vault.newest_epoch("agents/bob")) == ["bob", "recovery"]
    assert [record.sealed for record in ada.records(scope="agents/bob")] == [True]
