"""Bad surroundings and bad input: a clear error, the right exit code, and nothing changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import LESSON, Seat
from tests.support.cli import Cli, Result
from tests.support.git import Git


def _complains(done: Result, code: int, *words: str) -> None:
    """One error and one hint, and the words are in them."""
    done.expect(code)
    lines = done.err.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["error:", "hint:"], done.err
    assert all(word in done.err for word in words), done.err
    assert "Traceback" not in done.err


def _tree(path: Path) -> dict[str, bytes]:
    """Every file of the work tree, and where HEAD stands."""
    files = {str(file): file.read_bytes() for file in path.rglob("*") if file.is_file() and ".git" not in file.parts}
    return files | {"HEAD": Git(path)("rev-parse", "HEAD").encode()}


@pytest.mark.parametrize(
    "words", [["status"], ["learn", *LESSON], ["match", "x"], ["sync"], ["doctor"], ["diff"], ["hooks", "install"]]
)
def test_not_a_store(cli: Cli, make_repo: Callable[[str], Git], words: list[str]) -> None:
    """Neither an empty directory nor a git repository without a store will do, and none is made."""
    _complains(cli(*words), 10, "there is no gitmem store", "gitmem init")
    repo = make_repo("plain")
    _complains(cli(*words, cwd=repo.path), 10, "there is no gitmem store")
    assert [path.name for path in repo.path.iterdir()] == [".git"]


def test_bare_repository(cli: Cli, bare_remote: Path) -> None:
    """A bare repository has no work tree to hold a store."""
    before = sorted(bare_remote.rglob("*"))
    _complains(cli("init", cwd=bare_remote), 10, "bare repository")
    _complains(cli("status", cwd=bare_remote), 10)
    assert sorted(bare_remote.rglob("*")) == before


def test_a_branch_without_a_name(cli: Cli, make_repo: Callable[[str], Git]) -> None:
    """An empty `--branch`, as from a variable that is not set, is not a store at the top of the code instead."""
    repo = make_repo("code")
    _complains(cli("init", "--branch", "", cwd=repo.path), 2, "'' cannot be a branch's name")
    assert [path.name for path in repo.path.iterdir()] == [".git"]


def test_detached_head(ada: Seat) -> None:
    """Reading and recording go on; what would commit says why it does not, and nothing is lost."""
    Git(ada.path)("checkout", "--quiet", "--detach")
    found = ada.learn()
    for words in (["commit"], ["sync"]):
        _complains(ada(*words), 1, "HEAD is detached", "git switch")
    Git(ada.path)("switch", "--quiet", "main")
    ada("sync").ok()
    assert ada("show", found, "--json").ok().json["id"] == found


def test_no_git(ada: Seat, tmp_path: Path) -> None:
    """Without git on PATH: exit code 10 and where to get it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(shutil.which("python3") or "")
    done = ada("sync", env={"PATH": str(tmp_path / "bin")})
    _complains(done, 10, "git is not installed, or not on PATH", "install git 2.39")


def test_git_too_old(ada: Seat, tmp_path: Path) -> None:
    """An old git is refused before it can do harm."""
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin/git"
    old.write_text("#!/bin/sh\necho git version 2.20.1\n")
    old.chmod(0o755)
    before = _tree(ada.path)
    done = ada("sync", env={"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"})
    _complains(done, 10, "git 2.20.1 is too old", "install git 2.39")
    assert _tree(ada.path) == before


@pytest.mark.parametrize("words", [["list"], ["match", "x"], ["search", "x"], ["learn", *LESSON], ["conflicts"]])
def test_no_key(ada: Seat, words: list[str]) -> None:
    """Without a key: exit code 12, and every place that was tried; nobody is asked."""
    before = _tree(ada.path)
    done = ada(*words, env={"GITMEM_IDENTITY_FILE": ""})
    _complains(done, 12, "--identity", "GITMEM_IDENTITY", "identity.txt")
    assert _tree(ada.path) == before


def test_wrong_key(ada: Seat, place: Path) -> None:
    """A key that does not open the store: exit code 12, naming it; no secret is shown."""
    ada.learn()
    wrong = place / "keys/eve/gitmem/identity.txt"
    done = ada("list", env={"GITMEM_IDENTITY_FILE": str(wrong)})
    _complains(done, 12, str(wrong))
    assert "AGE-SECRET-KEY" not in done.err
    _complains(ada("list", "--identity", "/nonexistent", env={"GITMEM_IDENTITY_FILE": ""}), 12, "/nonexistent")
    ada("list", env={"GITMEM_IDENTITY_FILE": str(wrong), "GITMEM_IDENTITY": ada.key.read_text()}).ok()


def test_unusable_ssh_key_next_to_a_good_one(ada: Seat, home: Path) -> None:
    """One bad place never blocks the next."""
    (home / ".ssh").mkdir()
    (home / ".ssh/id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    ada("list", env={"GITMEM_SSH": "1", "GITMEM_IDENTITY": "garbage"}).ok()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", ["is not a mapping"]),
        ("pattern: &a x\nfix: *a\n", ["line 1", "anchors"]),
        ("pattern: x\npattern: y\n", ["line 2", "stands twice"]),
        ("pattern:\n\tx: y\n", ["line 2"]),
        ("pattern: x\nfix: \0\n", ["line 2", "U+0000"]),
        ("[" * 10_000, ["nested more than 64"]),
        ("pattern: x\nfixx: y\n", ["unknown field 'fixx' of a pattern", "did you mean 'fix'?"]),
        ("pattern: 3\n", ["'pattern' of a pattern must be text, not a whole number"]),
        ("pattern: x\nkind: ../../etc\n", ["kind '../../etc' is not of the form"]),
        ("kind: patern\npattern: x\n", ["did you mean 'pattern'?"]),
        ("pattern: /(/\n", ["is not valid"]),
    ],
)
def test_bad_records(ada: Seat, tmp_path: Path, text: str, words: list[str]) -> None:
    """What cannot become a record is refused with file, line or field; exit code 13."""
    (tmp_path / "bad.yaml").write_text(text)
    before = _tree(ada.path)
    _complains(ada("learn", "--file", tmp_path / "bad.yaml"), 13, *words)
    assert _tree(ada.path) == before


