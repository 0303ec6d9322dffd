"""Access enforced at sync: what somebody signed without the right to it has no effect, and the log is whole again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import ERASE
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit, parse
from gitmem.core.collected import empty_list, list_of, with_graves
from gitmem.core.edit import Pen
from gitmem.core.erasure import erased, redacted_detail
from gitmem.core.membership.members import enrol_detail
from gitmem.crypto.keys import wrap
from gitmem.git import snapshots
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.locate import locate
from gitmem.memory.members.granting import add_scope, grant, revoke
from gitmem.memory.members.removal import remove, set_role
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.consent import READS
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erase_history import erase_history
from gitmem.memory.privacy.erase_subject import erase_subject
from gitmem.memory.privacy.overview import status
from gitmem.store.layout import KEYS, MEMBERS, member_path
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share

EVE = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
"""The recipient of the example in age's own manual."""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Ada, an admin, and bob, a member, who share two notes."""
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    found(tmp_path / "ada")
    share(tmp_path / "ada", tmp_path / "remote")
    with _ada(tmp_path) as ada:
        for number in range(2):
            ada.learn("note", {"text": f"true {number}"})
        join(ada, tmp_path / "bob", tmp_path / "remote", "bob", person(tmp_path / "home-bob"))
    return tmp_path


def _ada(path: Path) -> Memory:
    return open_memory(path / "ada")


def _bob(path: Path) -> Memory:
    return open_memory(path / "bob", person(path / "home-bob"))


def _push_as_is(path: Path) -> None:
    """What bob has committed goes to the remote by plain git, merged with what is there."""
    git = Git(path / "bob")
    git("fetch", "--quiet", "origin")
    git("-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--no-edit", "origin/main")
    git("push", "--quiet", "origin", "HEAD:main")


def test_what_a_removed_member_writes(team: Path) -> None:
    """An edit, a new record and a deletion by bob, who does not know that he was removed: none of it stands."""
    with _ada(team) as ada, _bob(team) as bob:
        edited, deleted = sorted(record.id for record in ada.records())
        truth = {one: ada.get(one).fields["text"] for one in (edited, deleted)}
        bob.edit(edited, {"text": "a lie"})
        bob.forget(deleted)
        new = bob.learn("note", {"text": "more lies"}).id
        bob.commit()
        remove(ada.context, "bob")
        ada.edit(edited, {"tags": ["ada"]})
        ada.sync()
        _push_as_is(team)
        report = ada.sync()
        assert any("bob" in problem for problem in report.problems)
        assert {one: ada.get(one).fields["text"] for one in (edited, deleted)} == truth
        assert ada.get(edited).sets["tags"] == ["ada"]
        assert new not in {record.id for record in ada.records()}
        assert ada.verify().problems == []
        assert ada.sync().problems == []
        Git(team)("clone", "--quiet", "remote", "fresh")
        shutil.copytree(team / "ada/.git/gitmem", team / "fresh/.git/gitmem", ignore=shutil.ignore_patterns("*"))
    with open_memory(team / "fresh") as fresh:
        assert {record.id for record in fresh.records()} == {edited, deleted}
        assert fresh.verify().problems == []


def test_a_member_who_plays_the_admin(team: Path) -> None:
    """Bob enrols eve with a key file of her own: neither stands, and his records do."""
    eve, _ = person(team / "home-eve").identity()
    with _ada(team) as ada, _bob(team) as bob:
        note = bob.learn("note", {"text": "honest"}).id
        bob.commit()
        path = member_path("eve")
        pen = Pen(parse((team / "bob" / member_path("bob")).read_bytes(), path), "zzzzzzzz-1")
        pen.state.id = "m-eve"
        pen.live()
        key = bob.context.store.vault.current("team")
        extras = [
            Extra(path, emit(pen.state), "enrol", enrol_detail("eve", [eve.recipient], ["ssh-ed25519 eve"], "admin")),
            Extra(f"{KEYS}/team/{key.epoch}/eve.age", wrap(key, eve.recipient), "key", {"member": "eve"}),
        ]
        commit(bob.context, "gitmem: eve", extras)
        bob.sync()
        report = ada.sync()
        assert any("eve" in problem for problem in report.problems)
        assert not (team / "ada" / KEYS / "team" / key.epoch / "eve.age").exists()
        assert [member.name for member in ada.members()] == ["ada", "bob"]
        assert ada.get(note).fields["text"] == "honest"
        assert ada.verify().problems == []
        bob.sync()
        assert (bob.verify().problems, [member.name for member in bob.members()]) == ([], ["ada", "bob"])


