"""Where a repository's store is: what its configuration says, and the work trees of a store beside code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, UsageError
from gitmem.git.beside import add_worktree, check_branch_name, known_branch, settle_on
from gitmem.git.places import branch_at_work, branches_with_store, chosen, own_tree, rejoin, stores_below, worktree_of
from gitmem.git.remote import Push, Upstream, fetch, push
from gitmem.git.repo import Repo
from tests.support.git import Git

MakeRepo = Callable[..., Git]
MARK = ".gitmem/config.yaml"


@pytest.fixture
def code(make_repo: MakeRepo) -> Git:
    """A code repository with a commit."""
    git = make_repo("code")
    git.commit("code", {"a.py": "1"})
    return git


@pytest.mark.parametrize("prefix", ["", "team/memory/", 'odd "name" #1/', "back\\slash/", "ümläut ; x/"])
def test_the_prefix_is_read_as_git_reads_it(code: Git, prefix: str) -> None:
    """Quotes, comments and escapes that git writes around a value are no part of it."""
    assert chosen(Repo.find(code.path)) == (None, None)
    code("config", "gitmem.prefix", prefix)
    code("config", "merge.gitmem.driver", "x")
    assert chosen(Repo.find(code.path)).prefix == prefix


def test_a_section_written_by_hand(code: Git) -> None:
    """A setting on the line of its section's name, in capitals, counts as well; what is included does not."""
    config = code.path / ".git/config"
    config.write_text(f"{config.read_text()}[GitMem] branch = notes ; mine\n[include]\n\tpath = ../evil\n")
    (code.path / "evil").write_text("[gitmem]\n\tprefix = evil/\n")
    assert chosen(Repo.find(code.path)) == (None, "notes")


def test_a_linked_work_tree_without_a_trace_in_the_code(code: Git) -> None:
    """The branch begins with nothing, and the code's branches, index, work tree and status are as before."""
    repo = Repo.find(code.path)
    before = code("for-each-ref"), code("status", "--porcelain", "--branch"), code("ls-files", "--stage")
    tree = add_worktree(repo, "gitmem", None)
    settle_on(repo, "gitmem", tree)
    assert (tree.branch(), tree.head(), tree.root) == ("gitmem", None, code.path / ".git/gitmem-store")
    assert (code("for-each-ref"), code("status", "--porcelain", "--branch"), code("ls-files", "--stage")) == before
    assert worktree_of(repo, "gitmem") is not None
    assert code("config", "core.hooksPath", check=False) == ""
    assert Git(tree.root)("config", "core.hooksPath") == "../gitmem/hooks"


def test_an_unborn_code_repository(make_repo: MakeRepo) -> None:
    """There need not be any code yet."""
    git = make_repo()
    assert add_worktree(Repo.find(git.path), "gitmem", None).branch() == "gitmem"
    assert git("status", "--porcelain") == ""


def test_a_directory_of_ones_own_choice(code: Git, tmp_path: Path) -> None:
    """Inside the code's work tree it is hidden from `git status`; what is there is not touched."""
    repo = Repo.find(code.path)
    add_worktree(repo, "gitmem", code.path / "no[t]es")
    assert code("status", "--porcelain") == ""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("1")
    with pytest.raises(GitmemError, match="not empty"):
        add_worktree(repo, "other", tmp_path / "full")


def test_the_branch_is_found_in_the_middle_of_a_rebase(code: Git) -> None:
    """HEAD is detached for that time, and commands in the code still find the store."""
    repo = Repo.find(code.path)
    tree = Git(add_worktree(repo, "gitmem", None).root)
    tree.commit("base", {"f": "0"})
    tree("checkout", "--quiet", "-b", "upstream")
    tree.commit("theirs", {"f": "1"})
    tree("checkout", "--quiet", "gitmem")
    tree.commit("ours", {"f": "2"})
    assert tree.run("rebase", "upstream").returncode
    found = worktree_of(repo, "gitmem")
    assert found is not None
    assert (found.branch(), branch_at_work(found)) == (None, "gitmem")
    tree("rebase", "--abort")
    tree("bisect", "start", "gitmem", "gitmem~1")
    assert branch_at_work(found) == "gitmem"


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_repository_in_another_place(code: Git, tmp_path: Path, how: str) -> None:
    """git's links are absolute: they are set right in the new place, and the original's are left alone."""
    tree = Git(add_worktree(Repo.find(code.path), "gitmem", None).root)
    tree.commit("first", {"f": "0"})
    new = tmp_path / "new"
    (code.path.rename if how == "moved" else lambda target: shutil.copytree(code.path, target, symlinks=True))(new)
    repo = Repo.find(new)
    assert worktree_of(repo, "gitmem") is None
    assert rejoin(repo, "other") is None
    joined = rejoin(repo, "gitmem")
    assert joined is not None
    found = worktree_of(repo, "gitmem")
    assert found is not None
    assert found.root == joined.root
    assert Git(joined.root)("rev-parse", "--git-dir") == str(new / ".git/worktrees/gitmem-store")
    if how == "copied":
        assert tree("rev-parse", "--git-dir") == str(code.path / ".git/worktrees/gitmem-store")
        assert worktree_of(Repo.find(code.path), "gitmem") is not None