def test_a_huge_file(ada: Seat, tmp_path: Path) -> None:
    """A gigabyte is refused after four megabytes."""
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(1 << 30)
    _complains(ada("learn", "--file", tmp_path / "huge.yaml", timeout=20), 13, "more than 4,194,304 bytes")
    _complains(ada("learn", "--file", "/dev/zero", timeout=20), 13, "more than 4,194,304 bytes")
    _complains(ada("learn", "--file", tmp_path), 1, "is a directory")


def test_a_record_that_is_too_large(ada: Seat) -> None:
    """More than a mebibyte does not fit into one record."""
    before = _tree(ada.path)
    _complains(ada("learn", "--pattern", "x", "--file", "-", input=f"meaning: {'a' * 900_000}\nfix: {'b' * 900_000}\n"), 13)
    assert _tree(ada.path) == before


def test_words_that_are_no_unicode(ada: Seat) -> None:
    """Bytes of another encoding on the command line become something that can be stored, and shown."""
    found = ada.learn("--pattern", "caf\udce9", "--fix", "\udcff")
    assert ada("show", found, "--json").ok().json["fields"] == {"pattern": "caf\ufffd", "fix": "\ufffd"}


@pytest.mark.parametrize("record", ["p-../../x", "../x", "p-\x1b[2J", "p-" + "x" * 5000, "p", "", "p-*", "/etc/passwd"])
@pytest.mark.parametrize(
    "words", [["show"], ["forget", "--yes"], ["used", "--fixed"], ["edit", "--fix", "x"], ["log"], ["diff"]]
)
def test_ids_that_are_none(founded: Path, record: str, words: list[str]) -> None:
    """Path tricks, escapes, junk: refused without a trace of it on the terminal."""
    done = Cli(founded / "ada")(
        *words, "--", record, env={"GITMEM_IDENTITY_FILE": str(founded / "keys/ada/gitmem/identity.txt")}
    )
    assert done.code in (1, 2)
    assert done.err.startswith("error: ")
    assert "\x1b" not in done.err


def test_a_scope_that_is_a_path(ada: Seat) -> None:
    """A scope cannot lead out of the store, nor to one that nobody has a key for."""
    before = _tree(ada.path)
    _complains(ada("learn", *LESSON, "--scope", "../../up"), 2, "scope")
    _complains(ada("learn", *LESSON, "--scope", "/abs"), 2, "scope")
    _complains(ada("learn", *LESSON, "--scope", "nobody"), 12, "nobody")
    assert _tree(ada.path) == before


def test_a_link_in_the_tree(ada: Seat, tmp_path: Path) -> None:
    """A record's place that is a link to elsewhere is neither read nor written through."""
    found = ada.learn()
    ada("commit").ok()
    file = next(ada.path.rglob(f"{found}.yaml"))
    file.rename(tmp_path / "outside.yaml")
    file.symlink_to(tmp_path / "outside.yaml")
    before = (tmp_path / "outside.yaml").read_bytes()
    done = ada("show", found)
    assert done.code == 13
    assert "symbolic link" in done.err
    ada("used", found, "--fixed")
    ada("commit")
    assert (tmp_path / "outside.yaml").read_bytes() == before


def test_a_record_in_anothers_place(ada: Seat) -> None:
    """A copied file does not become another record."""
    first, second = ada.learn(), ada.learn("--pattern", "other", "--fix", "x")
    ada("commit").ok()
    files = {name: next(ada.path.rglob(f"{name}.yaml")) for name in (first, second)}
    files[second].write_bytes(files[first].read_bytes())
    _complains(ada("show", second), 13, "does not belong there")
    assert ada("show", first, "--json").ok().json["id"] == first


def test_terminal_escapes_in_records(ada: Seat) -> None:
    """Whatever a record holds, no command lets it act on a terminal; JSON keeps it, escaped."""
    evil = "\x1b]0;owned\x07\x1b[2J\u202etxt.exe\u2066 \x9b31m"
    found = ada.learn("--pattern", f"boom {evil}", "--fix", evil, "--tag", evil, "--command", evil)
    ada("used", found, "--fixed").ok()
    for words in (["show", found], ["list"], ["search", "boom"], ["match", "boom " + evil], ["diff"], ["conflicts"]):
        for done in (ada(*words).ok(), ada(*words, "--json").ok()):
            assert not any(char in done.out + done.err for char in "\x1b\x07\x9b\u202e\u2066"), words
    assert ada("show", found, "--json").ok().json["fields"]["fix"] == evil
    drawn = ada.terminal("show", found, env={"NO_COLOR": "1", "PAGER": "cat"})
    assert "\x1b" not in drawn.raw
    ada("commit").ok()
    assert "\x1b" not in ada("log", found).ok().out
    assert "\x1b" not in ada("forget", found, "--yes").ok().err
