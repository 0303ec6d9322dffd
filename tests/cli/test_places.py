"""Stores in a directory of a code repository and on a branch beside it: everything works from anywhere in the code."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import pytest

from gitmem.mcp.server import Desk
from gitmem.memory.memory import Memory
from tests.cli.conftest import ERROR, LESSON, Seat
from tests.cli.places import BRANCH, FOLDER, SHAPES, Team, make_code, make_team, team_at, top
from tests.support.git import Git
from tests.support.stores import EFFORT

# Each shape on one worker, so that its team is founded once.
_SHAPES = {shape: pytest.param(shape, marks=pytest.mark.xdist_group(shape)) for shape in SHAPES}


@pytest.fixture(scope="session", params=_SHAPES.values())
def founded_team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A team in each of the shapes; nothing is learned yet."""
    place = tmp_path_factory.mktemp(f"code-{request.param}") / "team"
    place.mkdir()
    make_team(place, request.param)
    return place, request.param


@pytest.fixture
def team(founded_team: tuple[Path, str], tmp_path: Path) -> Team:
    """A copy of the team."""
    return team_at(founded_team[0], tmp_path / "team", founded_team[1])


BESIDE = pytest.mark.parametrize("founded_team", [_SHAPES["branch"]], indirect=True)
WITHIN = pytest.mark.parametrize("founded_team", [_SHAPES["directory"]], indirect=True)


def _used(seat: Seat, record: str) -> int:
    fixed: int = seat("show", record, "--json").ok().json["usage"]["fixed"]
    return fixed


def _in_order(seat: Seat) -> None:
    assert seat("audit", "verify", "--json").ok().json["ok"]
    seat("doctor").ok()


def _secret_in_objects(git: Git, secret: bytes) -> bool:
    git("gc", "--quiet", "--prune=now")
    return secret in git.raw("cat-file", "--batch-all-objects", "--batch", "--unordered")


def test_two_developers(team: Team) -> None:
    """Learn, match, count, edit at once, settle: both end with the same bytes, and nothing of it in the clear."""
    ada, bob = team.ada, team.bob
    (top(ada) / "src/a.py").write_text("edited\n")
    before = Git(top(ada))("status", "--porcelain", "--branch").splitlines()[1:]
    found = ada.learn(*LESSON)
    assert ada("sync", "--json").ok().json["pushed"] == 1
    bob("sync").ok()
    assert bob("match", "--json", input=ERROR).ok().json["matches"][0]["id"] == found
    bob("used", found, "--fixed").ok()
    ada("used", found, "--fixed").ok()
    Git(top(ada))("clean", "--quiet", "-ffdx")
    bob("edit", found, "--fix", "Bob's way").ok()
    bob("sync").ok()
    ada("edit", found, "--fix", "Ada's way").ok()
    ada("sync").expect(3)
    ada("resolve", found, "fix", "--value", "both ways").ok()
    ada("sync").ok()
    bob("sync").ok()
    assert (_used(ada, found), _used(bob, found)) == (2, 2)
    assert team.git(ada)("rev-parse", "HEAD") == team.git(bob)("rev-parse", "HEAD")
    assert Git(top(ada))("status", "--porcelain", "--branch").splitlines()[1:] == before
    _in_order(bob)
    assert not _secret_in_objects(Git(team.place / "remote.git"), b"both ways")


def test_a_reverted_founding(team: Team) -> None:
    """The store is gone where somebody reverts what founded it; the next sync has it back, here and for the others."""
    ada, bob = team.ada, team.bob
    record = ada("learn", *LESSON, "--json").ok().json["id"]
    ada("sync").ok()
    bob("sync").ok()
    git = team.git(bob)
    founding = git("rev-list", "--no-merges", "--reverse", "HEAD", "--", team.path(".gitmem/config.yaml")).split()[0]
    Git(top(bob))("config", "core.autocrlf", "true")
    git("revert", "--no-edit", founding)
    git("rm", "--quiet", "-r", "--", team.path("memory"))
    git("reset", "--quiet", "--hard")  # without the store's attributes git writes line ends to its owner's taste
    assert "gitmem sync" in bob("list", "--json").expect(10).error["hint"]
    for seat in (bob, ada, bob):
        seat("sync").ok()
    assert git("rev-parse", "HEAD") == team.git(ada)("rev-parse", "HEAD")
    for seat in (ada, bob):
        assert seat("show", record, "--json").ok().json["alive"]
        _in_order(seat)


