"""Two members, one remote: clone, join, sync, conflicts, resolve, diff, log, audit."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ERROR, Seat
from tests.support.git import Git

ENTRY = ["time", "member", "op", "object", "record", "kind", "scope", "raised", "writer", "seq", "words"]
ENTRY += ["before", "after", "hash"]


def _shared(ada: Seat, bob: Seat) -> str:
    """A record that both have."""
    found = ada.learn()
    ada("sync").ok()
    bob("sync").ok()
    return found


def _conflict(ada: Seat, bob: Seat) -> str:
    """A record whose fix both have changed; Ada's clone has both values."""
    found = _shared(ada, bob)
    bob("edit", found, "--fix", "Bob's way").ok()
    bob("sync").ok()
    ada("edit", found, "--fix", "Ada's way").ok()
    ada("sync").expect(3)
    return found


def test_clone_and_join(place: Path, ada: Seat) -> None:
    """A stranger's clone prints a request; once it is accepted and synced, the store opens to them."""
    found = ada.learn()
    ada("sync").ok()
    (place / "keys/cem").mkdir()
    cem = Seat(place / "cem", place / "keys/cem/gitmem/identity.txt", {"XDG_CONFIG_HOME": str(place / "keys/cem")})
    done = Seat(place, cem.key, cem.env)("clone", place / "remote.git", "cem", "--name", "cem", "--json").ok().json
    assert list(done) == ["root", "store", "member", "request", "notes"]
    assert done["root"] == str(place / "cem")
    assert done["member"] is None
    assert "gitmem-join:" in done["request"]
    assert "`gitmem join`" in cem("list").expect(12).err
    status = cem("status", "--json").ok().json
    assert (status["member"], status["records"]) == (None, None)
    assert "unknown: no key" in cem("status").ok().out
    asked = cem("join", "--name", "cem", "--json").ok().json
    assert list(asked) == ["request", "name", "fingerprint", "store"]
    assert asked["request"] == done["request"]
    line = cem("join", "--name", "cem").ok()
    assert line.out.strip() == asked["request"]
    assert asked["fingerprint"] in line.err
    added = ada("member", "add", line.out.strip(), "--json").ok().json
    assert list(added) == ["name", "role", "recipients", "keys", "fingerprint", "commit", "scopes"]
    assert (added["name"], added["fingerprint"]) == ("cem", asked["fingerprint"])
    ada("sync").ok()
    cem("sync").ok()
    assert cem("show", found, "--json").ok().json["fields"]["fix"]
    assert "you are a member of this store already, as cem" in cem("join").expect(1).err
    again = Seat(place, cem.key, cem.env)("clone", place / "remote.git", "again").ok()
    assert not again.out
    assert "you are cem" in again.err


def test_members(ada: Seat, bob: Seat) -> None:
    """The list with all its fields, and a member whose keys were made by hand."""
    listed = ada("member", "list", "--json").ok().json
    assert list(listed) == ["members"]
    assert list(listed["members"][0]) == ["name", "role", "recipients", "keys", "me"]
    assert [(member["name"], member["me"]) for member in listed["members"]] == [("ada", True), ("bob", False)]
    key, recipient = listed["members"][1]["keys"][0], listed["members"][0]["recipients"][0]
    assert ada("member", "list").ok().out.startswith("ada (you)\tadmin\tSHA256:")
    eve = Seat(ada.path.parent / "other", ada.path.parent / "keys/eve/gitmem/identity.txt")
    stranger = eve("member", "list", "--json").ok().json["members"][0]
    ada("member", "add", "eve", "--recipient", stranger["recipients"][0], "--key", stranger["keys"][0]).ok()
    assert [member["name"] for member in ada("member", "list", "--json").ok().json["members"]] == ["ada", "bob", "eve"]
    assert "enrolled already, as bob" in ada("member", "add", "ci", "--recipient", recipient, "--key", key).expect(2).err
    bob("commit").ok()


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["gitmem-join:AAAA"],
        ["gitmem-join:" + "A" * 20000],
        ["ci", "--recipient", "age1x"],
        ["ci", "--recipient", "age1x", "--key", "ssh-ed25519 AAAA"],
        ["../ci", "--recipient", "age1x", "--key", "ssh-ed25519 AAAA"],
    ],
)
def test_bad_requests(ada: Seat, words: list[str]) -> None:
    """What is no request is refused, and nobody gets in."""
    head = ada.head()
    ada("member", "add", *words).expect(2)
    assert ada.head() == head


