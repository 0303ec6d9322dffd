"""Fetching and pushing against real remotes: every way a push ends, and dead, hanging or missing remotes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, RemoteError
from gitmem.git.remote import Push, Upstream, clone, fetch, push, upstream
from gitmem.git.repo import Repo
from tests.support.git import Git

ORIGIN = Upstream("origin", "refs/heads/main", "refs/remotes/origin/main")


@pytest.fixture
def ada(bare_remote: Path, tmp_path: Path) -> Git:
    """A clone of the remote with one pushed commit."""
    git = Git(bare_remote).clone(tmp_path / "ada")
    git.commit("first", {"a": "1"})
    git("push", "--quiet", "origin", "main")
    return git


@pytest.fixture
def bob(ada: Git, bare_remote: Path, tmp_path: Path) -> Git:
    """A second clone."""
    return Git(bare_remote).clone(tmp_path / "bob")


def _hook(remote: Path, name: str, script: str) -> None:
    hook = remote / "hooks" / name
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_push_and_fetch(ada: Git, bob: Git) -> None:
    """What one pushes the other fetches; the tracking ref follows."""
    commit = ada.commit("second")
    assert push(Repo.find(ada.path), ORIGIN, commit).outcome is Push.OK
    assert fetch(Repo.find(bob.path), ORIGIN).commit == commit
    assert bob("rev-parse", "origin/main") == commit
    assert bob("rev-parse", "main") != commit


def test_behind(ada: Git, bob: Git) -> None:
    """Somebody was faster: a value that says to fetch and merge."""
    ada.commit("ada's")
    ada("push", "--quiet", "origin", "main")
    mine = bob.commit("bob's")
    assert push(Repo.find(bob.path), ORIGIN, mine).outcome is Push.BEHIND
    fetch(Repo.find(bob.path), ORIGIN)
    assert push(Repo.find(bob.path), ORIGIN, mine).outcome is Push.BEHIND


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_denied_by_a_hook(ada: Git, bare_remote: Path, hook: str) -> None:
    """A protected branch: the remote's own words are passed on, without their escape sequences."""
    _hook(bare_remote, hook, "printf 'main is protected: ask \\033[31mopsec\\n' >&2; exit 1")
    pushed = push(Repo.find(ada.path), ORIGIN, ada.commit("second"))
    assert pushed.outcome is Push.DENIED
    assert "main is protected: ask [31mopsec" in pushed.why


def test_lost_race_on_the_remote_is_behind(ada: Git, bare_remote: Path) -> None:
    """A ref lock held on the remote is somebody else's push, not a refusal."""
    (bare_remote / "refs/heads/main.lock").write_text("")
    assert push(Repo.find(ada.path), ORIGIN, ada.commit("second")).outcome is Push.BEHIND


@pytest.mark.parametrize("url", ["/nowhere/at/all.git", "http://127.0.0.1:9/x.git", "git://127.0.0.1:9/x.git"])
def test_dead_remote(ada: Git, url: str) -> None:
    """A remote that is not there: exit code 14 with git's reason, and a value for a push."""
    ada("remote", "set-url", "origin", url)
    repo = Repo.find(ada.path)
    with pytest.raises(RemoteError, match=r"cannot read from origin: .+") as raised:
        fetch(repo, ORIGIN)
    assert raised.value.exit_code == 14
    pushed = push(repo, ORIGIN, ada.commit("second"))
    assert pushed.outcome is Push.UNREACHABLE
    assert pushed.why


