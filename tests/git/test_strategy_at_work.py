"""The strategy among a person's unfinished things: refusals, what is put back on a list, and what lies in the work tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit
from gitmem.core.merge import merge
from gitmem.errors import Locked
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from gitmem.git.trees import merge_trees
from gitmem.git.worktree import checkout
from tests.git.stores import changed, clean, found_store, path_of, put, record, tree, two_branches, values
from tests.support.git import Git
from tests.support.stores import EFFORT

MakeRepo = Callable[..., Git]
BASE = record(1)
OURS = changed(BASE, "bbbbbbbb-1", count=2, fix="ours")
THEIRS = changed(BASE, "cccccccc-1", count=3, fix="theirs")
JOINED = emit(merge(OURS, THEIRS))
PATH = path_of(BASE)
ADDED = path_of(record(9))


def _with_other_files(git: Git) -> None:
    """Both sides have changed the record and README in the same line; `side` has two commits."""
    (git.path / "README").write_text("base\n")
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    put(git, THEIRS)
    git.commit("theirs", {"README": "theirs\n"})
    put(git, record(9))
    git.commit("added")
    git("checkout", "--quiet", "main")
    put(git, OURS)
    git.commit("ours", {"README": "ours\n"})


def _in_the_way(git: Git) -> Path:
    """An untracked file where the second commit of `side` adds a record."""
    mine = git.path / ADDED
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine\n")
    return mine


def test_merge_abort(quick_repo: MakeRepo) -> None:
    """After conflicts in other files `merge --abort` brings all back, the store's merged files included."""
    git = quick_repo()
    _with_other_files(git)
    (git.path / "draft.txt").write_text("untracked\n")
    before = tree(git)
    assert git.run("merge", "--no-edit", "side").returncode == 1
    assert (git.path / PATH).read_bytes() == JOINED
    git("merge", "--abort")
    assert git("status", "--porcelain") == "?? draft.txt"
    assert {path: (git.path / path).read_text() for path in before} == before


@pytest.mark.parametrize("end", ["--continue", "--abort", "--skip"] if EFFORT > 1 else ["--continue", "--abort"])
@pytest.mark.parametrize("command", ["rebase", "cherry-pick"])
def test_conflicts_in_a_list_of_commits(quick_repo: MakeRepo, command: str, end: str) -> None:
    """A stop for other files' conflicts ends as git's own does, and markers name the commit as git's do."""
    git = quick_repo()
    _with_other_files(git)
    git("checkout", "--quiet", "-b", "topic", "side" if command == "rebase" else "main")
    head = git("rev-parse", "HEAD")
    name = f"{git('rev-parse', '--short', 'side~1')} (theirs)"
    assert git.run(command, "main" if command == "rebase" else "main..side").returncode == 1
    assert (git.path / "README").read_text() == f"<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> {name}\n"
    if end == "--continue":
        (git.path / "README").write_text("settled\n")
        git("add", "README")
    git("-c", "core.editor=true", command, end)
    assert clean(git)
    if end == "--abort":
        assert git("rev-parse", "HEAD") == head
    else:
        assert ADDED in tree(git)
        assert tree(git)[PATH].encode() == (JOINED if end == "--continue" else emit(OURS))