def test_another_stores_request(ada: Seat, place: Path) -> None:
    """A request for another store is refused."""
    other = Seat(place / "other", place / "keys/ada/gitmem/identity.txt")
    asked = other("join", "--name", "ada").ok().out
    assert "this request is for another store" in ada("member", "add", "-", input=asked).expect(2).err
    (ada.path / "request.txt").write_text(asked)
    assert "this request is for another store" in ada("member", "add", "request.txt").expect(2).err


def test_an_invitation_beyond_what_is_shared(place: Path, ada: Seat) -> None:
    """Ada is told that the remote lacks what she vouches for; whoever comes too early leaves no clone, and gets in later."""
    remote = Git(ada.path)("remote", "get-url", "origin")
    dan = Seat(place / "dans", place / "keys/dan/gitmem/identity.txt", {"XDG_CONFIG_HOME": str(place / "keys/dan")})
    outside = Seat(place, dan.key, dan.env)
    ada.learn("--pattern", ERROR, "--fix", "docker system prune")
    made = ada("member", "invite", "dan").ok()
    assert "origin lacks some of what it vouches for" in made.err
    refused = outside("join", made.out.strip(), remote, "dans").expect(15)
    assert "have them `gitmem sync`" in refused.err
    assert "cut off" in outside("join", made.out.strip()[:-9], remote, "dans").expect(2).err
    assert not dan.path.exists()
    ada("sync").ok()
    assert "lacks" not in ada("member", "invite", "eve").ok().err
    asked = outside("join", made.out.strip(), remote, "dans").ok()
    ada("member", "add", asked.out.strip()).ok()
    ada("sync").ok()
    dan("sync").ok()


def test_clone_of_nothing(ada: Seat, place: Path) -> None:
    """What is no store or no repository is refused, and no directory is left behind; what is there is not touched."""
    seat = Seat(place, ada.key)
    Git(place)("init", "--quiet", "--bare", "empty.git")
    seat("clone", place / "empty.git").expect(10)
    assert not (place / "empty").exists()
    seat("clone", place / "nosuch.git").expect(14)
    assert not (place / "nosuch").exists()
    (place / "busy").mkdir()
    (place / "busy/mine").write_text("x")
    assert "not empty" in seat("clone", place / "remote.git", "busy").expect(1).err
    assert (place / "busy/mine").read_text() == "x"


def test_sync(ada: Seat, bob: Seat) -> None:
    """What one learned the other finds; counters add up; every field of the document."""
    found = ada.learn()
    report = ada("sync", "--json").ok().json
    promised = ["pushed", "pulled", "merged", "conflicts", "attempts", "head", "problems"]
    assert list(report) == [*promised, "remote", "side", "folded", "notes"]
    assert report["head"] == ada.head()
    assert bob("sync").ok().out == "pushed 0, pulled 1, merged 0, conflicts 0\n"
    assert bob("match", ERROR, "--json").ok().json["matches"][0]["id"] == found
    for seat, times in ((ada, 2), (bob, 3)):
        for _ in range(times):
            seat("used", found, "--fixed").ok()
    ada("sync").ok()
    bob("sync").ok()
    ada("sync").ok()
    for seat in (ada, bob):
        assert seat("show", found, "--json").ok().json["usage"]["fixed"] == 5


def test_sync_without_a_remote(place: Path, ada: Seat) -> None:
    """Everything is committed, and a word says that nothing was shared."""
    other = Seat(place / "other", place / "keys/eve/gitmem/identity.txt")
    other.learn()
    assert "there is no remote yet" in other("sync").ok().err
    assert other("status", "--json").ok().json["pending"] == 0


def test_sync_with_a_remote_that_is_gone(ada: Seat, place: Path) -> None:
    """Exit code 14, with everything committed here."""
    ada.learn()
    (place / "remote.git").rename(place / "moved.git")
    assert ada("sync").expect(14).err.splitlines()[1].startswith("hint: ")
    assert ada("status", "--json").ok().json["pending"] == 0


def test_clone_where_the_remotes_head_names_nothing(place: Path, ada: Seat) -> None:
    """As after `git init --bare` with another default branch than the store's: the branch that has it is named."""
    Git(place / "remote.git")("symbolic-ref", "HEAD", "refs/heads/trunk")
    refused = ada("-C", place, "clone", place / "remote.git", "new").expect(10)
    assert "has nothing on the branch that its HEAD names" in refused.err
    assert "--branch main" in refused.err
    ada("-C", place, "clone", place / "remote.git", "new", "--branch", "main").ok()


