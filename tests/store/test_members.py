"""The life of a team: roles, removal, new keys, on real stores."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gitmem.core.token import TOKEN, epoch_of
from gitmem.errors import GitmemError, NoKey, Tampered, UsageError
from gitmem.memory.auditing.files import heads
from gitmem.memory.auditing.keyless import check_stores
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.founding.cloning import clone
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.granting import add_scope
from gitmem.memory.members.inviting import Invitation, accept, check, invite, parse_invitation
from gitmem.memory.members.joining import add_member
from gitmem.memory.members.keys import key_status
from gitmem.memory.members.leaving import taken
from gitmem.memory.members.noted import allows
from gitmem.memory.members.recovery import drill, read_identity, recover, vault_key
from gitmem.memory.members.removal import remove, set_role, taken_by
from gitmem.memory.members.requesting import Request, parse_request, request
from gitmem.memory.members.rotation import rotate, waiting
from gitmem.memory.memory import Memory
from gitmem.memory.policies import set_redaction
from gitmem.memory.privacy.choosing import choose
from gitmem.memory.privacy.consent import READS
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.overview import set_pseudonyms
from gitmem.store.vault import Vault
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


class Team:
    """Ada, an admin, and bob, a member, with a clone each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.remote = path / "remote"
        self.bob = person(path / "home-bob")

    def open(self, name: str) -> Memory:
        """Somebody's clone."""
        return open_memory(self.path / name, self.bob if name == "bob" else None)

    def change(self, name: str) -> list[str]:
        """The files that the newest commit of a clone changed."""
        return Git(self.path / name)("show", "--format=", "--name-only", "HEAD").split()


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A team with three records."""
    made = Team(tmp_path)
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    found(tmp_path / "ada")
    share(tmp_path / "ada", made.remote)
    with made.open("ada") as ada:
        for number in range(3):
            ada.learn("note", {"text": f"the secret number {number}"})
        join(ada, tmp_path / "bob", made.remote, "bob", made.bob)
    return made


def _epochs(memory: Memory) -> set[str]:
    """The epochs of all values that stand."""
    files = (memory.context.store.root / "memory").rglob("*.yaml")
    return {epoch_of(match[0]) for file in files for match in TOKEN.finditer(file.read_text())}


def test_removal(team: Team) -> None:
    """Bob goes: new keys, all that stands sealed with them; what he has stays open to him, what comes does not."""
    with team.open("ada") as ada:
        ada.context.redact = False
        kept = ada.learn("note", {"text": "the pager's password: hunter2-hunter9", "source": "the wiki"}).id
        shown = taken_by(ada.context, "bob")
        assert taken(ada.context, ["team"], shown) is shown
        ada.edit(kept, {"source": "the token is ghp_0123456789abcdefghijABCDEFGHIJ012345"})
        assert taken(ada.context, ["team"], shown).secrets == {kept: ["source", "text"]}, "something was written since"
        ada.edit(kept, {"source": "the wiki"})
        looked = remove(ada.context, "bob", dry_run=True)
        assert looked.secrets == {kept: ["text"]}
        ada.forget(kept)
        assert (len(looked.read["team"]), looked.epochs) == (4, {})
        done = remove(ada.context, "bob")
        assert (done.resealed, done.problems, waiting(ada.context, ["team"])) == (4, [], [])
        assert _epochs(ada) == {done.epochs["team"]}
        new = ada.learn("note", {"text": "after bob"}).id
        ada.sync()
        assert ada.verify().problems == []
        assert [member.name for member in ada.members()] == ["ada"]
        with pytest.raises(UsageError, match="no member any more"):
            remove(ada.context, "bob")
    with team.open("bob") as bob:
        bob.sync()
        with pytest.raises(NoKey):
            bob.get(new)
    shutil.rmtree(team.path / "ada/.git/gitmem")
    with team.open("ada") as again:
        assert len(again.records()) == 4


def test_a_newcomer_gets_one_key_file_for_all_epochs(team: Team) -> None:
    """After rotations, what was sealed before and is not sealed anew opens by the links between the keys."""
    with team.open("ada") as ada, team.open("bob") as bob:
        for _ in range(2):
            rotate(ada.context)
        old = bob.learn("note", {"text": "sealed in the first epoch"}).id
        bob.commit()
        ada.sync()
        bob.sync()
        who = person(team.path / "home-cem")
        shutil.copytree(team.path / "bob", team.path / "cem")
        shutil.rmtree(team.path / "cem/.git/gitmem")
        with open_memory(team.path / "cem", who) as cem:
            asked = request(cem.context, who.identity()[0], "cem")
        ada.sync()
        add_member(ada.context, asked)
        changed = team.change("ada")
        assert len(changed) == 3, changed
        ada.sync()
        with open_memory(team.path / "cem", who) as cem:
            cem.sync()
            assert cem.get(old).fields["text"] == "sealed in the first epoch"
            assert len(cem.records()) == 4
            assert cem.verify().problems == []


def test_roles(team: Team) -> None:
    """Only an admin gives them; a member lets nobody in."""
    with team.open("bob") as bob:
        with pytest.raises(GitmemError, match="only an admin"):
            set_role(bob.context, "bob", "admin")
        with pytest.raises(GitmemError, match="only an admin"):
            remove(bob.context, "ada")
    with team.open("ada") as ada:
        with pytest.raises(GitmemError, match="last admin"):
            remove(ada.context, "ada")
        with pytest.raises(GitmemError, match="last admin"):
            set_role(ada.context, "ada", "member")
        with pytest.raises(UsageError, match="no role"):
            set_role(ada.context, "bob", "king")
        set_role(ada.context, "bob", "admin")
        ada.sync()
        assert ada.verify().problems == []
    with team.open("bob") as bob:
        bob.sync()
        remove(bob.context, "ada")
        bob.sync()
        assert (bob.verify().problems, [member.name for member in bob.members()]) == ([], ["bob"])


def test_two_rotate_at_once(team: Team) -> None:
    """Both keys stay, the higher is used, and everybody opens what either sealed."""
    with team.open("ada") as ada, team.open("bob") as bob:
        set_role(ada.context, "bob", "admin")
        ada.sync()
        bob.sync()
        for memory in (ada, bob):
            rotate(memory.context)
        texts = {memory.learn("note", {"text": f"sealed {n} at once"}).id for n, memory in enumerate((ada, bob))}
        for memory in (ada, bob, ada, bob):
            memory.sync()
        assert ada.context.store.vault.current("team") == bob.context.store.vault.current("team")
        assert len(ada.context.store.vault.tips("team")) == 2
        for memory in (ada, bob):
            assert all(memory.get(one).fields["text"].startswith("sealed") for one in texts)
            assert memory.verify().problems == []
        rotate(ada.context)
        assert (len(ada.context.store.vault.tips("team")), len(_epochs(ada))) == (1, 1)


def test_recovery(team: Team) -> None:
    """The file from `init` proves itself, lets a member in with a new key, and makes an admin where all are lost."""
    with team.open("ada") as ada:
        file = next((person().folder).glob("recovery-*.txt"))
        rotate(ada.context)
        assert drill(ada.context, read_identity(file)).ok
        head = ada.context.store.repo.head()
        wrong = drill(ada.context, person(team.path / "home-eve").identity()[0])
        assert (wrong.signs, wrong.opens, head) == (False, [], ada.context.store.repo.head())
        ada.sync()
    lost = person(team.path / "home-new")
    mine, _ = lost.identity()
    with team.open("bob") as bob:
        bob.sync()
        texts = {record.fields["text"] for record in bob.records()}
    with open_memory(team.path / "bob", lost) as memory:
        key = vault_key(memory.context.store.vault, mine)
        with pytest.raises(GitmemError, match="not the recovery identity"):
            recover(memory.context, mine, Request(memory.context.store.id, "bob", mine.recipient, key))
        recover(memory.context, read_identity(file), Request(memory.context.store.id, "bob", mine.recipient, key))
        with pytest.raises(UsageError, match="enrolled already, as bob"):
            recover(memory.context, read_identity(file), Request(memory.context.store.id, "cem", mine.recipient, key))
        assert {record.fields["text"] for record in memory.records()} == texts
        memory.learn("note", {"text": "bob is back"})
        memory.sync()
        assert memory.verify().problems == []
        assert [m.role for m in memory.members() if m.name == "bob"] == ["member"]
    other = person(team.path / "home-cem").identity()[0]
    with team.open("ada") as ada:
        ada.sync()
        key = vault_key(ada.context.store.vault, other)
        members = recover(ada.context, read_identity(file), Request(ada.context.store.id, "cem", other.recipient, key))
        assert members.admins() == ["ada", "cem"]
        ada.sync()
        assert ada.verify().problems == []


def test_an_invitation(team: Team) -> None:
    """One line leads to the true store and in once, as the role it names; a changed, old or used one is refused."""
    with team.open("ada") as ada, team.open("bob") as bob:
        ada.sync()
        bob.sync()
        with pytest.raises(GitmemError, match="only an admin"):
            invite(bob.context, "eve")
        with pytest.raises(UsageError, match="member already"):
            invite(ada.context, "bob")
        for days in (-1, 10**9):
            with pytest.raises(UsageError, match="1 to 365 days"):
                invite(ada.context, "eve", days=days)
        invited = invite(ada.context, "cem", "service")
        line = invited.line()
        who = person(team.path / "home-cem")
        clone(str(team.remote), str(team.path / "cem"))
        with open_memory(team.path / "cem", who) as cem:
            asked = accept(cem.context, parse_invitation(line), who.identity()[0])
        asked = parse_request(asked.line())
        with pytest.raises(UsageError, match="changed or cut off"):
            parse_invitation(line[:-9])
        with pytest.raises(UsageError, match="not for eve"):
            add_member(ada.context, replace(asked, name="eve"))
        with pytest.raises(UsageError, match="changed or cut off"):
            parse_invitation(replace(invited, role="admin").line())
        with pytest.raises(UsageError, match="ended on"):
            check(ada.context, replace(invited, until="2020-01-01T00:00:00Z"), members_of(ada.context))
        member, _ = add_member(ada.context, asked)
        assert (member.role, len(team.change("ada"))) == ("service", 3)
        with pytest.raises(UsageError, match="used already"):
            add_member(ada.context, asked)
        ada.sync()
        with open_memory(team.path / "cem", who) as cem:
            cem.sync()
            assert len(cem.records()) == 3
            assert cem.verify().problems == []


def test_an_invitation_into_scopes(team: Team) -> None:
    """It leads into scopes that inviter and accepter can read, with one key file for each; nobody passes on what they lack."""
    with team.open("ada") as ada, team.open("bob") as bob:
        for scope in ("ops", "projects/apollo"):
            add_scope(ada.context, scope)
        secret = ada.learn("note", {"text": "the vault code is 4711"}, scope="ops").id
        set_role(ada.context, "bob", "admin")
        ada.sync()
        bob.sync()
        with pytest.raises(UsageError, match="team is every member's"):
            ada.invite("cem", scopes=["team"])
        with pytest.raises(UsageError, match="there is no scope 'opps'; did you mean 'ops'"):
            ada.invite("cem", scopes=["opps"])
        with pytest.raises(NoKey, match="none of your keys opens ops") as lacking:
            bob.invite("cem", scopes=["ops"])
        assert lacking.value.hint == "an admin who holds its key can; held by ada"
        line = ada.invite("cem", scopes=["projects/apollo", "ops"])
        forged = _signed_by(bob, parse_invitation(line))
        with pytest.raises(UsageError, match="bob, who signed this invitation, does not belong to the scope 'ops'"):
            check(ada.context, forged, members_of(ada.context))
        who = person(team.path / "home-cem")
        who.identity()
        clone(str(team.remote), str(team.path / "cem"))
        with open_memory(team.path / "cem", who) as cem:
            asked = cem.join("cem", line)
            before = members_of(bob.context)
            with pytest.raises(NoKey, match="none of your keys opens ops"):
                bob.add_member(asked)
            assert members_of(bob.context) == before
            ada.add_member(asked)
            changed = team.change("ada")
            assert (len(changed), sum(path.endswith("/cem.age") for path in changed)) == (5, 3)
            ada.sync()
            cem.sync()
            assert cem.get(secret).fields["text"] == "the vault code is 4711"
            assert cem.learn("note", {"text": "landed"}, scope="projects/apollo")
            assert cem.verify().problems == []
        bob.sync()
        assert members_of(bob.context).scopes["ops"].members == {"ada", "cem"}
        assert bob.verify().problems == []


def _signed_by(memory: Memory, invitation: Invitation) -> Invitation:
    """The same invitation as somebody else would have signed it."""
    key = memory.context.store.vault.signing_key()
    theirs = replace(invitation, key=key.public)
    return parse_invitation(replace(theirs, signature=key.sign(theirs.body)).line())


def test_who_lost_their_key_finds_all_again(team: Team) -> None:
    """What was recorded and not committed, a key that was made since the last sync, and a scope that nobody else is in."""
    with team.open("ada") as ada, team.open("bob") as bob:
        bob.sync()
        add_scope(bob.context, "own")
        bob.learn("note", {"text": "for me alone"}, scope="own")
        bob.sync()
        bob.learn("note", {"text": "recorded, not committed"})
        ada.sync()
        rotate(ada.context)
        ada.learn("note", {"text": "sealed with the new key"})
        ada.sync()
    lost = person(team.path / "home-new")
    lost.identity()
    with open_memory(team.path / "bob", lost) as bob:
        bob.recover("bob", next(person().folder.glob("recovery-*.txt")))
        assert len(bob.records()) == 6
        assert all(bob.context.store.vault.opens(scope) for scope in ("own", "team"))
        bob.sync()
        assert bob.verify().problems == []


def test_a_second_identity_of_a_member(team: Team) -> None:
    """It opens what an admin accepted it with; the other keys of its owner are passed on by who holds them."""
    with team.open("ada") as ada, team.open("bob") as bob:
        bob.sync()
        add_scope(bob.context, "ops", ["ada"])
        bob.sync()
        ada.sync()
        second = person(team.path / "home-second").identity()[0]
        add_member(ada.context, request(ada.context, second, "ada"), "admin")
        with open_memory(team.path / "ada", person(team.path / "home-second")) as other:
            check = next(check for check in doctor(other.context) if check.name == "key")
            assert (check.ok, check.fix) == (False, "gitmem scope grant ops ada, by one who opens it; or gitmem key recover")
        missing = {scope.scope: scope.missing for scope in key_status(ada.context).scopes}
        assert missing == {"ops": ["ada"], "team": []}
        ada.sync()
        assert key_status(ada.context).scopes[0].missing == []
        assert Vault(ada.context.store.root, ada.context.store.id, False, [second]).opens("ops")


def test_the_recovery_identity_lets_go_of_a_stolen_key(team: Team) -> None:
    """It acts as an admin under its own name: its owner goes with the stolen key and comes back with another one."""
    file = next(person().folder.glob("recovery-*.txt"))
    with team.open("ada") as ada:
        ada.sync()
        set_role(ada.context, "bob", "admin")
        ada.sync()
    saved = person(team.path / "home-safe")
    saved.folder.mkdir(parents=True)
    shutil.copy(file, saved.folder / "identity.txt")
    with open_memory(team.path / "ada", saved) as recovering:
        recovering.learn("note", {"text": "by recovery"})
        recovering.remove_member("ada")
    lost = person(team.path / "home-new")
    mine = lost.identity()[0]
    with open_memory(team.path / "ada", lost) as ada:
        ada.recover("ada", file)
        ada.sync()
        assert ada.verify().problems == []
        assert members_of(ada.context).by_name["ada"].recipients == {mine.recipient}
        assert len(ada.records()) == 4


def test_two_people_in_one_clone(team: Team) -> None:
    """An agent with an identity of its own, in the clone of whom it works for: each signs in a log of their own."""
    with team.open("ada") as ada, open_memory(team.path / "ada", team.bob) as bob:
        ada.sync()
        for memory in (bob, ada, bob):
            memory.learn("note", {"text": "whoever commits signs"})
            memory.commit()
        assert ada.verify().problems == []
        ada.sync()
    with team.open("bob") as bob:
        bob.sync()
        assert bob.verify().problems == []
        assert len(bob.records()) == 6
        assert len({writer.partition("-")[0] for writer in heads(bob.context.store.root)}) == 1  # no clone more than there is


def test_a_reset_before_what_another_shared_from_this_clone(team: Team) -> None:
    """Nobody says where the log of somebody else ends, though the work tree holds nothing of it any more."""
    with team.open("ada") as ada:
        ada.sync()
        with open_memory(team.path / "ada", team.bob) as bob:
            bob.learn("note", {"text": "shared by bob"})
            bob.sync()
        Git(team.path / "ada")("reset", "--quiet", "--hard", "HEAD~1")
    with team.open("ada") as ada:
        ada.learn("note", {"text": "after the reset"})
        ada.sync()
        assert (ada.verify().problems, len(ada.records())) == ([], 5)


def test_what_is_asked_of_each_of_two_in_one_clone(team: Team) -> None:
    """A role, and what somebody wants not to be logged, is theirs, whoever synced last in the clone."""
    with team.open("ada") as ada:
        set_role(ada.context, "bob", "reader")
        ada.sync()
        with open_memory(team.path / "ada", team.bob) as bob:
            with pytest.raises(GitmemError, match="you are bob, a reader"):
                bob.learn("note", {"text": "not for a reader"})
            choose(bob.context, READS, allowed=False)
            bob.sync()
            assert not allows(bob.context, READS)
        (record, *_) = ada.records()
        ada.used(record.id, fixed=True)  # by whom, a key must tell from now on, though it seals nothing
        with open_memory(team.path / "ada", team.bob) as bob, pytest.raises(GitmemError, match="you are bob, a reader"):
            bob.used(record.id, fixed=True)
        ada.learn("note", {"text": "by an admin"})
        assert allows(ada.context, READS)


def test_joining_and_recovering_by_the_python_api(team: Team) -> None:
    """Invited, asked, accepted; and with a new key, back in under the same name by the recovery identity."""
    with team.open("ada") as ada:
        line = ada.invite("cem", role="service")
        who, lost = person(team.path / "home-cem"), person(team.path / "home-cem-2")
        for one in (who, lost):
            one.identity()
        clone(str(team.remote), str(team.path / "cem"))
        with open_memory(team.path / "cem", who) as cem:
            with pytest.raises(UsageError, match="is for cem, not for eve"):
                cem.join("eve", line)
            assert ada.add_member(cem.join("cem", line)).role == "service"
            ada.sync()
            cem.sync()
            assert len(cem.records()) == 3
    with open_memory(team.path / "cem", lost) as cem:
        cem.recover("cem", next(person().folder.glob("recovery-*.txt")))
        assert len(cem.records()) == 3
        cem.sync()
        assert cem.verify().problems == []


def test_an_invitation_to_a_store_that_lost_something(team: Team) -> None:
    """Whoever shows the invited an older state is found out; nothing is asked of such a store."""
    with team.open("ada") as ada:
        ada.sync()
        Git(team.path)("clone", "--quiet", "--bare", "remote", "old")
        ada.learn("note", {"text": "later"})
        ada.sync()
        line = invite(ada.context, "cem").line()
    who = person(team.path / "home-cem")
    clone(str(team.path / "old"), str(team.path / "cem"))
    with open_memory(team.path / "cem", who) as cem, pytest.raises(Tampered, match="had before them"):
        accept(cem.context, parse_invitation(line), who.identity()[0])


def test_what_members_do_passes_the_check_without_keys(team: Team) -> None:
    """Links between keys, and the words of an erasure, have their place in a sealed store."""
    with team.open("ada") as ada:
        rotate(ada.context)
        erase(ada.context, [next(iter(ada.records())).id], basis="request 4711")
    [report] = check_stores(team.path / "ada", "HEAD")
    assert (report.problems, report.audit.problems) == ([], [])


def test_a_reader_is_told_so_and_changes_nothing(team: Team) -> None:
    """What every sync would take back is refused at once, a match is not counted; until they are a member again."""
    with team.open("ada") as ada, team.open("bob") as bob:
        set_role(ada.context, "bob", "reader")
        one = ada.records()[0].id
        ada.sync()
        bob.sync()
        acts: list[Callable[[], object]] = [
            lambda: bob.learn("note", {"text": "more"}),
            lambda: bob.used(one, fixed=True),
            lambda: bob.edit(one, {"text": "other"}),
            lambda: bob.forget(one),
            lambda: erase(bob.context, [one]),
            lambda: set_redaction(bob.context, {"email": "keep"}),
            lambda: set_pseudonyms(bob.context, on=True),
        ]
        for act in acts:
            with pytest.raises(GitmemError, match="you are bob, a reader, who reads and changes nothing"):
                act()
        head = Git(team.path / "bob")("rev-parse", "HEAD")
        assert bob.match("the secret number 1")
        assert bob.sync().problems == []
        assert Git(team.path / "bob")("rev-parse", "HEAD") == head
        set_role(ada.context, "bob", "member")
        ada.sync()
        bob.sync()
        bob.edit(one, {"text": "other"})