@pytest.mark.parametrize("command", ["rebase", "cherry-pick"])
def test_a_refused_commit_is_not_skipped(quick_repo: MakeRepo, command: str) -> None:
    """A commit that could not be applied, for an untracked file is in the way, is applied by `--continue`."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("checkout", "--quiet", "side")
    put(git, record(9))
    git.commit("added")
    git("checkout", "--quiet", "main")
    if command == "rebase":
        git("checkout", "--quiet", "side")
        editor = f"sequence.editor=sed -i '1a exec mkdir -p $(dirname {ADDED}) && echo mine > {ADDED}'"
        done = git.run("-c", editor, "rebase", "--interactive", "main")
    else:
        _in_the_way(git)
        done = git.run("cherry-pick", "main..side")
    assert done.returncode != 0
    assert b"this commit is on the list again" in done.stderr
    assert b"`git cherry-pick --continue`" in done.stderr
    assert (git.path / ADDED).read_text() == "mine\n"
    assert git.run(command, "--continue").returncode != 0  # it is still in the way
    (git.path / ADDED).unlink()
    git("-c", "core.editor=true", command, "--continue")
    assert tree(git)[ADDED].encode() == emit(record(9))
    assert tree(git)[PATH].encode() == JOINED
    assert git("log", "--format=%s", "-2").split() == ["added", "theirs"]


def test_a_refused_merge_during_a_rebase_puts_nothing_on_its_list(quick_repo: MakeRepo) -> None:
    """Somebody who merges by hand while a rebase waits has nothing to do with the rebase's list."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [record(9)])
    git("checkout", "--quiet", "-b", "topic", "main")
    git("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "--quiet", "--interactive", "--no-ff", "main~1")
    _in_the_way(git)
    todo = (git.path / ".git/rebase-merge/git-rebase-todo").read_text()
    assert git.run("merge", "--no-edit", "side").returncode == 2
    assert (git.path / ".git/rebase-merge/git-rebase-todo").read_text() == todo


def test_a_directory_against_a_file_stops_a_rebase_with_a_conflict(quick_repo: MakeRepo) -> None:
    """What no merge of ours can settle is git's to show, as a conflict that a person settles."""
    git = quick_repo()
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    git("rm", "--quiet", "-r", "memory")
    git.commit("theirs", {"memory": "a file\n"})
    git("checkout", "--quiet", "main")
    put(git, OURS, record(2))
    git.commit("ours")
    assert git.run("cherry-pick", "side").returncode == 1
    assert git("diff", "--name-only", "--diff-filter=U") != ""
    git("cherry-pick", "--abort")
    assert git("status", "--porcelain", "--untracked-files=no") == ""


_TRAP = """\
import sys
class Trap:
    def find_spec(self, name, *_):
        if name == 'gitmem.git.merging':
            {}
sys.meta_path.insert(0, Trap())
"""


@pytest.mark.parametrize(
    "fault", ["import nowhere", "raise MemoryError", "raise KeyboardInterrupt", "raise OSError(28, 'full')"]
)
def test_a_fault_is_never_taken_for_a_merge(quick_repo: MakeRepo, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in the strategy, git does not wait for somebody to commit our side as the result."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    broken = git.path.parent / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(_TRAP.format(fault))
    monkeypatch.setenv("PYTHONPATH", str(broken))
    done = git.run("merge", "--no-edit", "side")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert not (git.path / ".git/MERGE_HEAD").exists()
    assert clean(git)


def test_squash_and_no_commit(quick_repo: MakeRepo) -> None:
    """The merged files are staged, and nothing else happens."""
    for option, merging in (("--squash", False), ("--no-commit", True)):
        git = quick_repo(option)
        two_branches(git, [BASE], [OURS], [THEIRS])
        git("merge", "--quiet", "--no-ff" if merging else "--ff", option, "side")
        assert git("status", "--porcelain") == f"M  {PATH}"
        assert (git.path / PATH).read_bytes() == JOINED
        assert (git.path / ".git/MERGE_HEAD").exists() == merging
        git("commit", "--quiet", "--message", "done")
        assert tree(git)[PATH].encode() == JOINED


def test_fast_forward_only(quick_repo: MakeRepo) -> None:
    """`--ff-only` refuses before the strategy is asked."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    head = git("rev-parse", "HEAD")
    assert git.run("merge", "--ff-only", "side").returncode != 0
    assert git("rev-parse", "HEAD") == head
    assert clean(git)


@pytest.mark.parametrize("command", [("merge", "--no-edit"), ("rebase",)])
def test_autostash(quick_repo: MakeRepo, command: tuple[str, ...]) -> None:
    """An uncommitted record and file are put aside, and joined to what came in."""
    git = quick_repo()
    (git.path / "notes.txt").write_text("base\n")
    two_branches(git, [BASE], [OURS], [THEIRS])
    mine = changed(OURS, "dddddddd-1", meaning="mine")
    put(git, mine)
    (git.path / "notes.txt").write_text("mine\n")
    git(*command, "--autostash", "--quiet", "side")
    assert (git.path / PATH).read_bytes() == emit(merge(mine, THEIRS))
    assert (git.path / "notes.txt").read_text() == "mine\n"
    assert tree(git)[PATH].encode() == JOINED


@pytest.mark.parametrize("strategy", ["gitmem", "ort"])
def test_intent_to_add(quick_repo: MakeRepo, strategy: str) -> None:
    """With a file announced by `git add -N` git refuses every merge, before any strategy is asked; `gitmem sync` does not."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    (git.path / "draft.txt").write_text("draft\n")
    git("add", "--intent-to-add", "draft.txt")
    assert git.run("merge", "-s", strategy, "--no-edit", "side").returncode == 128
    assert (git.path / "draft.txt").read_text() == "draft\n"
    repo = Repo.find(git.path)
    merged = merge_trees(repo, repo.merge_bases("main", "side"), "main", "side").tree
    assert merged
    checkout(repo, "main", merged)
    assert (git.path / PATH).read_bytes() == JOINED
    assert (git.path / "draft.txt").read_text() == "draft\n"


@pytest.mark.parametrize("cone", [True, False])
def test_sparse_checkout(quick_repo: MakeRepo, cone: bool) -> None:
    """Records that are not checked out are merged as well, and stay out of the work tree."""
    git = quick_repo()
    (git.path / "docs").mkdir()
    (git.path / "docs/a.txt").write_text("base\n")
    two_branches(git, [BASE], [OURS], [THEIRS, record(9)])
    git("sparse-checkout", "set", *(["--cone", "--sparse-index", "docs"] if cone else ["--no-cone", "/docs/"]))
    assert not (git.path / PATH).exists()
    git("merge", "--quiet", "--no-edit", "side")
    assert tree(git)[PATH].encode() == JOINED
    assert ADDED in tree(git)
    assert clean(git)
    assert not (git.path / PATH).exists()


def test_another_git_at_work(quick_repo: MakeRepo) -> None:
    """It holds the index: nothing of the user's is in the way, and whoever waits may try again."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    (git.path / ".git/index.lock").touch()
    with pytest.raises(Locked, match=r"at work here: Unable to create '.*index\.lock': File exists\.$"):
        checkout(Repo.find(git.path), "main", "side")


def test_submodules_are_left_alone(quick_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge moves a submodule's entry as git does, and does not touch what is checked out in it."""
    library = quick_repo("library")
    first = library.commit("one", {"code.c": "1\n"})
    git = quick_repo()
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    git("submodule", "add", "--quiet", library.path, "vendor")
    git.commit("module")
    git("config", "submodule.recurse", "true")
    second = library.commit("two", {"code.c": "2\n"})
    two_branches(git, [BASE], [OURS], [])
    git("checkout", "--quiet", "side")
    Git(git.path / "vendor")("fetch", "--quiet")
    Git(git.path / "vendor")("checkout", "--quiet", second)
    put(git, THEIRS)
    git.commit("theirs")
    git("checkout", "--quiet", "main")
    assert Git(git.path / "vendor")("rev-parse", "HEAD") == first
    (git.path / "vendor/code.c").write_text("mine\n")
    git("merge", "--quiet", "--no-edit", "side")
    assert git.raw("show", f"HEAD:{PATH}") == JOINED
    assert git("rev-parse", "HEAD:vendor") == second
    assert (git.path / "vendor/code.c").read_text() == "mine\n"


def test_a_wrong_resolution_that_git_remembers(quick_repo: MakeRepo) -> None:
    """With rerere a conflict that somebody settled wrongly, before gitmem was set up, is not settled so again."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS], driver=False)
    git("config", "rerere.enabled", "true")
    git("config", "rerere.autoUpdate", "true")
    git.run("merge", "--no-edit", "side")
    (git.path / PATH).write_bytes(emit(OURS))  # theirs dropped
    git.commit("wrong")
    git("reset", "--quiet", "--hard", "HEAD~1")
    configure(Repo.find(git.path))
    for key in ("pull.twohead", "merge.gitmem.name"):
        git("merge", "--quiet", "--no-edit", "side")
        assert tree(git)[PATH].encode() == JOINED
        git("reset", "--quiet", "--hard", "HEAD~1")
        git("config", "--unset", key)  # then once more by the driver
    assert values(JOINED, "fix") == ["ours", "theirs"]


def test_nothing_of_a_store_is_gits_alone(quick_repo: MakeRepo) -> None:
    """In a branch without a store, `memory` is any directory: conflicts, renames and markers are git's own."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    reference = quick_repo("reference")
    for one in (git, reference):
        one("checkout", "--quiet", "--orphan", "code")
        one("rm", "--quiet", "-r", "--force", "--ignore-unmatch", ".")
        text = "".join(f"line {number}\n" for number in range(30))
        one.commit("base", {"memory/a.yaml": text, "log/b": text, "code.c": text, "old/x": "x\n", "old/y": "y\n"})
        one("branch", "other")
        one("mv", "code.c", "renamed.c")
        one("mv", "old", "new")
        one.commit("mine", {"memory/a.yaml": text.replace("line 3\n", "mine\n"), "log/b": text.replace("line 3\n", "mine\n")})
        one("checkout", "--quiet", "other")
        one.commit("yours", {"memory/a.yaml": text.replace("line 3\n", "yours\n"), "code.c": text + "yours\n", "old/z": "z\n"})
        one("checkout", "--quiet", "code")
        assert one.run("merge", "--no-edit", "other").returncode == 1
    assert git("ls-files", "--stage") == reference("ls-files", "--stage")
    assert (git.path / "memory/a.yaml").read_text() == (reference.path / "memory/a.yaml").read_text()
    assert git("status", "--porcelain") == reference("status", "--porcelain")


def test_the_environment_of_git_is_not_ours(quick_repo: MakeRepo) -> None:
    """GIT_DIR and GIT_WORK_TREE are followed."""
    git = quick_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    elsewhere = Git(git.path.parent)
    elsewhere("--git-dir", git.path / ".git", "--work-tree", git.path, "merge", "--quiet", "--no-edit", "side")
    assert tree(git)[PATH].encode() == JOINED
    assert clean(git)
    assert [path.name for path in git.path.parent.iterdir()] == ["repo"]
