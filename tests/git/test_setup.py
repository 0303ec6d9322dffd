"""A clone's configuration and its .gitattributes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.git.attributes import LINES, own_file, with_own_lines
from gitmem.git.repo import Repo
from gitmem.git.setup import check, configure, program, quoted
from tests.git.stores import found_store
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
    assert "which you chose; it calls no merge driver" in notes[0]
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


RECORDS = ["memory/t/p/aa/p-aa.yaml", ".gitmem/config.yaml", ".gitmem/members/ada.yaml", ".gitmem/collected/aa.yaml"]
OTHERS = [".gitmem/keys/t/1/a.age", ".gitmem/schemas/k.json", "log/a/b"]
MEDDLING = "* text=auto eol=crlf ident filter=x merge=union\n*.yaml text working-tree-encoding=UTF-16 diff=y\n"


@pytest.mark.parametrize("where", ["above", "global"])
def test_attributes_work(make_repo: MakeRepo, where: str) -> None:
    """git sees them as meant, whatever other lines say: records merge by the driver, no byte of ours is changed."""
    git = make_repo()
    if where == "global":
        (git.path.parent / "attributes").write_text(MEDDLING)
        git("config", "core.attributesFile", git.path.parent / "attributes")
    (git.path / ".gitattributes").write_bytes(with_own_lines(b"" if where == "global" else MEDDLING.encode()))
    names = ["text", "ident", "filter", "working-tree-encoding", "merge", "diff"]
    fields = git("check-attr", "-z", *names, "--", *RECORDS, *OTHERS).split("\0")[:-1]
    found = {(path, name): value for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=True)}
    for path in RECORDS + OTHERS:
        assert [found[path, name] for name in names[:4]] == ["unset", "unset", "unset", "unspecified"]
        assert found[path, "merge"] == ("gitmem" if path in RECORDS else "unset")
    assert found[RECORDS[0], "diff"] == "gitmem"


@pytest.mark.parametrize("prefix", ["", "team/store/", 'a "b" [c]*\\é/'])
def test_no_line_end_changes_without_the_attributes(make_repo: MakeRepo, prefix: str) -> None:
    """A revert of the founding takes .gitattributes away; what git writes until it is back keeps its bytes all the same."""
    git = make_repo()
    git("config", "core.autocrlf", "true")
    configure(Repo.find(git.path), prefix)
    git.commit("no attributes", {prefix + path: "a\nb\n" for path in RECORDS + OTHERS} | {"code.txt": "a\nb\n"})
    git("rm", "--quiet", "-r", ".")
    git("reset", "--quiet", "--hard")
    assert {(git.path / prefix / path).read_bytes() for path in RECORDS + OTHERS} == {b"a\nb\n"}
    assert (git.path / "code.txt").read_bytes() == b"a\r\nb\r\n"  # is its owner's


def test_the_clones_own_attributes_are_added_to(make_repo: MakeRepo) -> None:
    """What somebody wrote there stays as it is, ours stand once, and where they are missing that is found."""
    git = make_repo()
    found_store(git)
    repo = Repo.find(git.path)
    own_file(repo).write_bytes(b"*.txt text\r\n# \xff")
    (problem,) = check(repo)
    assert "info/attributes as well" in problem.why
    assert problem.fix == "gitmem doctor --fix"
    configure(repo)
    assert check(repo) == []
    once = own_file(repo).read_bytes()
    assert once.startswith(b"*.txt text\r\n# \xff\nmemory/** -text")
    configure(repo)
    assert own_file(repo).read_bytes() == once


def test_attributes_that_are_overridden_are_found(make_repo: MakeRepo) -> None:
    """What a clone's info/attributes says is stronger than the store's own lines: the check names the file."""
    git = make_repo()
    found_store(git)
    repo = Repo.find(git.path)
    assert check(repo) == []
    info = git.path / ".git/info/attributes"
    ours = info.read_text()
    info.write_text(f"{ours}*.txt text\n")
    assert check(repo) == []
    info.write_text(f"{ours}* merge=union\n*.yaml text\n")
    (problem,) = check(repo)
    assert str(info) in problem.fix
    assert "text is set for memory" in problem.why
    assert "merge is union for memory" in problem.why


def test_attributes_that_are_missing_are_found(make_repo: MakeRepo) -> None:
    """A store of an older gitmem lacks lines; `doctor --fix` adds them."""
    git = make_repo()
    found_store(git)
    (git.path / ".gitattributes").write_bytes(b"\n".join(line.encode() for line in LINES if "collected" not in line))
    (problem,) = check(Repo.find(git.path))
    assert problem.why == "are not complete in .gitattributes: merge is unspecified for .gitmem"
    assert problem.fix == "gitmem doctor --fix"
