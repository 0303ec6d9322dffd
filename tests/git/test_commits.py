"""Commits beside the work tree, and bringing index and work tree after them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.git.commits import Identity, RefMoved, commit, refresh_index
from gitmem.git.objects import Content
from gitmem.git.repo import BlobRef, Repo
from gitmem.git.worktree import checkout, write_worktree
from tests.git.stores import clean, tree, write
from tests.support.git import Git

MakeRepo = Callable[..., Git]
NOBODY = Identity("nobody", "nobody@example.org")


def _commit(repo: Repo, changes: Mapping[str, Content], *more: str, message: str = "made\n") -> str:
    head = repo.head()
    parents = [one for one in (head, *more) if one]
    return commit(repo, changes, message, parents=parents, ref=repo.current_ref(), expected=head, fallback=NOBODY)


def test_first_commit_of_an_unborn_branch(make_repo: MakeRepo) -> None:
    """A repository without any commit gets one; its reflog says why."""
    git = make_repo()
    made = _commit(Repo.find(git.path), {"memory/a": b"1\n"}, message="the first\n\nwith a body\n")
    assert git("rev-parse", "HEAD") == made
    assert tree(git) == {"memory/a": "1\n"}
    assert git("log", "-1", "--format=%B") == "the first\n\nwith a body\n"
    assert git("reflog", "-1", "--format=%gs") == "the first"
    git("fsck", "--strict")


def test_what_is_staged_or_edited_stays(make_repo: MakeRepo) -> None:
    """Neither index nor work tree is read or changed by a commit."""
    git = make_repo()
    git.commit("first", {"a": "1\n", "b": "1\n"})
    write(git.path, "a", "staged\n")
    git("add", "a")
    write(git.path, "b", "edited\n")
    _commit(Repo.find(git.path), {"memory/x": b"x"})
    assert tree(git) == {"a": "1\n", "b": "1\n", "memory/x": "x"}
    assert git("show", ":a") == "staged"
    assert git("status", "--porcelain") == "M  a\n M b\nD  memory/x"


def test_all_kinds_of_changes(make_repo: MakeRepo) -> None:
    """New content, content git has, removal, a file in place of a directory, and names of every kind."""
    git = make_repo()
    git.commit("first", {"gone": "1", "dir/file": "2", "kept": "3"})
    repo = Repo.find(git.path)
    blob = repo.ls_tree("HEAD")["kept"].id
    strange = {'a "b"\n\\c\t': b"q", "-x": b"d", "d/\udcff": b"b", "ü": b"\0\xff", "e": b""}
    _commit(repo, {"gone": None, "dir": b"now a file", "copy": BlobRef(blob), "run": BlobRef(blob, "100755"), **strange})
    wanted = {"dir": b"now a file", "kept": b"3", "copy": b"3", "run": b"3", **strange}
    assert repo.read_paths("HEAD", list(wanted)) == wanted
    assert set(repo.ls_tree("HEAD")) == set(wanted)
    assert repo.ls_tree("HEAD")["run"].mode == "100755"
    git("fsck", "--strict")


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", ".git/config", "x/.GIT/hooks/y", "a\0b"]
)
def test_paths_that_no_tree_may_hold(make_repo: MakeRepo, path: str) -> None:
    """They are refused, and nothing is written."""
    git = make_repo()
    with pytest.raises(GitmemError, match="is no path for a file"):
        _commit(Repo.find(git.path), {path: b"x"})
    assert git("for-each-ref") == ""


def test_a_lost_race_is_told(make_repo: MakeRepo) -> None:
    """If the branch has moved meanwhile, it stays where it is; an unborn one that was born, too."""
    git = make_repo()
    repo = Repo.find(git.path)
    first = git.commit("first")
    second = git.commit("second")
    for expected in (first, None):
        with pytest.raises(RefMoved):
            commit(repo, {"a": b"1"}, "x", parents=[first], ref="refs/heads/main", expected=expected, fallback=NOBODY)
    with pytest.raises(RefMoved):
        commit(repo, {"a": b"1"}, "x", parents=[first], ref="refs/heads/gone", expected=first, fallback=NOBODY)
    assert git("for-each-ref", "--format=%(refname) %(objectname)") == f"refs/heads/main {second}"


def test_detached_head_and_merge_commits(make_repo: MakeRepo) -> None:
    """HEAD itself moves when it is detached; further parents make a merge."""
    git = make_repo()
    first = git.commit("first", {"a": "1"})
    second = git.commit("second")
    git("checkout", "--quiet", "--detach", first)
    made = _commit(Repo.find(git.path), {}, second)
    assert git("rev-parse", "HEAD", "main") == f"{made}\n{second}"
    assert git("log", "-1", "--format=%P") == f"{first} {second}"


def test_author(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The user git knows, by environment or configuration; the fallback only without either."""
    git = make_repo()
    repo = Repo.find(git.path)
    _commit(repo, {"a": b"1"})
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    git("config", "user.name", "Köningin <x>")
    _commit(repo, {"a": b"2"})
    git("config", "--unset", "user.name")
    (home / ".gitconfig").write_text("")
    _commit(repo, {"a": b"3"})
    assert git("log", "--format=%an <%ae> %cn <%ce>").splitlines() == [
        "nobody <nobody@example.org> nobody <nobody@example.org>",
        "Köningin x <ada@example.org> Köningin x <ada@example.org>",
        "Ada Tester <ada@example.org> Ada Tester <ada@example.org>",
    ]