def test_conflict(ada: Seat, bob: Seat) -> None:
    """Two who change one field at once: exit code 3, both values with their authors, settled by picking one."""
    found = _conflict(ada, bob)
    listed = ada("conflicts", "--json").ok().json
    assert list(listed) == ["conflicts"]
    values = listed["conflicts"][0]["conflicts"]["fix"]
    assert all(list(value) == ["dot", "value", "by", "at"] for value in values)
    assert {(value["by"], value["value"]) for value in values} == {("ada", "Ada's way"), ("bob", "Bob's way")}
    for shown in (ada("show", found).ok().out, ada("conflicts").ok().out):
        assert "fix: 2 values wait for a choice" in shown
        assert all(f"{value['dot']}  ({value['by']}, {value['at']})" in shown for value in values)
    assert "--pick DOT or --value VALUE" in ada("resolve", found).expect(2).err
    assert "is not in conflict" in ada("resolve", found, "meaning", "--value", "x").expect(2).err
    ada("resolve", found, "--pick", "zzzzzzzz-1.1").expect(13)
    dot = next(value["dot"] for value in values if value["by"] == "bob")
    settled = ada("resolve", found, "fix", "--pick", dot, "--json").ok().json
    assert (settled["fields"]["fix"], settled["conflicts"]) == ("Bob's way", {})
    assert "nothing in conflict" in ada("resolve", found, "--pick", dot).expect(1).err
    assert ada("conflicts").ok().err == "no conflicts\n"
    ada("sync").ok()
    bob("sync").ok()
    assert bob("show", found, "--json").ok().json["fields"]["fix"] == "Bob's way"


def test_the_editor_shows_a_conflict(ada: Seat, bob: Seat, make_editor: Callable[[str], str], tmp_path: Path) -> None:
    """Both values stand in the text as comments; what is changed there settles the field."""
    found = _conflict(ada, bob)
    note = f'cp "$1" {tmp_path}/seen'
    ada("edit", found, env={"EDITOR": make_editor(note)}).ok()
    comments = [line for line in (tmp_path / "seen").read_text().splitlines() if line.startswith("#")]
    assert any("fix has 2 values that wait for a choice" in line for line in comments)
    assert any('by bob: "Bob\'s way"' in line for line in comments)
    assert ada("show", found, "--json").ok().json["conflicts"]
    ada("edit", found, env={"EDITOR": make_editor('sed -i "s/^fix:.*/fix: agreed/" "$1"')}).ok()
    shown = ada("show", found, "--json").ok().json
    assert (shown["fields"]["fix"], shown["conflicts"]) == ("agreed", {})


def test_resolve_with_a_new_value(ada: Seat, bob: Seat) -> None:
    """Neither is right."""
    found = _conflict(ada, bob)
    ada("resolve", found, "--pick", "a", "--value", "b").expect(2)
    ada("resolve", found, "--value", "A third way").ok()
    assert ada("show", found, "--json").ok().json["fields"]["fix"] == "A third way"


def test_resolve_asks_a_person(ada: Seat, bob: Seat) -> None:
    """On a terminal the values are shown with numbers; Ctrl-C leaves all as it was."""
    found = _conflict(ada, bob)
    assert ada.terminal("resolve", found, answers=[("which one is right", "\x03")]).code == 130
    assert ada("show", found, "--json").ok().json["conflicts"]
    assert ada.terminal("resolve", found, answers=[("which one is right", "\x04")]).code == 2
    drawn = ada.terminal("resolve", found, answers=[("which one is right", "9\n"), ("which one is right", "1\n")])
    assert drawn.code == 0
    assert "Bob's way" in drawn.text
    assert ada("show", found, "--json").ok().json["conflicts"] == {}


def test_a_key_under_a_passphrase(place: Path, ada: Seat) -> None:
    """An SSH key is asked for its passphrase on a terminal, which does not show it; without one it is passed over."""
    key = place / "id_ed25519"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)]
    if shutil.which(words[0]) is None or subprocess.run(words, check=False).returncode:
        pytest.skip("no ssh-keygen")
    seat = Seat(place, key)
    drawn = seat.terminal("init", "mine", "--name", "ada", answers=[("Passphrase for", "open sesame\n")])
    assert drawn.code == 0, drawn.text
    assert "open sesame" not in drawn.text
    mine = Seat(place / "mine", key)
    assert "has a passphrase, and there is no terminal" in mine("list").expect(12).err
    assert mine.terminal("learn", "--pattern", "x", "--fix", "y", answers=[("Passphrase for", "open sesame\n")]).code == 0
    assert mine.terminal("list", answers=[("Passphrase for", "wrong\n")]).code == 12


