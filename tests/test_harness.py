"""The test environment itself: hermetic, and refusing what a test must not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import GITMEM
from tests.support.git import Git
from tests.support.home import HomeGuard, HomeTouchedError, real_home
from tests.support.served import Served
from tests.support.terminal import PtyCli

_PERSON = """
import os, sys, time
assert sys.stdin.isatty() and sys.stderr.isatty() and os.get_terminal_size() == (100, 24)
try:
    print("hi", input("\\033[1mname? \\033[0m"), flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    sys.exit(130)
"""
HOME_IS_SCRATCH = str(real_home()) == "/"


def test_environment_is_the_tests_own(home: Path) -> None:
    """HOME and what git, XDG and the keychain look at lie in the test's own home; nothing else is set."""
    assert Path.home() == home
    assert {name for name in os.environ if name.startswith("GIT")} == {
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
    }
    assert not {"DBUS_SESSION_BUS_ADDRESS", "NO_COLOR", "SSH_AUTH_SOCK"} & set(os.environ)


@pytest.mark.skipif(HOME_IS_SCRATCH, reason="this user has no home")
@pytest.mark.parametrize("act", [Path.mkdir, Path.touch, Path.read_bytes, lambda path: list(path.iterdir())])
def test_real_home_is_out_of_reach(act) -> None:
    """Reading, writing and listing below the real home all raise, and nothing is made."""
    target = real_home() / ".gitmem-test-must-not-exist"
    with pytest.raises(HomeTouchedError):
        act(target)


def test_traces_of_a_child_are_noticed(tmp_path: Path) -> None:
    """What a program leaves in the home it took for its own is named at the end of the run."""
    guard = HomeGuard(tmp_path)
    assert guard.changed() == []
    subprocess.run([sys.executable, "-c", "import pathlib; pathlib.Path('.gitconfig').touch()"], cwd=tmp_path, check=True)
    assert guard.changed() == [str(tmp_path / ".gitconfig")]


def test_commits_are_reproducible(make_repo) -> None:
    """The same commit made twice has the same hash: author, date and branch are fixed."""
    assert make_repo("a").commit("one", {"f": "1\n"}) == make_repo("b").commit("one", {"f": "1\n"})
    assert make_repo("c")("symbolic-ref", "HEAD") == "refs/heads/main"


def test_push_to_a_bare_remote(make_repo, bare_remote: Path) -> None:
    """The remote takes a push and gives it back."""
    repo = make_repo()
    head = repo.commit("one")
    repo("push", "--quiet", bare_remote, "main")
    assert Git(bare_remote)("rev-parse", "main") == head


def test_a_failing_git_shows_what_it_said(git: Git) -> None:
    """A failed command raises with its message; unchecked, it is an answer."""
    with pytest.raises(AssertionError, match="not a git repository"):
        git("status")
    assert git("status", check=False) == ""


def test_terminal_answers_and_interrupts(pty_cli: PtyCli) -> None:
    """Under the terminal a program sees a TTY, gets what is typed, and Ctrl-C arrives as SIGINT."""
    drawn = pty_cli("-c", _PERSON, program=sys.executable, answers=[("name?", "Ada\n"), ("hi Ada\r\n", "\x03")])
    assert "name? Ada\nhi Ada\n" in drawn.text
    assert "\x1b[1m" in drawn.raw
    assert drawn.code == 130


def test_a_served_program_is_the_program(tmp_path: Path) -> None:
    """What is forked answers as what is started does, with its own environment, directory and streams."""
    served = Served(tmp_path / "served")
    try:
        for words in (["--version"], ["nonsense"], ["status", "--json"], ["redact", "-"]):
            real, forked = (
                subprocess.run([program, *words], cwd=tmp_path, env=env, input=b"token=abc", capture_output=True, check=False)
                for program, env in ((GITMEM, None), ("gitmem", os.environ | served.env))
            )
            assert (forked.returncode, forked.stdout, forked.stderr) == (real.returncode, real.stdout, real.stderr)
    finally:
        served.close()


def test_a_served_program_dies_with_its_client(tmp_path: Path) -> None:
    """Whoever kills what they started has killed what was forked for it."""
    served = Served(tmp_path / "served")
    try:
        reader, writer = os.pipe()
        words = ["gitmem", "redact", "-"]
        with subprocess.Popen(words, env=os.environ | served.env, stdin=subprocess.PIPE, stdout=writer) as client:
            os.close(writer)
            client.kill()
            assert os.read(reader, 1) == b""  # nobody holds its standard output open any more
        os.close(reader)
    finally:
        served.close()