def test_thousands_of_files_at_once(make_repo: MakeRepo) -> None:
    """A commit of 3,000 files lies in one pack, and index and work tree follow."""
    git = make_repo()
    repo = Repo.find(git.path)
    files = {f"memory/team/pattern/{n % 50:02}/p-{n}.yaml": f"{n}\n".encode() * 20 for n in range(3000)}
    made = _commit(repo, files)
    assert len(list((git.path / ".git/objects/pack").glob("*.pack"))) == 1
    changes = repo.diff(None, made)
    assert write_worktree(repo, changes) == []
    assert refresh_index(repo, changes) == []
    assert clean(git)


def _step(git: Git, before: dict[str, str], after: Mapping[str, bytes | None]) -> tuple[Repo, list]:  # type: ignore[type-arg]
    git.commit("before", before)  # type: ignore[arg-type]
    repo = Repo.find(git.path)
    head = repo.head()
    return repo, repo.diff(head, _commit(repo, after))


def test_index_and_work_tree_follow(make_repo: MakeRepo) -> None:
    """Changed, new and removed files arrive; emptied directories go; git sees nothing left to do."""
    git = make_repo()
    repo, changes = _step(git, {"memory/a": "1", "memory/b/c": "2"}, {"memory/a": b"3", "memory/b/c": None, "log/d/e": b"4"})
    assert write_worktree(repo, changes) == []
    assert refresh_index(repo, changes) == []
    assert clean(git)
    assert not (git.path / "memory/b").exists()
    git("diff-files", "--quiet")


def test_foreign_staged_changes_stay_staged(make_repo: MakeRepo) -> None:
    """Only the committed paths are brought up to date in the index."""
    git = make_repo()
    git.commit("zero", {"other": "0"})
    repo, changes = _step(git, {"memory/a": "1"}, {"memory/a": b"2"})
    write(git.path, "other", "staged")
    git("add", "other")
    write_worktree(repo, changes)
    refresh_index(repo, changes)
    assert git("status", "--porcelain") == "M  other"


def test_a_path_staged_differently_is_left_alone(make_repo: MakeRepo) -> None:
    """What the user staged under the same path is theirs; it is reported."""
    git = make_repo()
    repo, changes = _step(git, {"memory/a": "1", "memory/b": "1"}, {"memory/a": b"2", "memory/b": b"2"})
    write(git.path, "memory/a", "mine")
    git("add", "memory/a")
    assert write_worktree(repo, changes) == ["memory/a"]
    assert refresh_index(repo, changes) == ["memory/a"]
    assert git("show", ":memory/a") == "mine"
    assert (git.path / "memory/a").read_text() == "mine"
    assert git("status", "--porcelain") == "M  memory/a"


def test_an_unmerged_path_is_left_alone(make_repo: MakeRepo) -> None:
    """Stages of a conflict are what heals it; they are not overwritten."""
    git = make_repo()
    repo, changes = _step(git, {"a": "1"}, {"a": b"2"})
    blob = git("rev-parse", "HEAD:a")
    git("update-index", "--index-info", stdin=f"0 {'0' * 40}\ta\n100644 {blob} 2\ta\n100644 {blob} 3\ta\n")
    assert refresh_index(repo, changes) == ["a"]


