"""Redaction on the way in, through real processes: every way to record, what is said of it, and that nothing else keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Seat
from tests.faults.test_secrets import _contents, _places
from tests.support.git import Git

MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6"
SECRETS = [f"ghp_{MIXED}", "carol.jones@corp.example.org", "hunter2xyz", "198.18.7.42"]
TEXT = f"push with {SECRETS[0]} as {SECRETS[1]} failed: password={SECRETS[2]} at {SECRETS[3]}"
OTHER = "ask dave@corp.example.org"
HIDDEN = "push with <token:1> as <email:1> failed: password=<password:1> at <ip:1>"


def _pattern(ada: Seat, record: str) -> str:
    return str(ada("show", record, "--json").ok().json["fields"]["pattern"])


@pytest.mark.parametrize("way", ["option", "stdin", "file", "batch"])
def test_every_way_to_learn(ada: Seat, tmp_path: Path, way: str) -> None:
    """What is recorded has placeholders, and the answer says what was replaced where, never what it was."""
    file = tmp_path / "record.json"
    file.write_text(json.dumps({"pattern": TEXT, "fix": f"ask {SECRETS[1]}"}))
    words = {
        "option": ["--pattern", TEXT, "--fix", f"ask {SECRETS[1]}"],
        "stdin": ["--pattern", "-", "--fix", f"ask {SECRETS[1]}"],
        "file": ["--file", file],
        "batch": ["--batch", file],
    }[way]
    done = ada("learn", *words, "--json", input=TEXT if way == "stdin" else "").ok()
    answer = done.json_lines[0] if way == "batch" else done.json
    assert _pattern(ada, answer["id"]) == HIDDEN
    assert answer["redacted"] == [
        {"what": what, "field": "pattern", "count": 1} for what in ("email", "ip", "password", "token")
    ] + [{"what": "email", "field": "fix", "count": 1}]
    assert not any(secret in done.out + done.err for secret in SECRETS)


def test_a_person_is_told(ada: Seat) -> None:
    """On stderr, with the way to keep it; and that way keeps it."""
    done = ada("learn", "--pattern", TEXT, "--fix", "x").ok()
    assert "redacted: 1 password, 1 token, 1 e-mail address, 1 IP address (kept with --no-redact)" in done.err
    kept = ada("learn", "--no-redact", "--pattern", TEXT, "--fix", "x", "--json").ok().json
    assert kept["redacted"] == []
    assert _pattern(ada, kept["id"]) == TEXT


@pytest.mark.parametrize("way", ["option", "file", "stdin", "editor"])
def test_every_way_to_edit(ada: Seat, tmp_path: Path, make_editor: Callable[[str], str], way: str) -> None:
    """Tags and what stood before included; numbers that fields which stay have are not given to other secrets."""
    record = ada.learn("--pattern", TEXT, "--fix", "x")
    told = json.dumps({"pattern": HIDDEN, "fix": OTHER, "tags": [SECRETS[1]]})
    (tmp_path / "record.json").write_text(told)
    words = {
        "option": ["--fix", OTHER, "--tag", SECRETS[1]],
        "file": ["--file", tmp_path / "record.json"],
        "stdin": ["--file", "-"],
        "editor": [],
    }[way]
    editor = make_editor(f'cp {tmp_path}/record.json "$1"')
    done = ada("edit", record, *words, "--json", input=told if way == "stdin" else "", env={"EDITOR": editor}).ok()
    assert (done.json["fields"]["pattern"], done.json["fields"]["fix"]) == (HIDDEN, "ask <email:2>")
    assert [tag[:7] for tag in done.json["sets"]["tags"]] == ["<email:"]
    assert sorted(one["field"] for one in done.json["redacted"]) == ["fix", "tags"]
    assert [place for secret in (*SECRETS, OTHER) for place in _places(secret, dict(_contents(ada.path)))] == []
    ada("edit", record, "--no-redact", "--fix", OTHER).ok()
    assert ada("show", record, "--json").ok().json["fields"]["fix"] == OTHER


def test_resolve(ada: Seat, bob: Seat) -> None:
    """A new value is redacted and told of; one that is picked stands as it was written."""
    record = ada.learn("--pattern", TEXT, "--fix", "x")
    for seat in (ada, bob, ada):
        seat("sync").ok()
    ada("edit", record, "--no-redact", "--fix", f"ask {SECRETS[1]}").ok()
    bob("edit", record, "--fix", "ask somebody", "--set", "meaning=no way in").ok()
    for seat in (ada, bob, ada):
        seat("sync")
    picked = bob("conflicts", "--json").ok().json["conflicts"][0]["conflicts"]["fix"]
    dot = next(one["dot"] for one in picked if SECRETS[1] in one["value"])
    done = bob("resolve", record, "fix", "--value", OTHER, "--json").ok()
    assert done.json["fields"]["fix"] == "ask <email:2>"
    assert done.json["redacted"] == [{"what": "email", "field": "fix", "count": 1}]
    settled = ada("resolve", record, "fix", "--pick", dot, "--json").ok().json
    assert (settled["fields"]["fix"], settled["redacted"]) == (f"ask {SECRETS[1]}", [])


def test_two_people_one_record(ada: Seat, bob: Seat) -> None:
    """The same error from two homes is one record, and either's raw text finds it."""
    words = "{}: No such file or directory while logging in as {} from {}"
    mine, theirs = (
        words.format(*parts) for parts in (("/home/ada/x", "ada@x.org", "10.0.0.1"), ("/home/bob/x", "bob@y.org", "10.9.9.9"))
    )
    record = ada.learn("--pattern", mine, "--fix", "x")
    assert bob.learn("--pattern", theirs, "--fix", "x") == record
    for text in (mine, theirs):
        assert ada("match", "-", "--json", input=text).ok().json["matches"][0]["id"] == record


