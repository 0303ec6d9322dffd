"""Remotes that are dead, slow, dying, full or not ours: a clear error with 14, nothing half done, the next sync goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, RemoteError
from gitmem.memory.founding.cloning import clone
from tests.net.team import Team, fails, note
from tests.support import http_server, servers
from tests.support.cli import Cli
from tests.support.stores import EFFORT, found, share


def _goes_on(team: Team, *texts: str) -> None:
    """The remote is well again: everything recorded meanwhile arrives."""
    for name in ("ada", "bob"):
        team.git(name)("remote", "set-url", "origin", team.folder / "srv/team.git")
    team.settle()
    team.agree(*texts)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("git://127.0.0.1:{port}/team.git", "unable to connect|Connection refused"),
        ("http://127.0.0.1:{port}/team.git", "[Cc]ould not connect|Failed to connect|Couldn't connect"),
        ("ssh://127.0.0.1:{port}/team.git", "Connection refused"),
        ("http://no-such-host.invalid/team.git", "Could not resolve host"),
        ("git://no-such-host.invalid/team.git", "no-such-host.invalid|Name or service not known"),
        ("ssh://no-such-host.invalid/team.git", "Could not resolve hostname"),
        ("{folder}/no/such.git", "does not appear to be a git repository"),
    ],
)
def test_nobody_there(team: Callable[..., Team], url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection, a host nobody knows, a path that is not there."""
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -F /dev/null -o BatchMode=yes")
    monkeypatch.setenv("no_proxy", "*")
    both = team()
    both.git("ada")("remote", "set-url", "origin", url.format(port=servers.free_port(), folder=both.folder))
    note(both.ada, "meanwhile")
    fails(both.ada, words, "git remote -v")
    _goes_on(both, "meanwhile")


def test_a_remote_that_hangs(team: Callable[..., Team]) -> None:
    """After `gitmem.timeout` seconds it is given up; a timeout that is no number is named."""
    both = team()
    note(both.ada, "meanwhile")
    with servers.silent() as served:
        both.git("ada")("remote", "set-url", "origin", f"{served.url}/team.git")
        both.git("ada")("config", "gitmem.timeout", "0.5")
        fails(both.ada, "git fetch did not end within 0.5 seconds", "gitmem.timeout")
    both.git("ada")("config", "gitmem.timeout", "soon")
    with pytest.raises(GitmemError, match="'soon', which is no number of seconds"):
        both.ada.sync()
    both.git("ada")("config", "--unset", "gitmem.timeout")
    _goes_on(both, "meanwhile")


def test_a_push_that_hangs(team: Callable[..., Team]) -> None:
    """A push that is given up in the middle leaves no lock on the remote's branch: the next one goes through."""
    both = team()
    both.hook("reference-transaction", '[ "$1" != prepared ] || exec sleep 60')
    note(both.ada, "meanwhile")
    both.git("ada")("config", "gitmem.timeout", "1")
    fails(both.ada, "cannot push to origin: git push did not end within 1 seconds", "gitmem.timeout")
    (both.folder / "srv/team.git/hooks/reference-transaction").unlink()
    assert both.ada.sync().attempts == 1
    _goes_on(both, "meanwhile")


def test_a_remote_that_dies_on_the_way(team: Callable[..., Team]) -> None:
    """The connection breaks after so many bytes, in the fetch or the push: nothing is lost, whatever had arrived."""
    both = team()
    limits: list[int | None] = [None]
    texts = []
    with servers.git_daemon(both.folder / "srv") as daemon, servers.cutting(daemon.port, lambda: limits[0]) as port:
        both.git("ada")("remote", "set-url", "origin", f"git://{servers.HOST}:{port}/team.git")
        for limits[0] in (0, 100, 400, 1500) if EFFORT == 1 else (0, 5, 50, 100, 200, 400, 700, 1000, 1500, 3000):
            for name, memory in (("ada", both.ada), ("bob", both.bob)):
                texts.append(f"{name} {limits[0]}")
                note(memory, texts[-1])
            both.bob.sync()
            with suppress(RemoteError):
                both.ada.sync()
            assert both.git("ada")("status", "--porcelain") == ""
        limits[0] = None
        both.settle()
        both.agree(*texts)