def test_a_reader_who_writes(team: Path) -> None:
    """What a reader records by a gitmem that lets them is taken back, and put back where it was changed."""
    with _ada(team) as ada, _bob(team) as bob:
        set_role(ada.context, "bob", "reader")
        ada.sync()
        bob.sync()
        bob.context.store.marks.set_note("role", "member")
        one = bob.records()[0]
        bob.edit(one.id, {"text": "by a reader"})
        bob.commit()
        Git(team / "bob")("push", "--quiet", "origin", "HEAD:main")
        assert any("reader" in problem for problem in ada.sync().problems)
        assert ada.get(one.id).fields["text"] == one.fields["text"]
        assert ada.verify().problems == []


def test_a_member_file_that_was_put_in(team: Path) -> None:
    """A recipient that the host adds to a member's file goes again."""
    with _ada(team) as ada:
        before = {member.name: member.recipients for member in ada.members()}
        path = member_path("bob")
        pen = Pen(parse((team / "ada" / path).read_bytes(), path), "zzzzzzzz-1")
        pen.add("recipients", "e" + "a" * 25, lambda _path, _dot: EVE)
        git = Git(team)
        git("clone", "--quiet", "remote", "host")
        (team / "host" / path).write_bytes(emit(pen.state))
        Git(team / "host")("commit", "--quiet", "--all", "--message", "host")
        Git(team / "host")("push", "--quiet", "origin", "HEAD:main")
        report = ada.sync()
        assert any(MEMBERS in problem for problem in report.problems)
        assert {member.name: member.recipients for member in ada.members()} == before
        assert ada.verify().problems == []


def test_honest_work_is_not_looked_at_twice(team: Path) -> None:
    """Records of known members call for no look at all members: the note moves on with HEAD, and says nothing."""
    with _ada(team) as ada, _bob(team) as bob:
        bob.sync()
        ada.sync()
        for memory, text in ((bob, "one"), (ada, "two")):
            memory.learn("note", {"text": text})
            assert memory.sync().problems == []
        assert ada.verify().problems == []


def test_what_a_removed_member_erases_and_redacts(team: Path) -> None:
    """It stands, in the clone of whoever takes it back too: nothing of it is purged there, or taken out of history."""
    with _ada(team) as ada, _bob(team) as bob:
        erased, redacted = sorted(record.id for record in ada.records())
        ada.edit(redacted, {"text": "Marlowyn knows"})
        ada.sync()
        bob.sync()
        snapshots.create(ada.context.store.repo, "test", ada.context.clock())
        remove(ada.context, "bob")
        erase(bob.context, [erased])
        erase_subject(bob.context, ["Marlowyn"], redact=True)
        ada.edit(redacted, {"tags": ["ada"]})
        ada.sync()
        _push_as_is(team)
        report = ada.sync()
        assert any("bob" in problem for problem in report.problems)
        assert ada.get(erased).fields["text"].startswith("true")
        assert ada.get(redacted).fields["text"] == "Marlowyn knows"
        assert not any("redacted" in note for note in report.notes)
        assert snapshots.all_snapshots(ada.context.store.repo)
        assert erase_history(ada.context, dry_run=True).versions == 0
        assert ada.verify().problems == []


@pytest.mark.parametrize("insider", ["never in it", "taken out"])
def test_what_a_member_erases_in_a_scope_that_is_not_theirs(team: Path, insider: str) -> None:
    """Bob, whose gitmem lets him, erases from ops: it stands again, nothing is purged, and what he may erase stays erased."""
    with _ada(team) as ada, _bob(team) as bob:
        own, _ = sorted(record.id for record in ada.records())
        add_scope(ada.context, "ops", ["ada"])
        secret = ada.learn("note", {"text": "the vault code"}, scope="ops").id
        if insider == "taken out":
            grant(ada.context, "ops", "bob")
            ada.sync()
            bob.sync()
            revoke(ada.context, "ops", "bob")
        ada.sync()
        bob.sync()
        snapshots.create(ada.context.store.repo, "test", ada.context.clock())
        erase(bob.context, [own])
        bob.context.store.marks.set_note("role", "admin")
        erase(bob.context, [secret])
        _push_as_is(team)
        report = ada.sync()
        assert any("bob, who is not in ops, had no right to erase there" in problem for problem in report.problems)
        assert ada.get(secret).fields["text"] == "the vault code"
        assert [record.id for record in ada.records(scope="team") if record.id == own] == []
        assert erase_history(ada.context, dry_run=True).records == 1
        assert ada.verify().problems == []
        assert ada.sync().problems == []