def test_a_forged_link_is_no_work_tree(code: Git, tmp_path: Path) -> None:
    """A work tree counts only if it and the repository name each other."""
    repo = Repo.find(code.path)
    tree = Git(add_worktree(repo, "gitmem", None).root)
    tree.commit("first", {"f": "0"})
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil/.git").write_text(f"gitdir: {tmp_path}\n")
    (code.path / ".git/worktrees/gitmem-store/gitdir").write_text(f"{tmp_path}/evil/.git\n")
    assert worktree_of(repo, "gitmem") is None
    assert own_tree(repo) is None


def test_a_link_is_not_followed(code: Git, tmp_path: Path) -> None:
    """A repository that somebody sent cannot have us write outside of it."""
    tree = add_worktree(Repo.find(code.path), "gitmem", None)
    Git(tree.root).commit("first", {"f": "0"})
    link = (tree.root / ".git").rename(tmp_path / "mine")
    (tree.root / ".git").symlink_to(link)
    before = link.read_text()
    code.path.rename(tmp_path / "new")
    assert rejoin(Repo.find(tmp_path / "new"), "gitmem") is None
    assert link.read_text() == before


def test_what_a_forgotten_work_tree_held_is_set_aside(code: Git) -> None:
    """Edits that nobody committed are not thrown away with it."""
    repo = Repo.find(code.path)
    tree = Git(add_worktree(repo, "gitmem", None).root)
    tree.commit("first", {"f": "0"})
    (tree.path / "f").write_text("edited")
    shutil.rmtree(code.path / ".git/worktrees")
    assert add_worktree(repo, "gitmem", None).root == tree.path
    assert (tree.path / "f").read_text() == "0"
    assert (code.path / ".git/gitmem-store.old-1/f").read_text() == "edited"


def test_a_work_tree_on_another_branch_is_left_alone(code: Git) -> None:
    """It says how to come back."""
    repo = Repo.find(code.path)
    tree = Git(add_worktree(repo, "gitmem", None).root)
    tree.commit("first", {"f": "0"})
    tree("switch", "--quiet", "-c", "topic")
    with pytest.raises(GitmemError, match="not on the branch gitmem") as raised:
        add_worktree(repo, "gitmem", None)
    assert raised.value.hint == f"git -C {tree.path} switch gitmem"


def test_sparse_code(code: Git) -> None:
    """A code work tree that shows a part of its files does not make the store's do so."""
    code.commit("more", {"src/a": "1", "docs/b": "1"})
    code("sparse-checkout", "set", "src")
    tree = Git(add_worktree(Repo.find(code.path), "gitmem", None).root)
    tree.commit("first", {"memory/team/x": "1", ".gitmem/config.yaml": "1"})
    code("worktree", "remove", tree.path)
    add_worktree(Repo.find(code.path), "gitmem", None)
    assert (tree.path / "memory/team/x").exists()
    assert not (code.path / "docs/b").exists()


def test_the_remotes_branch(code: Git, tmp_path: Path, bare_remote: Path) -> None:
    """It is asked for, made here, and named to those who have not taken it up; whatever the remote is called."""
    code("push", "--quiet", bare_remote, "main")
    code("checkout", "--quiet", "--orphan", "notes")
    code.commit("a store", {MARK: "1"})
    code("push", "--quiet", bare_remote, "notes")
    Git(tmp_path)("clone", "--quiet", "--origin", "team", "--branch", "main", bare_remote, "clone")
    repo = Repo.find(tmp_path / "clone")
    assert branches_with_store(repo) == ["notes"]
    assert known_branch(repo, "absent") is None
    assert known_branch(repo, "notes") == code("rev-parse", "notes") == repo.ref("refs/heads/notes")


def test_stores_below(code: Git) -> None:
    """Every directory that holds a store, in the index and in a commit."""
    code.commit("stores", {MARK: "1", f"b/c/{MARK}": "1", f"a/{MARK}x": "1", "x.gitmem/config.yaml": "1"})
    repo = Repo.find(code.path)
    assert stores_below(repo) == stores_below(repo, "HEAD") == ["", "b/c/"]


@pytest.mark.parametrize("name", ["", "-x", "a..b", "a b", "a.lock", "refs/../x", "@{"])
def test_what_cannot_be_a_branch(code: Git, name: str) -> None:
    """Refused before anything is made."""
    with pytest.raises(UsageError):
        check_branch_name(Repo.find(code.path), name)


def test_a_remote_at_a_relative_path(code: Git, bare_remote: Path) -> None:
    """It is read from where the code lies, also for the store's work tree."""
    tree = add_worktree(Repo.find(code.path), "gitmem", None)
    commit = Git(tree.root).commit("first", {"f": "0"})
    code("remote", "add", "origin", "../remote.git")
    source = Upstream("origin", "refs/heads/gitmem", "refs/remotes/origin/gitmem")
    assert push(tree, source, commit).outcome is Push.OK
    assert fetch(tree, source).commit == commit
    assert Git(bare_remote)("rev-parse", "gitmem") == commit