def test_plain_git(team: Team) -> None:
    """Pull merges records, by the strategy or the driver alike; diffs are readable; a hand edit is checked at its commit."""
    ada, bob = team.ada, team.bob
    found = ada.learn(*LESSON)
    ada("sync").ok()
    bob("sync").ok()
    for seat, way in ((ada, "Ada's way"), (bob, "Bob's way")):
        seat("edit", found, "--fix", way).ok()
        seat("used", found, "--fixed").ok()
        seat("commit").ok()
    team.git(ada)("push", "--quiet", "origin", "HEAD")
    git = team.git(bob)
    git("fetch", "--quiet", "origin")
    theirs = f"origin/{git('branch', '--show-current')}"
    ours = git("rev-parse", "HEAD")
    git("-c", "pull.twohead=ort", "merge", "--quiet", "--no-edit", theirs)
    by_driver = git("rev-parse", "HEAD^{tree}")
    git("reset", "--quiet", "--hard", ours)
    git("-c", "pull.rebase=false", "pull", "--quiet", "--no-edit", "origin", git("branch", "--show-current"))
    assert git("rev-parse", "HEAD^{tree}") == by_driver
    assert len(bob("show", found, "--json").ok().json["conflicts"]["fix"]) == 2
    assert _used(bob, found) == 2
    shown = git.run("log", "-p", "--format=", "-1", "--first-parent", "-m", "--", team.path("memory")).stdout
    assert b"(sealed)" in shown or b"Ada's way" in shown


def test_the_check_before_a_commit(team: Team) -> None:
    """What may not enter is named, and the hint's command, typed at the top, is right; a snapshot was made."""
    ada = team.ada
    ada.learn(*LESSON)
    ada("commit").ok()
    git = team.git(ada)
    [record] = (team.store(ada) / "memory").rglob("*.yaml")
    (team.store(ada) / "memory/stray").write_text("1")
    git("add", "--force", team.path("memory/stray"))
    refused = git.run("commit", "--message", "no")
    assert refused.returncode
    hint = refused.stderr.decode().partition("hint: `")[2].partition("`")[0]
    words = shlex.split(hint)
    assert words[-1] == team.path("memory/stray")
    git(*words[1:])
    assert team.path("memory/stray") not in git("ls-files")
    record.unlink()
    git("commit", "--quiet", "--all", "--message", "gone by hand", check=False)
    assert "restore --staged --worktree" in git.run("commit", "--all", "--message", "no").stderr.decode()
    assert "refs/gitmem/snapshots/" in git("for-each-ref", "refs/gitmem")
    assert git("ls-files", team.path("log")) != ""


def test_code_is_left_in_peace(team: Team) -> None:
    """Commits and merges on code branches without a store are silent, and conflict as ever."""
    code = Git(top(team.ada))
    code("checkout", "--quiet", "-b", "side", code("rev-list", "--max-parents=0", "main"))
    for branch, text in (("one", "first"), ("two", "second")):
        code("checkout", "--quiet", "-b", branch, "side")
        (code.path / "src/a.py").write_text(f"{text}\n")
        (code.path / branch).write_text(text)
        code("add", "--all")
        done = code.run("commit", "--message", branch)
        assert (done.returncode, done.stderr) == (0, b"")
    done = code.run("merge", "--no-edit", "one")
    assert done.returncode == 1
    assert b"CONFLICT (content): Merge conflict in src/a.py" in done.stdout + done.stderr
    assert "<<<<<<< HEAD" in (code.path / "src/a.py").read_text()
    code("checkout", "--quiet", "--theirs", "src/a.py")
    code("add", "--all")
    code("commit", "--quiet", "--no-edit")
    assert (code.path / "one").exists()
    assert not (top(team.ada) / ".git/gitmem/journal").exists() or team.shape == "directory"


