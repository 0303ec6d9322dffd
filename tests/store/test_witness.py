"""Witnesses: statements that hold, are refused when altered, and show a rollback to whoever has nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gitmem.errors import Tampered, UsageError
from gitmem.memory.auditing.witness import check, push_to, state
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, open_memory

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


@pytest.fixture
def ada(tmp_path: Path) -> Memory:
    """A store with a record."""
    found(tmp_path / "ada")
    memory = open_memory(tmp_path / "ada")
    remember(memory, "one")
    return memory


def remember(memory: Memory, what: str) -> None:
    """One more commit."""
    memory.learn("pattern", {"pattern": f"error {what}", "fix": "none"})
    memory.commit()


def roll_back(memory: Memory) -> None:
    """The last commit never was; no clone has a pin of it, for it was not shared."""
    Git(memory.context.store.root)("reset", "--quiet", "--hard", "HEAD~")


def test_a_statement_holds_until_something_is_lost(ada: Memory) -> None:
    """Honest work goes on from it; a rollback lacks something, and is named."""
    statement = state(ada.context)
    remember(ada, "two")
    later = state(ada.context)
    assert check(ada.context, statement)[0] == check(ada.context, later)[0] == []
    roll_back(ada)
    assert check(ada.context, statement)[0] == []
    assert [problem.what for problem in check(ada.context, later)[0]] == ["cut chain"]
    assert "by ada, key SHA256:" in check(ada.context, later)[1]


def test_an_altered_statement_is_refused(ada: Memory, tmp_path: Path) -> None:
    """By its signature, by its form, and when it is about another store."""
    statement = state(ada.context)
    first = json.loads(statement.split(b"\n")[0])
    with pytest.raises(Tampered):
        check(ada.context, statement.replace(first["commit"].encode(), b"0" * 40))
    for wrong in (b"", statement[:-2], statement.replace(b'"v":1', b'"v":2'), statement + b"\n", b"[" * 90_000 + b"\n{}\n"):
        with pytest.raises(UsageError):
            check(ada.context, wrong)
    found(tmp_path / "other")
    with open_memory(tmp_path / "other") as other, pytest.raises(UsageError, match="another store"):
        check(other.context, statement)


@needs_ssh
def test_anybody_can_be_a_witness(ada: Memory, tmp_path: Path) -> None:
    """An SSH key of no member signs, and OpenSSH itself accepts the statement."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ci")], check=True)
    statement = state(ada.context, tmp_path / "ci")
    assert check(ada.context, statement)[0] == []
    body, end, _ = statement.split(b"\n")
    (tmp_path / "sig").write_text(json.loads(end)["sig"])
    (tmp_path / "allowed").write_text(f"ci {(tmp_path / 'ci.pub').read_text()}")
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "ci", "-n", "gitmem", "-s", "sig"]
    subprocess.run(command, cwd=tmp_path, input=body + b"\n", check=True, capture_output=True)


def test_a_second_remote_is_a_witness(ada: Memory, bare_remote: Path) -> None:
    """It takes what goes forward; a store that lost something is named and not pushed, and so is a witness that lost it."""
    Git(ada.context.store.root)("remote", "add", "mirror", bare_remote)
    assert push_to(ada.context, "mirror").pushed
    remember(ada, "two")
    done = push_to(ada.context, "mirror")
    assert (done.pushed, done.problems) == (True, [])
    held = Git(bare_remote)("rev-parse", done.ref)
    Git(bare_remote)("update-ref", done.ref, f"{held}~")
    assert [problem.where for problem in push_to(ada.context, "mirror").problems] == [f"mirror {done.ref}"]
    Git(bare_remote)("update-ref", done.ref, held)
    roll_back(ada)
    done = push_to(ada.context, "mirror")
    assert ([problem.what for problem in done.problems], done.pushed) == (["cut chain"], False)
    assert Git(bare_remote)("rev-parse", done.ref) == held
    with pytest.raises(UsageError, match="no remote"):
        push_to(ada.context, "nowhere")
