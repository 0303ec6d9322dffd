"""The one door to git: finding the repository, reading HEAD without a process, a scrubbed environment, clear refusals."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, Locked, NoStore
from gitmem.git import process
from gitmem.git.repo import Repo
from tests.support.git import Git

MakeRepo = Callable[..., Git]


@pytest.fixture(autouse=True)
def _ask_again() -> Iterator[None]:
    """Have each test look for git itself: the answer is kept for a process."""
    process.require_git.cache_clear()
    yield
    process.require_git.cache_clear()


def test_found_from_below(make_repo: MakeRepo) -> None:
    """From any directory in the work tree."""
    git = make_repo()
    (git.path / "a/b").mkdir(parents=True)
    repo = Repo.find(git.path / "a/b")
    assert (repo.root, repo.git_dir, repo.common_dir) == (git.path, git.path / ".git", git.path / ".git")


def test_found_in_a_linked_worktree(make_repo: MakeRepo, tmp_path: Path) -> None:
    """A linked worktree has a git directory of its own and shares the common one; each has its own HEAD."""
    git = make_repo()
    first = git.commit("first")
    git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked")
    linked = Git(tmp_path / "linked")
    second = linked.commit("second")
    repo = Repo.find(linked.path)
    assert repo.root == linked.path
    assert repo.git_dir == git.path / ".git/worktrees/linked"
    assert repo.common_dir == git.path / ".git"
    assert (repo.branch(), repo.head(), repo.ref("refs/heads/main")) == ("other", second, first)
    assert (Repo.find(git.path).branch(), Repo.find(git.path).head()) == ("main", first)


def test_a_moved_worktree_is_explained(tmp_path: Path) -> None:
    """A `.git` file that points nowhere is named, with the command that mends it."""
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    with pytest.raises(NoStore, match=r"\.git points to no git directory") as raised:
        Repo.find(tmp_path)
    assert "git worktree repair" in raised.value.hint


def test_not_a_repository(tmp_path: Path) -> None:
    """Outside of any repository."""
    with pytest.raises(NoStore, match="is not in a git repository") as raised:
        Repo.find(tmp_path)
    assert raised.value.exit_code == 10


@pytest.mark.parametrize("below", ["", "refs"])
def test_bare_repository(bare_remote: Path, below: str) -> None:
    """A bare repository has no work tree to be a store in."""
    with pytest.raises(NoStore, match="is a bare repository"):
        Repo.find(bare_remote / below)


def test_no_git(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without git on PATH; reading HEAD still works, for it needs none."""
    git = make_repo()
    commit = git.commit("first")
    monkeypatch.setenv("PATH", str(tmp_path))
    repo = Repo.find(git.path)
    assert repo.head() == commit
    with pytest.raises(NoStore, match="git is not installed, or not on PATH") as raised:
        repo.run("status")
    assert "2.39" in raised.value.hint