@pytest.mark.parametrize(("op", "plain_pull"), [(ERASE, False), ("edit", True)])
def test_a_grave_that_no_erasure_goes_with(team: Path, op: str, plain_pull: bool) -> None:
    """Bob puts one of a record in ops into a list, and signs for that alone: the record stands, nothing is purged."""
    with _ada(team) as ada, _bob(team) as bob:
        add_scope(ada.context, "ops", ["ada"])
        secret = ada.learn("note", {"text": "the vault code"}, scope="ops").id
        ada.sync()
        bob.sync()
        snapshots.create(ada.context.store.repo, "test", ada.context.clock())
        path, store = locate(bob.context, secret), bob.context.store
        state = store.read(path)
        assert state is not None
        grave, where = erased(state, store.writer_for(path, state), bob.context.now()), list_of(path)
        listing = with_graves(empty_list(where), store.writer_for(where, empty_list(where)), [grave])
        commit(bob.context, "gitmem: housekeeping", [Extra(where, emit(listing), op)])
        assert [problem.what for problem in bob.verify().problems] == ["not entitled"]
        _push_as_is(team)
        if plain_pull:
            Git(team / "ada")("pull", "--quiet", "origin", "main")
        assert any(f"bob had no right to bury {path}" in problem for problem in ada.sync().problems)
        assert ada.get(secret).fields["text"] == "the vault code"
        assert (ada.verify().problems, ada.sync().problems) == ([], [])
        assert not ada.context.store.graves.is_noted(path, grave)
        assert snapshots.all_snapshots(ada.context.store.repo)


def test_what_a_member_changes_in_a_scope_that_is_not_theirs(team: Path) -> None:
    """Values that bob takes out of a record in ops come back, one that he deletes lives again, and one that he puts in goes."""
    with _ada(team) as ada, _bob(team) as bob:
        add_scope(ada.context, "ops", ["ada"])
        secret, other, third = (ada.learn("note", {"text": f"the vault code {n}"}, scope="ops").id for n in range(3))
        ada.sync()
        bob.sync()
        deleted, edited = _pen(bob, other), _pen(bob, third)
        deleted.die()
        edited.set("text", lambda _path, _dot: "a lie")
        writes = [(op, locate(bob.context, one.state.id), one) for op, one in (("heal", deleted), ("edit", edited))]
        extras = [
            Extra(path, emit(pen.state), op, record_detail(bob.context.store.read(path), pen.state)) for op, path, pen in writes
        ]
        commit(bob.context, "gitmem: 2 edited", extras)
        _push_as_is(team)
        told = [problem for problem in ada.sync().problems if "not in ops" in problem]
        assert len(told) == 1, told
        assert [problem.what for problem in bob.verify().problems] == ["not entitled", "not entitled"]
        assert {ada.get(one).fields["text"] for one in (other, third)} == {"the vault code 1", "the vault code 2"}
        assert ada.verify().problems == []
        path, pen = locate(bob.context, secret), _pen(bob, secret)
        state = pen.state.copy()
        gone = [("fields/text", key) for key in state.fields["text"]]
        pen.state.fields = {}
        pen.live()
        detail = record_detail(state, pen.state) | redacted_detail(gone)
        commit(bob.context, "gitmem: 1 redacted", [Extra(path, emit(pen.state), ERASE, detail, complete=True)])
        _push_as_is(team)
        assert any("not in ops" in problem for problem in ada.sync().problems)
        assert ada.get(secret).fields["text"] == "the vault code 0"
        assert erase_history(ada.context, dry_run=True).versions == 0
        assert (ada.verify().problems, ada.sync().problems) == ([], [])


def _pen(memory: Memory, record: str) -> Pen:
    """What a patched gitmem writes into a record with."""
    path = locate(memory.context, record)
    state = memory.context.store.read(path)
    assert state is not None
    return Pen(state, memory.context.store.writer_for(path, state))


def test_what_a_removed_member_chose_for_another(team: Path) -> None:
    """Ada's own file says that she opted out, signed by bob, who was removed: her choice stands, and the log is whole."""
    with _ada(team) as ada, _bob(team) as bob:
        state = parse((team / "bob" / member_path("ada")).read_bytes(), member_path("ada"))
        pen = Pen(state, bob.context.store.writer_for(member_path("ada"), state))
        pen.add("opted_out", "aaaaaaaaaaaaaaaa", lambda _path, _dot: READS)
        pen.live()
        commit(bob.context, "gitmem: housekeeping", [Extra(member_path("ada"), emit(pen.state), "consent", {})])
        remove(ada.context, "bob")
        ada.sync()
        _push_as_is(team)
        assert any("bob" in problem for problem in ada.sync().problems)
        assert ada.verify().problems == []
        assert status(ada.context).consent["ada"] == {"usage": True, "reads": True}
        assert ada.sync().problems == []