def test_no_permission_is_denied(ada: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ssh's refusal of our key is not a dead remote."""
    script = tmp_path / "ssh"
    script.write_text("#!/bin/sh\necho 'git@host: Permission denied (publickey).' >&2\nexit 255\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    ada("remote", "set-url", "origin", "ssh://host/x.git")
    pushed = push(Repo.find(ada.path), ORIGIN, ada.commit("second"))
    assert pushed.outcome is Push.DENIED
    assert "Permission denied" in pushed.why
    with pytest.raises(RemoteError, match="Permission denied"):
        fetch(Repo.find(ada.path), ORIGIN)


def test_hanging_remote(ada: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A remote that never answers is given up on in time, and what git had started is gone."""
    script = tmp_path / "ssh"
    script.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    ada("remote", "set-url", "origin", "ssh://host/x.git")
    with pytest.raises(RemoteError, match="did not end within 1 seconds"):
        fetch(Repo.find(ada.path), ORIGIN._replace(timeout=1))
    assert push(Repo.find(ada.path), ORIGIN._replace(timeout=1), ada("rev-parse", "HEAD")).outcome is Push.UNREACHABLE
    time.sleep(0.1)
    stat = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_nothing_asks_for_a_password(ada: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a terminal of one's own the started ssh has none either to ask on."""
    script = tmp_path / "ssh"
    script.write_text(f"#!/bin/sh\n( : < /dev/tty ) 2>/dev/null && echo asked > '{tmp_path}/asked'\nexit 255\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    ada("remote", "set-url", "origin", "ssh://host/x.git")
    with pytest.raises(RemoteError):
        fetch(Repo.find(ada.path), ORIGIN)
    assert not (tmp_path / "asked").exists()


def test_empty_remote(bare_remote: Path, tmp_path: Path) -> None:
    """A remote without the branch is no error: there is nothing to fetch, and the push makes it."""
    git = Git(bare_remote).clone(tmp_path / "ada")
    commit = git.commit("first")
    repo = Repo.find(git.path)
    assert fetch(repo, ORIGIN).commit is None
    assert push(repo, ORIGIN, commit).outcome is Push.OK
    assert fetch(repo, ORIGIN).commit == commit


def test_which_upstream(ada: Git, bare_remote: Path) -> None:
    """The branch's own upstream, else the same name on origin, else none."""
    repo = Repo.find(ada.path)
    main, topic = upstream(repo, "main"), upstream(repo, "topic")
    assert main
    assert main[:4] == ORIGIN[:4]
    assert topic
    assert topic[:3] == ("origin", "refs/heads/topic", "refs/remotes/origin/topic")
    ada("remote", "add", "team.x", bare_remote)
    ada("config", "branch.A.b.remote", "team.x")
    ada("config", "branch.A.b.merge", "refs/heads/shared")
    other = upstream(repo, "A.b")
    assert other
    assert other[:3] == ("team.x", "refs/heads/shared", "refs/remotes/team.x/shared")
    assert (topic.followed, other.followed) == (False, True)
    assert len({main.place, topic.place, other.place}) == 3
    ada("config", "branch.local.remote", ".")
    ada("config", "branch.local.merge", "refs/heads/main")
    local = upstream(repo, "local")
    assert local
    assert local[:3] == ("origin", "refs/heads/local", "refs/remotes/origin/local")
    ada("remote", "set-url", "origin", "elsewhere")
    moved = upstream(repo, "main")
    assert moved
    assert moved.place != main.place
    ada("remote", "set-url", "origin", bare_remote)
    assert upstream(repo, None) is None
    ada("remote", "remove", "origin")
    assert upstream(repo, "main") is None


def test_single_branch_clone(ada: Git, bare_remote: Path, tmp_path: Path) -> None:
    """A clone that follows one branch only can still share another."""
    ada("push", "--quiet", "origin", "main:memory")
    ada("clone", "--quiet", "--single-branch", bare_remote, tmp_path / "single")
    repo = Repo.find(tmp_path / "single")
    source = upstream(repo, "memory")
    assert source is not None
    assert fetch(repo, source).commit == ada("rev-parse", "HEAD")


def test_clone(ada: Git, bare_remote: Path, tmp_path: Path) -> None:
    """A clone at a new place; an existing directory or a dead remote is refused with a reason, without a password."""
    repo = clone(str(bare_remote), tmp_path / "new/place")
    assert repo.head() == ada("rev-parse", "HEAD")
    with pytest.raises(GitmemError, match="is not an empty directory"):
        clone(str(bare_remote), tmp_path / "ada")
    with pytest.raises(RemoteError) as raised:
        clone("http://user:secret@127.0.0.1:9/x.git", tmp_path / "other")
    assert "secret" not in raised.value.message
    assert not (tmp_path / "other").exists()
    with pytest.raises(RemoteError):
        clone("--upload-pack=touch /tmp/x", tmp_path / "other")