def test_a_reader_without_the_right_to_write(team: Callable[..., Team], tmp_path: Path) -> None:
    """What the remote has comes in all the same; the push is refused, and goes through once it is allowed."""
    with http_server.http(tmp_path / "srv", tmp_path / "keys") as served:
        served.use()
        both = team(f"{served.url}/team.git")
        note(both.ada, "from ada")
        both.ada.sync()
        note(both.bob, "from bob")
        both.remote("config", "http.receivepack", "false")
        fails(both.bob, "origin did not take the push: .*403", "you may write to refs/heads/main")
        assert len(both.bob.records("note")) == 2
        both.remote("config", "http.receivepack", "true")
        both.bob.sync()
        both.settle()
        both.agree("from ada", "from bob")


def test_a_protected_branch(team: Callable[..., Team]) -> None:
    """The words of the remote's hook are passed on; a branch of one's own is a way out."""
    both = team()
    both.hook(
        "pre-receive", 'read a b ref; [ "$ref" != refs/heads/main ] || { echo "main is protected: ask ops" >&2; exit 1; }'
    )
    note(both.ada, "meanwhile")
    fails(both.ada, "did not take the push: .*main is protected: ask ops", "git switch -c memory")
    both.git("ada")("switch", "--quiet", "-c", "memory")
    assert both.ada.sync().pushed > 0
    both.git("ada")("switch", "--quiet", "main")
    (both.folder / "srv/team.git/hooks/pre-receive").unlink()
    _goes_on(both, "meanwhile")


def test_a_remote_that_somebody_works_in(team: Callable[..., Team]) -> None:
    """git refuses a push to a branch that is checked out there, and the hint says why; other settings do no harm."""
    both = team()
    both.git("bob")("remote", "set-url", "origin", both.folder / "ada")
    note(both.bob, "meanwhile")
    fails(both.bob, "did not take the push: .*checked out", "git init --bare")
    both.git("bob")("remote", "set-url", "origin", both.folder / "srv/team.git")
    both.remote("config", "receive.denyNonFastForwards", "true")
    both.remote("config", "receive.denyDeletes", "true")
    _goes_on(both, "meanwhile")


def test_a_remote_that_wants_no_side_refs(team: Callable[..., Team]) -> None:
    """A host that takes branches only is asked for the branch again."""
    both = team()
    both.hook("update", 'case "$1" in refs/gitmem/*) rm -f refs/heads/main.lock; echo "branches only" >&2; exit 1;; esac')
    note(both.ada, "meanwhile")
    with both.busy_branch():
        report = both.ada.sync()
    assert (report.side, report.attempts) == (None, 4)
    assert both.remote("rev-parse", "main") == report.head
    _goes_on(both, "meanwhile")


@pytest.mark.skipif(EFFORT == 1, reason="waits for a dozen pauses")
def test_a_remote_that_never_has_time(team: Callable[..., Team]) -> None:
    """Without side refs a sync gives up in the end, and says so."""
    both = team()
    both.hook("update", 'case "$1" in refs/gitmem/*) exit 1;; esac')
    note(both.ada, "meanwhile")
    with both.busy_branch():
        fails(both.ada, "was faster 12 times in a row", "gitmem sync")
    _goes_on(both, "meanwhile")


def test_a_full_disk_at_the_remote(team: Callable[..., Team]) -> None:
    """The remote cannot store what is pushed: said so, and pushed again later."""
    both = team()
    note(both.ada, "meanwhile")
    both.git("ada")("config", "remote.origin.receivepack", "trap '' XFSZ; ulimit -f 0; git-receive-pack")
    fails(both.ada, "unpack|write|large", "free some space there")
    both.git("ada")("config", "--unset", "remote.origin.receivepack")
    _goes_on(both, "meanwhile")