@pytest.mark.parametrize(("said", "shown"), [("git version 2.38.9", "git 2.38.9"), ("nonsense", "of an unknown version")])
def test_old_git(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, shown: str) -> None:
    """A git that is too old is refused before it is asked for anything."""
    git = make_repo()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(f"#!/bin/sh\necho {said}\n")
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(NoStore, match=shown):
        Repo.find(git.path).run("status")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_dubious_ownership(make_repo: MakeRepo) -> None:
    """git's distrust of another user's repository is passed on with the command that settles it."""
    git = make_repo()
    for path in (git.path, git.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(NoStore, match="belongs to another user") as raised:
        Repo.find(git.path).run("status")
    assert raised.value.hint.endswith(f"safe.directory '{git.path}'")


def test_a_lock_held_by_another_git(make_repo: MakeRepo) -> None:
    """An index lock is another command at work, not a failure without a name."""
    git = make_repo()
    git.commit("first", {"a": "1"})
    (git.path / ".git/index.lock").write_text("")
    with pytest.raises(Locked, match="another git command is at work"):
        Repo.find(git.path).run("add", "--force", "a")


def test_head_in_all_its_states(make_repo: MakeRepo) -> None:
    """Unborn, on a branch, packed, detached."""
    git = make_repo()
    repo = Repo.find(git.path)
    assert (repo.head(), repo.branch(), repo.current_ref()) == (None, "main", "refs/heads/main")
    first = git.commit("first")
    assert repo.head() == first
    git("checkout", "--quiet", "-b", "topic/über")
    git("pack-refs", "--all")
    assert not (git.path / ".git/refs/heads/main").exists()
    assert (repo.head(), repo.branch()) == (first, "topic/über")
    second = git.commit("second")
    assert (repo.head(), repo.ref("refs/heads/main")) == (second, first)
    git("checkout", "--quiet", "--detach")
    assert (repo.head(), repo.branch(), repo.current_ref()) == (second, None, "HEAD")
    assert repo.ref("refs/heads/mai") is None


def test_head_starts_no_process(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding the repository and its HEAD costs no fork: a cold match does nothing else with git."""
    git = make_repo()
    commit = git.commit("first")
    monkeypatch.setattr(subprocess, "Popen", None)
    assert Repo.find(git.path).head() == commit


def test_a_damaged_ref_is_named(make_repo: MakeRepo) -> None:
    """An empty or torn ref file is an error, not an unborn branch taken for granted."""
    git = make_repo()
    git.commit("first")
    (git.path / ".git/refs/heads/main").write_text("not an id\n")
    with pytest.raises(GitmemError, match="refs/heads/main does not hold a commit id"):
        Repo.find(git.path).head()


def test_environment_is_scrubbed(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What git tells a hook about another repository does not reach our commands; how to reach a remote does."""
    git, other = make_repo("one"), make_repo("other")
    commit = git.commit("first", {"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_PREFIX", "x/")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -v")
    repo = Repo.find(git.path)
    assert repo.run("rev-parse", "HEAD").decode().strip() == commit
    assert repo.run("ls-files") == b"a\n"
    env = process.environment()
    assert "GIT_PREFIX" not in env
    assert env["GIT_SSH_COMMAND"] == "ssh -v"
    assert env["GIT_TERMINAL_PROMPT"] == "0"


def test_of_environment_follows_git(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hook sees the repository and the index that git has told it."""
    git = make_repo()
    git.commit("first", {"a": "1"})
    (git.path / "b").write_text("2")
    git("add", "b")
    (tmp_path / "index").write_bytes((git.path / ".git/index").read_bytes())
    git("reset", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(git.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(git.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.chdir(tmp_path)
    repo = Repo.of_environment()
    assert (repo.root, repo.git_dir, repo.index_file) == (git.path, git.path / ".git", tmp_path / "index")
    assert [change.path for change in repo.staged("HEAD")] == ["b"]


def test_git_cannot_steer_the_terminal(make_repo: MakeRepo) -> None:
    """Control characters in what git says do not reach the message."""
    git = make_repo()
    git.commit("first")
    with pytest.raises(GitmemError) as raised:
        Repo.find(git.path).run("rev-parse", "x\x1b[2J\x9b31m\r", "--")
    assert not set(raised.value.message) & set("\x1b\x9b\r")


def test_a_command_that_hangs_is_ended(make_repo: MakeRepo) -> None:
    """When time is up the command is killed, and the error says how long it was given."""
    git = make_repo()
    git("config", "alias.hang", "!sleep 60")
    with pytest.raises(process.GitTimeout, match=r"did not end within 0\.2 seconds"):
        Repo.find(git.path).call("hang", timeout=0.2, remote=True)


def test_what_a_hanging_command_started_tidies_up_first(make_repo: MakeRepo) -> None:
    """Git ends at once, the program it started (for a push: the remote's end, which holds a lock) a little later."""
    git = make_repo()
    git("config", "alias.hang", "!(trap 'sleep 0.5; touch tidied; exit' TERM; sleep 60 & wait) & exec sleep 60")
    with pytest.raises(process.GitTimeout):
        Repo.find(git.path).call("hang", timeout=0.5, remote=True)
    assert (git.path / "tidied").exists()


def test_blobs_are_streamed(make_repo: MakeRepo) -> None:
    """Thousands of objects, larger together than any pipe, in the order asked for."""
    git = make_repo()
    contents = {f"f{n}": f"{n} ".encode() * (5000 if n % 100 == 0 else 3) for n in range(1500)}
    git.commit("first", contents)  # type: ignore[arg-type]
    repo = Repo.find(git.path)
    ids = {path: entry.id for path, entry in repo.ls_tree("HEAD").items()}
    wanted = [ids[path] for path in contents] * 2
    got = list(repo.read_blobs(wanted))
    assert [one for one, _ in got] == wanted
    assert [data for _, data in got] == list(contents.values()) * 2


def test_large_blobs_are_cut(make_repo: MakeRepo) -> None:
    """With a limit one byte more than it is read, so that the reader sees that it is too much; the next object is intact."""
    git = make_repo()
    git.commit("first", {"big": b"x" * 3_000_000, "small": b"y"})
    repo = Repo.find(git.path)
    ids = repo.ls_tree("HEAD")
    got = list(repo.read_blobs([ids["big"].id, ids["small"].id, ids["big"].id], limit=10))
    assert [data for _, data in got] == [b"x" * 11, b"y", b"x" * 11]


def test_a_missing_object_is_named(make_repo: MakeRepo) -> None:
    """An object the repository lacks is an error with its id."""
    git = make_repo()
    with pytest.raises(GitmemError, match="lacks the object 1111"):
        list(Repo.find(git.path).read_blobs(["1" * 40]))


def test_reading_may_stop_early(make_repo: MakeRepo) -> None:
    """A reader that has seen enough leaves no process behind."""
    git = make_repo()
    git.commit("first", {f"f{n}": "x" * 10_000 for n in range(300)})
    repo = Repo.find(git.path)
    blobs = repo.read_blobs(entry.id for entry in repo.ls_tree("HEAD").values())
    next(blobs)
    blobs.close()  # type: ignore[attr-defined]


def test_diff_and_paths_with_strange_names(make_repo: MakeRepo) -> None:
    """Names with newlines, quotes, pathspec magic and bytes that are no UTF-8 come out as they are."""
    git = make_repo()
    names = ["-x", ":(glob)*", 'a "b"\n\tc', "d/\udcff", "ü"]
    first = git.commit("first", dict.fromkeys(names, "1"))
    second = git.commit("second", {"d/\udcff": "2", "new": "3"})
    git("rm", "--quiet", "--", "ü")
    third = git.commit("third")
    repo = Repo.find(git.path)
    assert sorted(repo.read_paths(first, [*names, "absent"])) == sorted(names)
    assert repo.read_paths(second, ["d/\udcff"]) == {"d/\udcff": b"2"}
    assert [(c.path, bool(c.old), bool(c.new)) for c in repo.diff(first, third)] == [
        ("d/\udcff", True, True),
        ("new", False, True),
        ("ü", True, False),
    ]
    assert [c.path for c in repo.diff(first, third, ["new", "ü"])] == ["new", "ü"]
    assert [c.path for c in repo.diff(first, third, [":(glob)*"])] == []
    assert [(c.path, c.old) for c in repo.diff(None, first)] == [(name, None) for name in sorted(names)]


def test_history_questions(make_repo: MakeRepo) -> None:
    """Merge bases and ancestry, unrelated histories included."""
    git = make_repo()
    first = git.commit("first")
    ours = git.commit("ours")
    git("checkout", "--quiet", "-b", "side", first)
    theirs = git.commit("theirs")
    git("checkout", "--quiet", "--orphan", "other")
    other = git.commit("other")
    repo = Repo.find(git.path)
    assert repo.merge_bases(ours, theirs) == [first]
    assert repo.merge_bases(ours, other) == []
    assert repo.is_ancestor(first, theirs)
    assert not repo.is_ancestor(ours, theirs)
    with pytest.raises(GitmemError):
        repo.is_ancestor("1" * 40, ours)
    assert repo.resolve("side") == theirs
    assert repo.resolve("--all") is None


def test_configuration(make_repo: MakeRepo) -> None:
    """Values are set locally, read as git would use them, and removed."""
    git = make_repo()
    repo = Repo.find(git.path)
    assert repo.config_get("gitmem.x") is None
    repo.config_set("gitmem.x", "two\nlines")
    assert repo.config_get("gitmem.x") == "two\nlines"
    assert repo.config()["gitmem.x"] == "two\nlines"
    repo.config_set("gitmem.x", None)
    repo.config_set("gitmem.x", None)
    assert repo.config_get("gitmem.x") is None
    assert repo.config_get("user.name") == "Ada Tester"


def test_sha256_repository(git: Git) -> None:
    """Nothing assumes how long an id is."""
    git("init", "--quiet", "--object-format=sha256")
    commit = git.commit("first", {"a": "1"})
    repo = Repo.find(git.path)
    assert (repo.head(), len(commit), len(repo.zero_id())) == (commit, 64, 64)
    assert [data for _, data in repo.read_blobs(e.id for e in repo.ls_tree("HEAD").values())] == [b"1"]


def test_an_identity_in_the_environment_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was given as text reaches no child of ours; where one lies may be told."""
    monkeypatch.setenv("GITMEM_IDENTITY", "AGE-SECRET-KEY-1")
    monkeypatch.setenv("GITMEM_IDENTITY_FILE", "/somewhere")
    env = process.environment()
    assert "GITMEM_IDENTITY" not in env
    assert env["GITMEM_IDENTITY_FILE"] == "/somewhere"


def test_refs_that_name_each_other_are_named(make_repo: MakeRepo) -> None:
    """Two symbolic refs in a circle hold no commit: an error, not a search without end."""
    git = make_repo()
    git.commit("first")
    (git.path / ".git/refs/heads/main").write_text("ref: refs/heads/other\n")
    (git.path / ".git/refs/heads/other").write_text("ref: refs/heads/main\n")
    with pytest.raises(GitmemError, match="does not hold a commit id"):
        Repo.find(git.path).head()