def test_every_door_finds_it(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python API, the MCP server and completion, from the code; commands from another work tree of the code, too."""
    ada = team.ada
    found = ada.learn(*LESSON)
    monkeypatch.setenv("GITMEM_IDENTITY_FILE", str(ada.key))
    with Memory.open(ada.path) as memory:
        assert memory.get(found).id == found
        assert memory.context.store.root == team.store(ada)
    desk = Desk(ada.path)
    desk.check()
    assert desk.answer("memory_match", {"text": ERROR}).data["matches"][0]["id"] == found
    words = {"_GITMEM_COMPLETE": "bash_complete", "COMP_WORDS": "gitmem show p-", "COMP_CWORD": "2"}
    assert found in ada(env=words).out
    ada("commit").ok()
    Git(top(ada))("worktree", "add", "--quiet", "-b", "feature", team.place / "feature")
    assert Seat(team.place / "feature/src", ada.key)("show", found, "--json").ok().json["id"] == found


@BESIDE
@pytest.mark.parametrize("how", ["deleted", "removed and pruned", "removed", "deleted and pruned"][: 2 * EFFORT])
def test_a_removed_work_tree(team: Team, how: str) -> None:
    """What was acknowledged in it waits outside of git's reach; the error's command brings everything back."""
    ada = team.ada
    found = ada.learn(*LESSON)
    ada("sync").ok()
    ada("used", found, "--fixed").ok()
    ada.learn("--pattern", "not committed yet", "--fix", "wait")
    code = Git(top(ada))
    if how.startswith("removed"):
        code("worktree", "remove", "--force", team.store(ada))
    else:
        shutil.rmtree(team.store(ada))
    if how.endswith("pruned"):
        code("worktree", "prune")
    refused = ada("match", "--json", input=ERROR).expect(10).error
    assert "work tree is gone" in refused["error"]
    command = refused["hint"].partition("`gitmem ")[2].partition("`")[0]
    ada(*shlex.split(command)).ok()
    assert _used(ada, found) == 1
    assert ada("sync", "--json").ok().json["pushed"] == 1
    team.bob("sync").ok()
    assert _used(team.bob, found) == 1
    assert len(team.bob("list", "--json").ok().json["records"]) == 2
    _in_order(ada)


@BESIDE
def test_a_work_tree_that_moves(team: Team) -> None:
    """With `git worktree move`, or made anew by hand elsewhere, it is found; what waits goes along."""
    ada = team.ada
    found = ada.learn(*LESSON)
    ada("commit").ok()
    ada("used", found, "--fixed").ok()
    code = Git(top(ada))
    code("worktree", "move", team.store(ada), team.place / "elsewhere")
    assert _used(ada, found) == 1
    code("worktree", "remove", team.place / "elsewhere")
    code("worktree", "add", "--quiet", team.place / "by-hand", BRANCH)
    assert _used(ada, found) == 1
    ada("sync").ok()
    ada("doctor", "--fix").ok()
    _in_order(ada)


def test_the_codes_own_hooks(team: Team) -> None:
    """A hook manager's folder keeps to the code; what it refuses there does not keep the store from being committed."""
    ada, code = team.ada, Git(top(team.ada))
    husky = code.path / ".husky"
    husky.mkdir()
    for name in ("pre-commit", "pre-push", "post-checkout"):
        (husky / name).write_text("#!/bin/sh\nexit 1\n")
        (husky / name).chmod(0o755)
    code("config", "core.hooksPath", ".husky" if team.shape == "branch" else str(husky))
    if team.shape == "directory":
        (husky / "pre-push").unlink()
    ada.learn(*LESSON)
    ada("sync").ok()
    assert code.run("commit", "--allow-empty", "--message", "refused by the code's hook").returncode == 1
    assert ada("doctor").code == (0 if team.shape == "branch" else 1)


@BESIDE
def test_without_gitmem_the_code_merges(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine from which gitmem is gone: the code's merges, commits and rebases know nothing of it."""
    places = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", os.pathsep.join(place for place in places if not Path(place, "gitmem").exists()))
    code = Git(top(team.ada))
    code("checkout", "--quiet", "-b", "side")
    code.commit("side", {"side": "1"})
    code("checkout", "--quiet", "main")
    code.commit("main", {"main": "1"})
    code("merge", "--quiet", "--no-edit", "side")
    assert code("config", "--get-regexp", r"^(pull|merge|core\.fsync|core\.hookspath)", check=False) == ""


@WITHIN
def test_code_branches(team: Team) -> None:
    """A code branch without the store says so; another branch's store cannot take this one's place."""
    ada, code = team.ada, Git(top(team.ada))
    code("checkout", "--quiet", "-b", "old", code("rev-list", "--max-parents=0", "HEAD"))
    assert "git switch" in ada("learn", *LESSON, "--json").expect(10).error["hint"]
    Git(team.place)("init", "--quiet", "evil")
    Seat(team.place / "evil", ada.key)("init", "--plain", "--name", "eve").ok()
    shutil.copytree(team.place / "evil/.gitmem", code.path / ".gitmem")
    code("add", "--all")
    code("commit", "--quiet", "--no-verify", "--message", "a store of somebody else's")
    ada("learn", *LESSON).expect(10)


@WITHIN
def test_code_that_moved_on(team: Team, tmp_path: Path) -> None:
    """The first sync of a store that was founded while others pushed code merges with what they pushed."""
    place = tmp_path / "late"
    place.mkdir()
    code = make_code(place)
    Git(place)("clone", "--quiet", place / "remote.git", "colleague")
    other = Git(place / "colleague")
    other.commit("more code", {"src/b.py": "1"})
    other("push", "--quiet", "origin", "main")
    seat = Seat(code.path / "src", team.ada.key)
    seat("init", "../store", "--name", "ada").ok()
    seat.learn(*LESSON)
    assert seat("sync", "--json").ok().json["pulled"] == 1
    assert (code.path / "src/b.py").exists()
    _in_order(seat)


def test_clone(team: Team) -> None:
    """The store alone from the branch; from the whole repository the one in its directory, or a hint at the branch."""
    seat = Seat(team.place, team.ada.key)
    if team.shape == "directory":
        made = seat("clone", team.place / "remote.git", "new", "--json").ok().json
        assert made["root"] == str(team.place / "new" / FOLDER)
    else:
        refused = seat("clone", team.place / "remote.git", "new", "--json").expect(10).error
        assert "--branch gitmem" in refused["hint"]
        assert not (team.place / "new").exists()
        seat("clone", team.place / "remote.git", "new", "--branch", BRANCH).ok()
        assert not (team.place / "new/src").exists()
    new = Seat(team.place / "new", team.ada.key)
    new.learn(*LESSON)
    new("sync").ok()


@WITHIN
def test_clone_of_several_stores(team: Team, tmp_path: Path) -> None:
    """It says which there are, and how to choose."""
    code = Git(top(team.ada))
    for name in ("one", "two"):
        code.commit(name, {f"{name}/.gitmem/config.yaml": (team.store(team.ada) / ".gitmem/config.yaml").read_bytes()})
    seat = Seat(tmp_path, team.ada.key)
    code("checkout", "--quiet", "-B", "several")
    code("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", FOLDER)
    code("commit", "--quiet", "--no-verify", "--allow-empty", "--message", "two stores")
    Git(tmp_path)("clone", "--quiet", "--bare", "--branch", "several", code.path, "several.git")
    refused = seat("clone", tmp_path / "several.git", "several", "--branch", "several", "--json").expect(1).error
    assert "one/, two/" in refused["error"]
    assert "-C" in refused["hint"]
    command = refused["hint"].partition("gitmem ")[2]
    seat(*shlex.split(command)).ok()