def test_a_wrong_password(team: Callable[..., Team], tmp_path: Path) -> None:
    """No password, a wrong one, and one in the URL: the hint names git's credentials, and no message holds the secret."""
    with http_server.http(tmp_path / "srv", tmp_path / "keys", password=http_server.PASSWORD) as served:
        served.use()
        both = team(f"{served.url}/team.git")
        note(both.ada, "meanwhile")
        http_server.remember_password(served.url, "wr0ng")
        fails(both.ada, "Authentication failed", "credentials are git's")
        secret = served.url.replace("://", "://ada:hunter2%40x@")
        both.git("ada")("remote", "set-url", "origin", f"{secret}/team.git")
        told = fails(both.ada, "Authentication failed")
        assert "hunter2" not in told.message + told.hint
        with pytest.raises(RemoteError) as raised:
            clone(f"{secret}/team.git", str(tmp_path / "other"))
        assert "hunter2" not in raised.value.message + raised.value.hint
    note(both.ada, "the server is gone")
    told = fails(both.ada, "connect")
    assert "hunter2" not in told.message + told.hint
    _goes_on(both, "meanwhile", "the server is gone")


def test_an_unknown_certificate(team: Callable[..., Team], tmp_path: Path) -> None:
    """A certificate nobody vouches for is refused, with the setting that names one to trust."""
    with http_server.http(tmp_path / "srv", tmp_path / "keys", tls=True) as served:
        served.use()
        both = team(f"{served.url}/team.git")
        os.environ["GIT_SSL_CAINFO"] = os.devnull
        http_server.configure(f"http.{served.url}.sslCAInfo", os.devnull)
        note(both.ada, "meanwhile")
        fails(both.ada, "certificate|SSL|CAfile", "http.sslCAInfo")
    _goes_on(both, "meanwhile")


def test_another_store_or_none(team: Callable[..., Team], tmp_path: Path) -> None:
    """A remote that holds something else is left alone, and the way back is clean."""
    both = team()
    note(both.ada, "meanwhile")
    other = both.folder / "srv/other.git"
    both.remote("init", "--quiet", "--bare", other)
    found(tmp_path / "other", plain=True)
    share(tmp_path / "other", other)
    both.git("ada")("remote", "set-url", "origin", other)
    fails(both.ada, "holds another store", "gitmem clone URL")
    code = both.folder / "srv/code.git"
    both.remote("init", "--quiet", "--bare", code)
    work = both.remote.__class__(code).clone(tmp_path / "code")
    work.commit("code", {"main.py": "print()"})
    work("push", "--quiet", "origin", "main")
    both.git("ada")("remote", "set-url", "origin", code)
    fails(both.ada, "holds no gitmem store", "git switch -c memory")
    _goes_on(both, "meanwhile")


def test_an_empty_remote(team: Callable[..., Team]) -> None:
    """A remote that was made anew gets everything again."""
    both = team()
    note(both.ada, "before")
    both.settle()
    both.remote("update-ref", "-d", "refs/heads/main")
    note(both.bob, "after")
    assert both.bob.sync().pushed > 1
    both.settle()
    both.agree("before", "after")


def test_the_command_line_says_it(team: Callable[..., Team], cli: Cli) -> None:
    """One error line, one hint, exit code 14; and with --json the same as a document."""
    both = team()
    both.git("ada")("remote", "set-url", "origin", f"git://127.0.0.1:{servers.free_port()}/team.git")
    told = cli("sync", cwd=both.folder / "ada").expect(14)
    error, hint = told.err.strip().splitlines()
    assert error.startswith("error: cannot read from origin: ")
    assert hint.startswith("hint: `git remote -v`")
    told = cli("sync", "--json", cwd=both.folder / "ada").expect(14)
    assert list(told.error) == ["error", "hint", "exit_code"]
