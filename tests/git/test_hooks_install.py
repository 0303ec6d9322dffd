"""Installing the hooks beside those that others have put there, and what the shell part does by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.git.hooks import NAMES, check, install_hooks, uninstall_hooks
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from tests.git.stores import write
from tests.support.git import Git

MakeRepo = Callable[..., Git]


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _stand_in(git: Git, text: str, prefix: str = "") -> Path:
    """Install the hooks, with a script in the place of gitmem that notes how it was called."""
    install_hooks(Repo.find(git.path), prefix)
    program = git.path / ".git/stand-in"
    _script(program, f'echo "$PWD: $*: $GIT_INDEX_FILE" >> {git.path}/.git/calls\n{text}')
    for name in NAMES:
        hook = git.path / ".git/hooks" / name
        lines = [f"gitmem={program}" if line.startswith("gitmem=") else line for line in hook.read_text().splitlines()]
        hook.write_text("\n".join(lines) + "\n")
    return git.path / ".git/calls"


def test_install_is_idempotent(make_repo: MakeRepo) -> None:
    """Installed once or twice, the hooks are the same, executable, and `check` is content."""
    git = make_repo()
    repo = Repo.find(git.path)
    assert [problem.name for problem in check(repo)] == list(NAMES)
    assert install_hooks(repo) == []
    first = {name: (git.path / ".git/hooks" / name).read_bytes() for name in NAMES}
    assert install_hooks(repo) == []
    assert {name: (git.path / ".git/hooks" / name).read_bytes() for name in NAMES} == first
    assert check(repo) == []
    assert all(os.access(git.path / ".git/hooks" / name, os.X_OK) for name in NAMES)


def test_damage_is_noticed(make_repo: MakeRepo) -> None:
    """A hook of ours that was edited, or cannot be run, is a problem."""
    git = make_repo()
    repo = Repo.find(git.path)
    install_hooks(repo)
    (git.path / ".git/hooks/pre-commit").chmod(0o644)
    with (git.path / ".git/hooks/pre-merge-commit").open("a") as hook:
        hook.write("true\n")
    assert [problem.name for problem in check(repo)] == list(NAMES)
    install_hooks(repo)
    assert check(repo) == []


def test_the_hooks_call_gitmem(make_repo: MakeRepo) -> None:
    """Both hooks run `gitmem hooks run NAME` at the top, and their refusal stops the commit."""
    git = make_repo()
    calls = _stand_in(git, "exit 0")
    git.commit("first", {".gitmem/config.yaml": "1"})
    assert calls.read_text().startswith(f"{git.path}: hooks run pre-commit: ")
    git("checkout", "--quiet", "-b", "side")
    git.commit("theirs", {"b": "1"})
    git("checkout", "--quiet", "main")
    git.commit("ours", {"c": "1"})
    git("merge", "--no-edit", "--quiet", "side")
    assert "hooks run pre-merge-commit: " in calls.read_text().splitlines()[-1]
    head = git("rev-parse", "HEAD")
    _stand_in(git, "exit 13")
    assert git.run("commit", "--allow-empty", "-m", "no").returncode != 0
    assert git("rev-parse", "HEAD") == head


def test_a_store_in_a_subdirectory(make_repo: MakeRepo) -> None:
    """gitmem is started at the top, with the index that git is about to commit."""
    git = make_repo()
    write(git.path, "sub/.gitmem/config.yaml", "1")
    write(git.path, "sub/x", "1")
    calls = _stand_in(git, "git ls-files >> .git/calls", "sub/")
    git("add", "sub")
    git("commit", "--quiet", "--message", "first", "--only", "sub/x")
    line, listed = calls.read_text().splitlines()
    assert line.startswith(f"{git.path}: hooks run pre-commit: ")
    assert ".git/next-index" in line
    assert listed == "sub/x"


def test_a_branch_without_the_store(make_repo: MakeRepo) -> None:
    """Nothing is started where there is no store; one that is about to be deleted still counts."""
    git = make_repo()
    calls = _stand_in(git, "", "sub/")
    git.commit("code", {"memory/cache.py": "1"})
    assert not calls.exists()
    git.commit("a store", {"sub/.gitmem/config.yaml": "1"})
    git("rm", "--quiet", "-r", "sub")
    git("commit", "--quiet", "--message", "gone")
    assert len(calls.read_text().splitlines()) == 2


def test_a_foreign_hook_is_kept_and_runs_first(make_repo: MakeRepo) -> None:
    """Its exit code counts, and uninstalling brings it back as it was."""
    git = make_repo()
    hook = git.path / ".git/hooks/pre-commit"
    _script(hook, f"echo theirs >> {git.path}/.git/calls; test ! -e {git.path}/stop")
    original = hook.read_bytes()
    calls = _stand_in(git, "exit 0")
    git.commit("first", {".gitmem/config.yaml": "1"})
    assert calls.read_text().splitlines()[0] == "theirs"
    assert len(calls.read_text().splitlines()) == 2
    write(git.path, "stop", "")
    assert git.run("commit", "--allow-empty", "-m", "no").returncode != 0
    assert len(calls.read_text().splitlines()) == 3
    install_hooks(Repo.find(git.path))
    assert uninstall_hooks(Repo.find(git.path)) == list(NAMES)
    assert hook.read_bytes() == original
    assert os.access(hook, os.X_OK)
    assert not (git.path / ".git/hooks/pre-merge-commit").exists()
    assert uninstall_hooks(Repo.find(git.path)) == []
    assert hook.read_bytes() == original


def test_a_second_foreign_hook_is_not_overwritten(make_repo: MakeRepo) -> None:
    """Where both places are taken by others, nothing is touched."""
    git = make_repo()
    folder = git.path / ".git/hooks"
    _script(folder / "pre-commit", "echo one")
    install_hooks(Repo.find(git.path))
    _script(folder / "pre-commit", "echo two")
    with pytest.raises(GitmemError, match="are hooks that gitmem did not write"):
        install_hooks(Repo.find(git.path))
    assert "echo two" in (folder / "pre-commit").read_text()
    assert "echo one" in (folder / "pre-commit.before-gitmem").read_text()


def test_moved_by_the_pre_commit_framework(make_repo: MakeRepo) -> None:
    """The framework calls our hook as `pre-commit.legacy`; that counts as installed and is kept up to date there."""
    git = make_repo()
    repo = Repo.find(git.path)
    install_hooks(repo)
    folder = git.path / ".git/hooks"
    (folder / "pre-commit").rename(folder / "pre-commit.legacy")
    _script(folder / "pre-commit", "# the framework's\nexit 0")
    assert check(repo) == []
    (folder / "pre-commit.legacy").write_bytes((folder / "pre-commit.legacy").read_bytes() + b"# old\n")
    assert install_hooks(repo) == []
    assert check(repo) == []
    assert "the framework's" in (folder / "pre-commit").read_text()


def test_a_foreign_hooks_path_is_left_alone(make_repo: MakeRepo, tmp_path: Path) -> None:
    """The note says how to call our hooks from there, and `check` reports it."""
    git = make_repo()
    (tmp_path / "hooks").mkdir()
    git("config", "core.hooksPath", tmp_path / "hooks")
    repo = Repo.find(git.path)
    [note] = install_hooks(repo)
    assert "hooks run pre-commit" in note
    assert list((tmp_path / "hooks").iterdir()) == []
    assert not (git.path / ".git/hooks/pre-commit").exists()
    assert [problem.name for problem in check(repo)] == ["core.hooksPath"]
    git("config", "core.hooksPath", ".git/hooks")
    assert install_hooks(repo) == []


def test_worktrees_share_the_hooks(make_repo: MakeRepo, tmp_path: Path) -> None:
    """Installed from a linked worktree they are where git looks for them."""
    git = make_repo()
    git.commit("first")
    git("worktree", "add", "--quiet", tmp_path / "linked")
    install_hooks(Repo.find(tmp_path / "linked"))
    assert (git.path / ".git/hooks/pre-commit").exists()
    assert check(Repo.find(git.path)) == []


def test_without_gitmem(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone from the machine, a commit of other files passes, one of the store's files fails loudly."""
    git = make_repo()
    git.commit("a store", {".gitmem/config.yaml": "1"})
    repo = Repo.find(git.path)
    configure(repo)
    install_hooks(repo)
    hook = git.path / ".git/hooks/pre-commit"
    lines = ["gitmem=/gone/gitmem" if line.startswith("gitmem=") else line for line in hook.read_text().splitlines()]
    hook.write_text("\n".join(lines) + "\n")
    places = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", os.pathsep.join(place for place in places if not Path(place, "gitmem").exists()))
    git.commit("first", {"a": "1"})
    write(git.path, "memory/x", "1")
    git("add", "memory")
    done = git.run("commit", "-m", "no")
    assert done.returncode != 0
    assert b"error: gitmem is not installed" in done.stderr
    git("rm", "--quiet", "--cached", "memory/x")
    (git.path / "memory/x").unlink()
    git.commit("still fine", {"b": "1"})


def test_shell_syntax() -> None:
    """The shipped hooks are plain POSIX shell: no bash, no arrays, no `local`."""
    root = Path(__file__).parents[2] / "hooks"
    for name in NAMES:
        text = (root / name).read_text()
        assert text.startswith("#!/bin/sh\n# ID: ")
        assert "[[" not in text
        assert "local " not in text
        assert os.system(f"sh -n '{root / name}'") == 0
