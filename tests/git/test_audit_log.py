"""The log in words, who wrote what, and the check by hand that the documentation promises."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import Head
from gitmem.core.codec import emit
from gitmem.errors import Tampered, UsageError
from gitmem.memory.auditing.audit import heads, log, who_wrote
from tests.support.auditing import counted
from tests.support.auditing_git import Member, path_of, team
from tests.support.git import Git

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """A store in which two members wrote."""
    place = tmp_path_factory.mktemp("made") / "ada"
    place.mkdir()
    ada, bob = team(Git(place), "ada", "bob")
    ada.learn("p-0123456789", fix="old")
    bob.git("pull", "--quiet")
    ada.use("p-0123456789")
    bob.edit("p-0123456789", fix="by bob")
    ada.edit("p-0123456789", fix="by ada")
    ada.git("pull", "--quiet", "--no-rebase", bob.root, "main")
    return ada


@pytest.fixture
def ada(made: Member, tmp_path: Path) -> Member:
    """A copy of it."""
    return made.copied(tmp_path / "ada")


def test_words(ada: Member) -> None:
    """Each entry is one line that says when, who and what."""
    assert sorted(entry.line for entry in log(ada.root)) == sorted(
        [
            "2026-11-20 10:00  ada  founded the store s-0123456789",
            "2026-11-20 10:00  ada  enrolled ada",
            "2026-11-20 10:00  ada  changed .gitattributes",
            "2026-11-20 10:00  ada  enrolled bob",
            "2026-11-20 10:00  ada  learned p-01234567… (pattern, team)",
            "2026-11-20 10:00  ada  used p-01234567… (pattern, team) 1\N{MULTIPLICATION SIGN}: 1 fixed",
            "2026-11-20 10:00  ada  edited p-01234567… (pattern, team)",
            "2026-11-20 10:00  bob  edited p-01234567… (pattern, team)",
        ]
    )


def test_words_for_counters(ada: Member) -> None:
    """How often a record was used is told, also where one commit holds more than uses."""
    path = path_of("p-0123456789")
    state = ada.read("p-0123456789")
    for op, more in (("use", {"matched": 5}), ("edit", {"fixed": 2, "failed": 1})):
        for counter, by in more.items():
            state = counted(state, "ada-1", counter, by)
        ada.commit({path: (emit(state), op, {})})
    words = [entry.words for entry in log(ada.root, member="ada", limit=2)]
    assert words == [
        "edited p-01234567… (pattern, team), used 3\N{MULTIPLICATION SIGN}: 2 fixed, 1 failed",
        "matched p-01234567… (pattern, team) 5\N{MULTIPLICATION SIGN}",
    ]


def test_filters(ada: Member) -> None:
    """By member, operation, record, path, kind, time; newest first, and only so many."""
    assert [entry.op for entry in log(ada.root, member="bob")] == ["edit"]
    assert [entry.raised for entry in log(ada.root, op="use")] == [{"fixed": 1}]
    assert {entry.op for entry in log(ada.root, target="p-0123")} == {"learn", "use", "edit"}
    assert [entry.op for entry in log(ada.root, target=".gitattributes")] == ["config"]
    assert len(log(ada.root, kind="pattern")) == 4
    assert log(ada.root, kind="pattern", limit=1)[0].member == "bob"
    assert [entry.seq for entry in log(ada.root, member="ada")] == [7, 6, 5, 4, 3, 2, 1]
    assert log(ada.root, since="2026-11-21") == []
    assert log(ada.root, until="2026-11-19T23:59:59Z") == []
    assert len(log(ada.root, since="2026-11-20", until="2026-11-20")) == 8
    assert log(ada.root, target="p-nothing") == []
    with pytest.raises(UsageError, match="'yesterday' is no time"):
        log(ada.root, since="yesterday")


def test_who_wrote(ada: Member) -> None:
    """Each of two concurrent values has its writer and time; a write that is not in the log has none."""
    path = path_of("p-0123456789")
    register = ada.read("p-0123456789").fields["fix"]
    assert {str(value): who_wrote(ada.root, path, dot) for dot, value in register.items()} == {
        "by ada": ("ada", "2026-11-20T10:00:00Z"),
        "by bob": ("bob", "2026-11-20T10:00:00Z"),
    }
    assert who_wrote(ada.root, path, "ada-1.99") is None
    assert who_wrote(ada.root, path, "eve-1.1") is None
    assert who_wrote(ada.root, path_of("p-other"), "ada-1.1") is None


def test_heads(ada: Member, tmp_path: Path) -> None:
    """The end of each chain, and nothing where there is no log."""
    found = heads(ada.root)
    assert found["ada-1"] == ada.scribe.head
    assert (found["bob-1"].segment, found["bob-1"].seq) == (1, 1)
    assert heads(tmp_path / "nowhere") == {}
    ada.scribe.head = Head("ada-1", 999, 7, found["ada-1"].hash)
    ada.use("p-0123456789")
    assert (ada.root / "log/audit/ada-1/001/001000.jsonl").exists()
    assert heads(ada.root)["ada-1"] == ada.scribe.head


@pytest.mark.parametrize(
    "data", [b"", b"x", b"{}\n{}\n", b'{"seq":"1"}\n{}\n', b"[]\n{}\n", b"[" * 90_000 + b"\n{}\n"], ids=len
)
def test_a_damaged_log_is_named(ada: Member, data: bytes) -> None:
    """Reading a log that was damaged in the work tree fails with the file's name, and tells no lies; its chain has no end."""
    path = "log/audit/bob-1/000/000001.jsonl"
    (ada.root / path).write_bytes(data)
    with pytest.raises(Tampered, match=path):
        log(ada.root)
    assert heads(ada.root).keys() == {"ada-1"}
    assert who_wrote(ada.root, path_of("p-0123456789"), "bob-1.1") is None


@needs_ssh
def test_a_segment_checks_by_hand(ada: Member, tmp_path: Path) -> None:
    """ssh-keygen accepts what a segment holds, and refuses it when a byte differs."""
    *lines, last = (ada.root / "log/audit/bob-1/000/000001.jsonl").read_bytes().splitlines(keepends=True)
    end = json.loads(last)
    (tmp_path / "sig").write_text(end["sig"])
    (tmp_path / "allowed").write_text(f"bob {end['key']}\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "bob", "-n", "gitmem", "-s", "sig"]
    for body, code in ((b"".join(lines), 0), (b"".join(lines)[:-1], 255)):
        done = subprocess.run(command, cwd=tmp_path, input=body, capture_output=True, check=False)
        assert done.returncode == code, done.stderr
