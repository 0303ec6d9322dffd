"""A clone's configuration and its .gitattributes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.git.attributes import LINES, with_own_lines
from gitmem.git.repo import Repo
from gitmem.git.setup import check, configure, program, quoted
from tests.support.git import Git

MakeRepo = Callable[..., Git]


def _without_strategy(monkeypatch: pytest.MonkeyPatch) -> None:
    places = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", os.pathsep.join(place for place in places if not Path(place, "git-merge-gitmem").exists()))


def test_configure_and_check(make_repo: MakeRepo) -> None:
    """A fresh clone has problems, a configured one none, and doing it again changes nothing."""
    git = make_repo()
    repo = Repo.find(git.path)
    assert {problem.name for problem in check(repo)} >= {"merge.gitmem.driver", "pull.twohead", "core.fsync"}
    assert configure(repo) == []
    assert check(repo) == []
    before = (git.path / ".git/config").read_bytes()
    assert configure(repo) == []
    assert (git.path / ".git/config").read_bytes() == before
    assert git("config", "core.fsync") == "all"
    assert git("config", "diff.gitmem.cachetextconv") == "false"


def test_the_driver_is_named_by_its_path(make_repo: MakeRepo) -> None:
    """PATH may lack it when git runs; a percent sign in the path is not for git to expand."""
    git = make_repo()
    configure(Repo.find(git.path))
    driver = git("config", "merge.gitmem.driver")
    assert driver == f"{program('gitmem-merge-driver')} %O %A %B %L %P"
    assert Path(program("gitmem-merge-driver").strip("'")).is_absolute()


def test_a_strategy_git_cannot_find_is_not_set(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set without being there, it would make every `git merge` fail; it is taken back and reported."""
    git = make_repo()
    repo = Repo.find(git.path)
    configure(repo)
    _without_strategy(monkeypatch)
    assert any("every git merge fails" in problem.why for problem in check(repo))
    assert any("not on PATH" in note for note in configure(repo))
    assert git("config", "pull.twohead", check=False) == ""
    assert [problem.name for problem in check(repo)] == ["pull.twohead"]


def test_the_users_own_strategy_is_kept(make_repo: MakeRepo) -> None:
    """Somebody else's choice is reported, not overwritten."""
    git = make_repo()
    git("config", "pull.twohead", "resolve")
    repo = Repo.find(git.path)
    notes = configure(repo)
    assert len(notes) == 1
    assert "which you chose" in notes[0]
    assert git("config", "pull.twohead") == "resolve"
    assert [problem.name for problem in check(repo)] == ["pull.twohead"]


def test_a_cache_of_plaintext_is_a_problem(make_repo: MakeRepo) -> None:
    """git would keep converted text, decrypted, in refs/notes."""
    git = make_repo()
    repo = Repo.find(git.path)
    configure(repo)
    git("config", "diff.gitmem.cachetextconv", "true")
    assert [str(problem) for problem in check(repo)] == ["diff.gitmem.cachetextconv: is 'true', not 'false'"]


def test_quoting() -> None:
    """One word for the shell, whatever is in it."""
    word = "/a b'c\"d$(e)`f`\n%"
    shell = subprocess.run(["sh", "-c", f"printf %s {quoted(word)}"], capture_output=True, check=True)
    assert shell.stdout.decode() == word


@pytest.mark.parametrize("before", [b"", b"*.png binary\n", b"*.png binary", b"# \xff\n" + LINES[0].encode() + b"\n"])
def test_attributes_are_added(before: bytes) -> None:
    """Other lines stay as they are, ours stand once, and doing it again changes nothing."""
    after = with_own_lines(before)
    assert after.startswith(before)
    assert [after.splitlines().count(line.encode()) for line in LINES] == [1] * len(LINES)
    assert with_own_lines(after) == after


def test_attributes_work(make_repo: MakeRepo) -> None:
    """git sees them as meant: records merge by the driver, nothing of ours has its line ends changed."""
    git = make_repo()
    (git.path / ".gitattributes").write_bytes(with_own_lines(b"* text=auto eol=crlf\n"))
    paths = ["memory/t/p/aa/p-aa.yaml", ".gitmem/config.yaml", ".gitmem/members/ada.yaml", ".gitmem/keys/t/1/a.age", "log/a/b"]
    lines = git("check-attr", "text", "merge", "diff", "--", *paths).splitlines()
    found = {tuple(line.rsplit(": ", 2)[:2]): line.rsplit(": ", 2)[2] for line in lines}
    assert {found[path, "text"] for path in paths} == {"unset"}
    assert [found[path, "merge"] for path in paths] == ["gitmem", "gitmem", "gitmem", "unspecified", "unspecified"]
    assert found[paths[0], "diff"] == "gitmem"