def test_edited_files_are_not_overwritten(make_repo: MakeRepo) -> None:
    """An edit, a file where a new one belongs, a file where a directory belongs: left, and reported."""
    git = make_repo()
    after = {"memory/a": b"2", "memory/b": None, "memory/new": b"3", "memory/dir/x": b"4", "memory/ok": b"5"}
    repo, changes = _step(git, {"memory/a": "1", "memory/b": "1", "memory/ok": "1"}, after)
    write(git.path, "memory/a", "edited")
    write(git.path, "memory/b", "edited")
    write(git.path, "memory/new", "mine")
    write(git.path, "memory/dir", "a file")
    assert write_worktree(repo, changes) == ["memory/a", "memory/b", "memory/dir/x", "memory/new"]
    assert [(git.path / "memory" / name).read_text() for name in ("a", "b", "new", "dir", "ok")] == [
        "edited",
        "edited",
        "mine",
        "a file",
        "5",
    ]


@pytest.mark.parametrize("link", ["memory", "memory/dir", "memory/dir/a"])
def test_nothing_is_written_or_removed_through_a_link(make_repo: MakeRepo, tmp_path: Path, link: str) -> None:
    """A work tree in which a directory or a file is a link to elsewhere: the target stays as it was."""
    git = make_repo()
    repo, changes = _step(git, {"memory/dir/a": "1", "memory/dir/b": "1"}, {"memory/dir/a": b"2", "memory/dir/b": None})
    target = tmp_path / "elsewhere"
    (git.path / link).rename(target)
    (git.path / link).symlink_to(target)
    left = write_worktree(repo, changes)
    assert "memory/dir/a" in left
    found = {path.read_text() for path in ([target] if target.is_file() else target.rglob("*")) if path.is_file()}
    assert found == {"1"}


def test_directories_above_a_removed_file_are_not_followed(make_repo: MakeRepo, tmp_path: Path) -> None:
    """An empty directory behind a link is not removed with the file that was not there."""
    git = make_repo()
    repo, changes = _step(git, {"memory/dir/a": "1"}, {"memory/dir/a": None})
    (git.path / "memory/dir/a").unlink()
    (git.path / "memory/dir").rmdir()
    (git.path / "memory").rmdir()
    (tmp_path / "elsewhere/dir").mkdir(parents=True)
    (git.path / "memory").symlink_to(tmp_path / "elsewhere")
    write_worktree(repo, changes)
    assert (tmp_path / "elsewhere/dir").is_dir()


def test_special_files_do_not_block(make_repo: MakeRepo) -> None:
    """A named pipe in the place of a file is left alone, and nobody waits for it."""
    git = make_repo()
    repo, changes = _step(git, {"memory/a": "1"}, {"memory/a": b"2"})
    (git.path / "memory/a").unlink()
    os.mkfifo(git.path / "memory/a")
    assert write_worktree(repo, changes) == ["memory/a"]


def test_links_are_never_made(make_repo: MakeRepo) -> None:
    """A link in a commit is not put into the work tree."""
    git = make_repo()
    git.commit("first", {"a": "1"})
    repo = Repo.find(git.path)
    head = repo.head()
    blob = git("hash-object", "-w", "--stdin", stdin="/etc/passwd")
    changes = repo.diff(head, _commit(repo, {"memory/a": BlobRef(blob, "120000")}))
    assert write_worktree(repo, changes) == ["memory/a"]
    assert not os.path.lexists(git.path / "memory/a")


def test_checkout_is_all_or_nothing(make_repo: MakeRepo) -> None:
    """One edited file in the way, and no file is touched; without it all are."""
    git = make_repo()
    repo, changes = _step(git, {"a": "1", "b": "1"}, {"a": b"2", "b": b"2"})
    old, new = git("rev-parse", "HEAD~1", "HEAD").split()
    write(git.path, "b", "mine")
    with pytest.raises(GitmemError, match="b"):
        checkout(repo, old, new)
    assert [(git.path / name).read_text() for name in "ab"] == ["1", "mine"]
    write(git.path, "b", "1")
    checkout(repo, old, new)
    assert clean(git)
    assert len(changes) == 2


def test_a_killed_checkout_is_not_in_its_own_way(make_repo: MakeRepo) -> None:
    """Files that it had written before the index knew of them, new and changed ones, are taken for what they are."""
    git = make_repo()
    repo, changes = _step(git, {"a": "1", "b": "1"}, {"a": b"2", "b": b"2", "new": b"2"})
    old, new = git("rev-parse", "HEAD~1", "HEAD").split()
    write(git.path, "a", "2")
    write(git.path, "new", "2")
    checkout(repo, old, new)
    assert clean(git)
    assert len(changes) == 3