def test_joining_with_a_key_under_a_passphrase(place: Path, ada: Seat) -> None:
    """Whoever is asked for their passphrase joins with that SSH key and no other, and reads with it what the team has."""
    ada.learn()
    ada("sync").ok()
    key = place / "id_dan"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)]
    if shutil.which(words[0]) is None or subprocess.run(words, check=False).returncode:
        pytest.skip("no ssh-keygen")
    (place / "dan.invitation").write_text(ada("member", "invite", "dan").ok().out)
    answers = [("Passphrase for", "open sesame\n")]
    eve = Seat(ada.path, place / "keys/eve/gitmem/identity.txt")
    refused = eve("--identity", key, "join", "--name", "dan").expect(12)
    assert "has a passphrase" in refused.err
    assert "leave it out and use" in refused.err
    remote = Git(ada.path)("remote", "get-url", "origin")
    drawn = Seat(place, key).terminal("join", place / "dan.invitation", remote, "dans", answers=answers)
    assert drawn.code == 0, drawn.text
    assert "open sesame" not in drawn.text
    ada("member", "add", re.findall(r"gitmem-join:[\w-]+", drawn.text)[0]).ok()
    ada("sync").ok()
    dans = Seat(place / "dans", key)
    assert dans.terminal("sync", answers=answers).code == 0
    read = dans.terminal("list", answers=answers)
    assert (read.code, "sealed" in read.text) == (0, False), read.text
    assert "pattern" in read.text


def test_contested_deletion(ada: Seat, bob: Seat) -> None:
    """One deletes what another edits: it stands, is flagged on both sides, and is settled either way."""
    found = _shared(ada, bob)
    for answer, stands in (("--keep", True), ("--forget", False)):
        bob("forget", found, "--yes").ok()
        bob("sync").ok()
        ada("edit", found, "--fix", f"edited before {answer}").ok()
        assert ada("sync", "--json").expect(3).json["conflicts"] == 1
        record = ada("conflicts", "--json").ok().json["conflicts"][0]
        assert (record["id"], record["contested"], record["alive"], record["conflicts"]) == (found, True, True, {})
        assert f"gitmem resolve {found} --keep" in ada("conflicts").ok().out
        assert "--keep or --forget" in ada("resolve", found).expect(2).err
        settled = ada("resolve", found, answer, "--json").ok().json
        assert (settled["contested"], settled["alive"]) == (False, stands)
        ada("sync").ok()
        bob("sync").ok()
        assert bob("show", found, "--json").ok().json["alive"] is stands
    ada("resolve", found, "--keep").expect(1)
    ada("resolve", found, "--keep", "--pick", "x").expect(2)


def test_an_edit_settles_nothing_beside_it(ada: Seat, bob: Seat) -> None:
    """Editing one member of a group leaves concurrent values of another alone."""
    found = ada.learn("--kind", "solution", "--set", "problem.message=it broke", "--set", "problem.context=here")
    ada("sync").ok()
    bob("sync").ok()
    bob("edit", found, "--set", "problem.context=at Bob's").ok()
    bob("sync").ok()
    ada("edit", found, "--set", "problem.context=at Ada's").ok()
    ada("sync").expect(3)
    ada("edit", found, "--set", "root_cause=rust").ok()
    ada("edit", found, "--set", "problem.context_beside=x").expect(13)
    assert list(ada("show", found, "--json").ok().json["conflicts"]) == ["problem.context"]
    other = ada("edit", found, "--set", "problem.error_type=E1")
    assert list(ada("show", found, "--json").ok().json["conflicts"]) == ["problem.context"], other.err