def test_a_token_of_another_is_matched(ada: Seat) -> None:
    """Placeholders compare like what they stand for, tokens included."""
    record = ada.learn("--pattern", f"remote: token ghp_{MIXED} was revoked", "--fix", "x")
    found = ada("match", "-", "--json", input=f"remote: token ghp_{MIXED[::-1]} was revoked").ok().json["matches"]
    assert [match["id"] for match in found] == [record]


def test_a_policy_is_shared(ada: Seat, bob: Seat) -> None:
    """Set by one, kept by all after a sync, logged; what there is not is refused with what there is."""
    assert "keep" not in ada("redact", "--policy").ok().out
    ada("redact", "--set", "email=keep", "--set", "ip=keep").ok()
    ada("sync").ok()
    bob("sync").ok()
    policy = bob("redact", "--policy", "--json").ok().json["policy"]
    assert {kind for kind, what in policy.items() if what == "keep"} == {"email", "ip"}
    assert _pattern(bob, bob.learn("--pattern", TEXT, "--fix", "x")) == (
        f"push with <token:1> as {SECRETS[1]} failed: password=<password:1> at {SECRETS[3]}"
    )
    assert bob("audit", "verify").ok()
    refused = ada("redact", "--set", "emial=keep")
    assert (refused.code, "did you mean email?" in refused.err) == (2, True)
    assert ada("redact", "--set", "email=maybe").code == 2


def test_show_what_would_be_replaced(ada: Seat, tmp_path: Path) -> None:
    """As a filter, in JSON, and as a check that fails; outside of a store as well."""
    assert ada("redact", "-", input=TEXT).ok().out.strip() == HIDDEN
    answer = ada("redact", TEXT, "--json").ok().json
    assert answer["text"] == HIDDEN
    assert answer["redacted"][0] == {"what": "email", "count": 1}
    assert ada("-C", tmp_path, "redact", TEXT).ok().out.strip() == HIDDEN
    checked = ada("redact", "--check", "-", input=TEXT)
    assert (checked.code, checked.out) == (1, "")
    assert ada("redact", "--check", "-", input="all is well").ok().out == ""


def test_nothing_keeps_the_secret(ada: Seat) -> None:
    """Not the work tree, the journal, the index, git's objects or an error: neither written nor committed."""
    record = ada.learn("--pattern", TEXT, "--fix", "x")
    refused = ada("learn", "--kind", "pattern", "--set", f"fixx={TEXT}", "--pattern", "y")
    assert refused.code == 13
    ada("match", "-", input=HIDDEN).ok()
    ada("commit").ok()
    ada("edit", record, "--fix", TEXT).ok()
    contents = dict(_contents(ada.path))
    assert any("/journal/" in name for name in contents)
    for secret in SECRETS:
        assert _places(secret, contents) == []
        assert secret not in refused.err


def test_nothing_in_a_plain_store(ada: Seat, tmp_path: Path) -> None:
    """The same where nothing is sealed, so that the search would find it."""
    plain = Seat(tmp_path / "plain", ada.key)
    ada("init", plain.path, "--plain", "--name", "ada").ok()
    plain.learn("--pattern", TEXT, "--fix", "x")
    plain("commit").ok()
    contents = dict(_contents(plain.path))
    assert _places("push with", contents)
    assert [place for secret in SECRETS for place in _places(secret, contents)] == []


def test_what_is_said_in_the_clear(ada: Seat) -> None:
    """The message of a commit and the grounds of an erasure, which no key hides, are redacted, too, unless told not to."""
    told = [{"what": "email", "field": "message", "count": 1}]
    record = ada.learn()
    assert ada("commit", "-m", f"for {SECRETS[1]}", "--json").ok().json["redacted"] == told
    other = ada.learn("--pattern", "another error", "--fix", "none")
    assert "redacted: 1 e-mail address" in ada("erase", record, "--basis", f"asked by {SECRETS[1]}", "--yes").ok().err
    assert ada("erase", "--subject", "another", "--basis", SECRETS[1], "--yes", "--json").ok().json["redacted"]
    said = Git(ada.path)("log", "--format=%B", "-p", "--", "log")
    assert "for <email:1>" in said
    assert '"basis":"asked by <email:1>"' in said
    assert SECRETS[1] not in said
    assert other not in ada("list").ok().out
    ada.learn()
    assert ada("commit", "-m", f"for {SECRETS[1]}", "--no-redact", "--json").ok().json["redacted"] == []
    assert SECRETS[1] in Git(ada.path)("log", "-1", "--format=%B")