def test_diff(ada: Seat, bob: Seat) -> None:
    """What waits for a commit, in words of the record; nothing after it."""
    found = _shared(ada, bob)
    assert ada("diff").ok().err == "nothing changed since the last commit\n"
    ada("edit", found, "--fix", "Other", "--tag", "new", "--untag", "git", "--unset", "meaning").ok()
    ada("used", found, "--fixed").ok()
    note = ada.learn("--kind", "note", "--set", "text=first\nsecond")
    changes = ada("diff", "--json").ok().json
    assert list(changes) == ["changes"]
    assert all(list(change) == ["id", "kind", "scope", "what", "lines"] for change in changes["changes"])
    by_id = {change["id"]: change for change in changes["changes"]}
    assert by_id[found]["what"] == "edited"
    assert by_id[found]["lines"] == [
        "- fix: Push once with --set-upstream.",
        "+ fix: Other",
        "- meaning: git does not know where to push.",
        "- tags: git",
        "+ tags: new",
        "+ fixed: 1 more, 1 in all",
    ]
    assert (by_id[note]["what"], by_id[note]["lines"]) == ("new", ["@ text", "+first", "+second"])
    assert ada("diff", note).ok().out.splitlines()[0] == f"{note}  note, team: new"
    ada("commit").ok()
    ada("forget", note, "--yes").ok()
    assert ada("diff").ok().out == f"{note}  note, team: forgotten\n"


def test_log(ada: Seat, bob: Seat) -> None:
    """Who did what to a record, in words and with what it is about; `audit log` shows members and keys as well."""
    found = _shared(ada, bob)
    bob("used", found, "--fixed").ok()
    bob("edit", found, "--fix", "Bob's way").ok()
    bob("sync").ok()
    entries = bob("log", found, "--json").ok().json
    assert list(entries) == ["entries"]
    assert all(list(entry) == ENTRY for entry in entries["entries"])
    assert [entry["member"] for entry in entries["entries"]] == ["bob", "ada"]
    line = bob("log", found).ok().out.splitlines()[0].split("\t")
    assert line[1] == "bob"
    assert line[3].startswith("fatal: The current branch")
    assert len(bob("log", "--limit", "1").ok().out.splitlines()) == 1
    ops = {entry["op"] for entry in bob("audit", "log", "--json").ok().json["entries"]}
    assert {"init", "enrol", "key", "learn"} <= ops
    assert {entry["member"] for entry in bob("audit", "log", "--member", "bob", "--json").ok().json["entries"]} == {"bob"}
    assert "founded the store" in bob("audit", "log", "--op", "init").ok().out


def test_audit_verify(ada: Seat, bob: Seat) -> None:
    """All is well without a key; what was tampered with is named, with exit code 15."""
    found = _shared(ada, bob)
    report = bob("audit", "verify", "--json", env={"GITMEM_IDENTITY_FILE": "/nonexistent"}).ok().json
    assert list(report) == ["ok", "entries", "writers", "problems", "notes"]
    assert report["ok"] is True
    assert report["problems"] == []
    file = next((bob.path / "memory").rglob(f"{found}.yaml"))
    file.write_bytes(file.read_bytes().replace(b"alive", b"dead", 1))
    Git(bob.path)("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--all", "--no-verify", "--message", "tampered")
    bad = bob("audit", "verify", "--json").expect(15)
    assert bad.json["ok"] is False
    assert all(list(problem) == ["what", "where", "why"] for problem in bad.json["problems"])
    assert bad.error["exit_code"] == 15
    assert found in bob("audit", "verify").expect(15).out


def test_hooks_go_as_they_came(ada: Seat) -> None:
    """`hooks uninstall`, which the hooks themselves name, removes them; `hooks install` puts them back."""
    hook = ada.path / ".git/hooks/pre-commit"
    assert hook.exists()
    assert ada("hooks", "uninstall", "--json").ok().json == {"removed": ["pre-commit", "pre-merge-commit"]}
    assert not hook.exists()
    ada("hooks", "install").ok()
    assert hook.exists()


def test_who_was_removed(ada: Seat, bob: Seat) -> None:
    """They are told so from the sync on that brings it, record nothing, and are let in again under the name of their key."""
    record = ada.learn()
    ada("sync").ok()
    bob("sync").ok()
    ada("member", "remove", "bob", "--yes").ok()
    ada("sync").ok()
    bob("sync").ok()
    for words in (("used", record, "--fixed"), ("learn", "--pattern", "x y", "--fix", "z")):
        assert bob(*words, "--json").expect(1).error == {
            "error": "you are no member any more: bob was removed",
            "hint": "`gitmem join` asks to be let in again",
            "exit_code": 1,
        }
    assert "leave --name out" in bob("join", "--name", "carol").expect(2).err
    Git(bob.path)("config", "user.name", "Carol")
    asked = bob("join", "--json").ok().json
    assert asked["name"] == "bob"
    ada("member", "add", asked["request"]).ok()
    ada("sync").ok()
    bob("sync").ok()
    assert "tells the team" in bob("used", record, "--fixed").ok().err
