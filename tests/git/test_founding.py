"""Where a store may be founded: what is somebody else's is neither touched nor taken along, and every refusal is clear."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, NoStore, RemoteError
from gitmem.git.beside import add_worktree
from gitmem.git.repo import Repo
from gitmem.memory.founding.branching import init_branch
from gitmem.memory.founding.found import Founded, init
from gitmem.memory.members.person import Person
from gitmem.memory.memory import Memory
from gitmem.store.place import local_of
from tests.git.stores import write
from tests.support.cli import Cli
from tests.support.git import Git
from tests.support.stores import founded_here, open_memory, person

MakeRepo = Callable[..., Git]
LESSON = {"pattern": "no such host", "fix": "check the VPN"}


def beside(path: Path, branch: str = "gitmem", who: Person | None = None) -> Founded:
    """Found a plain store on a branch of its own."""
    return init_branch(path, branch, who or person(), plain=True, name="ada")


@pytest.fixture
def code(make_repo: MakeRepo) -> Git:
    """A code repository with a commit."""
    git = make_repo("code")
    git.commit("code", {"a.py": "1"})
    return git


def _state(git: Git) -> tuple[str, ...]:
    """All that a refusal must leave as it was."""
    return git("status", "--porcelain", "--branch", "--ignored"), git("for-each-ref"), git("ls-files", "--stage")


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", ["memory/cache.py", "log/today", ".gitmem/mine.txt", ".gitmem/config.yaml", "memory"])
def test_foreign_files_in_the_way(code: Git, name: str, tracked: bool) -> None:
    """They are named with both ways out, and stay; each way out works."""
    (code.path / name).parent.mkdir(exist_ok=True)
    (code.path / name).write_text("mine")
    if tracked:
        code.commit("mine")
        if name.endswith("config.yaml"):
            pytest.skip("a tracked configuration is a store's, if a broken one")
    before = _state(code)
    with pytest.raises(GitmemError, match=name.partition("/")[0]) as raised:
        founded_here(code.path, plain=True)
    assert "init DIR" in raised.value.hint
    assert "--branch NAME" in raised.value.hint
    assert _state(code) == before
    assert (code.path / name).read_text() == "mine"
    beside(code.path)
    assert _state(code)[0] == before[0]


def test_files_that_are_tracked_but_not_here(code: Git) -> None:
    """A directory whose files are deleted in the work tree only is somebody's still."""
    code.commit("mine", {"memory/x": "1"})
    (code.path / "memory/x").unlink()
    with pytest.raises(GitmemError, match="memory/x"):
        founded_here(code.path, plain=True)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """The same before a repository is made: nothing is."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log/x").write_text("1")
    with pytest.raises(GitmemError, match="log/"):
        founded_here(tmp_path, plain=True)
    assert not (tmp_path / ".git").exists()


def test_a_new_repository_goes_again(cli: Cli, tmp_path: Path) -> None:
    """Where the founding fails, what was made for it is not left, and what was there before is."""
    there = tmp_path / "there"
    there.mkdir()
    for place in (tmp_path / "new", there):
        refused = cli("init", place, "--name", "ada", env={"GITMEM_IDENTITY_CMD": "false"}).expect(12)
        assert "GITMEM_IDENTITY_CMD" in refused.err
    assert list(tmp_path.glob("[nt]*")) == [there]
    assert list(there.iterdir()) == []


def test_staged_and_dirty_files_stay_out_of_the_founding_commit(code: Git) -> None:
    """What is on its way into somebody's own commit stays there."""
    (code.path / "a.py").write_text("2")
    (code.path / "b.py").write_text("1")
    code("add", "b.py")
    before = _state(code)
    founded_here(code.path / "sub/store", plain=True)
    assert _state(code)[0] == before[0]
    assert {path.partition("/")[0] for path in code("show", "--format=", "--name-only", "HEAD").splitlines()} == {"sub"}


@pytest.mark.parametrize("staged", [True, False])
def test_attributes_that_are_not_committed(code: Git, staged: bool) -> None:
    """The store adds lines to .gitattributes: somebody's own must not slip in with them."""
    (code.path / ".gitattributes").write_text("*.py text\n")
    if staged:
        code("add", ".gitattributes")
    with pytest.raises(GitmemError, match=r"\.gitattributes has changes"):
        founded_here(code.path, plain=True)
    code.commit("attributes")
    founded_here(code.path, plain=True)
    assert code("show", "HEAD:.gitattributes").startswith("*.py text\nmemory/**")


def test_a_detached_head(code: Git) -> None:
    """A store there would belong to no branch; one on a branch of its own does not mind."""
    code("checkout", "--quiet", "--detach")
    with pytest.raises(GitmemError, match="detached"):
        founded_here(code.path, plain=True)
    assert code("status", "--porcelain") == ""
    assert beside(code.path).branch == "gitmem"


def test_an_unborn_branch(make_repo: MakeRepo) -> None:
    """Staged files stay staged beside the first commit."""
    git = make_repo()
    (git.path / "a.py").write_text("1")
    git("add", "a.py")
    founded_here(git.path, plain=True)
    assert git("status", "--porcelain") == "A  a.py"


@pytest.mark.parametrize("place", ["", "hooks", "inside/new"])
def test_a_bare_repository(tmp_path: Path, bare_remote: Path, place: str) -> None:
    """It has no work tree."""
    with pytest.raises(NoStore, match="bare"):
        founded_here(bare_remote / place, plain=True)
    with pytest.raises(NoStore, match="bare"):
        beside(bare_remote)
    assert not (bare_remote / "inside").exists()


def test_a_submodule(code: Git, make_repo: MakeRepo) -> None:
    """It is a repository like any other; what is around it does not change."""
    other = make_repo("other")
    other.commit("library", {"lib.py": "1"})
    code("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.path, "library")
    code.commit("a submodule")
    founded_here(code.path / "library/store", plain=True)
    assert code("status", "--porcelain") == " M library"
    with Memory.open(code.path / "library") as memory:
        memory.learn("pattern", LESSON)
        memory.commit()
        assert memory.verify().ok
    assert Git(code.path / "library")("status", "--porcelain") == ""


def test_an_ignored_directory(code: Git) -> None:
    """What git ignores would not be shared."""
    code.commit("ignore", {".gitignore": "build/\n"})
    with pytest.raises(GitmemError, match="ignored"):
        founded_here(code.path / "build/store", plain=True)
    assert not (code.path / "build").exists()


def test_a_second_store(code: Git) -> None:
    """One is enough, in whatever shapes, and also where this clone was not set up for the first."""
    founded_here(code.path / "one", plain=True)
    for attempt in (
        lambda: founded_here(code.path / "two", plain=True),
        lambda: founded_here(code.path, plain=True),
        lambda: beside(code.path),
    ):
        with pytest.raises(GitmemError, match="a store already"):
            attempt()
    fresh = code.clone(code.path.parent / "fresh")
    with pytest.raises(GitmemError, match="a store already: one"):
        founded_here(fresh.path / "two", plain=True)
    code("checkout", "--quiet", "-b", "old", "HEAD~1")
    with pytest.raises(GitmemError, match="not checked out"):
        founded_here(code.path / "two", plain=True)


def test_a_second_branch(code: Git) -> None:
    """A store beside the code is the only one, too; done again, it says where it is."""
    beside(code.path)
    with pytest.raises(GitmemError, match="on the branch gitmem"):
        beside(code.path, "other")
    with pytest.raises(GitmemError, match="on the branch gitmem"):
        founded_here(code.path / "sub", plain=True)
    with pytest.raises(GitmemError, match="holds a gitmem store already"):
        beside(code.path)


def test_a_branch_that_is_something_else(code: Git) -> None:
    """It is left alone."""
    with pytest.raises(GitmemError, match="holds no gitmem store"):
        beside(code.path, "main")
    assert code("config", "--get-regexp", "^gitmem", check=False) == ""
    assert not (code.path / ".git/gitmem-store").exists()


def test_a_remote_that_does_not_answer(code: Git, tmp_path: Path) -> None:
    """The team's store may be there: nothing is founded beside it."""
    code("remote", "add", "origin", tmp_path / "gone.git")
    before = _state(code)
    with pytest.raises(RemoteError):
        beside(code.path)
    assert _state(code) == before
    assert not (code.path / ".git/worktrees").exists()


def test_a_founding_that_fails(code: Git, tmp_path: Path) -> None:
    """Nothing of it stays, and the next try succeeds."""
    (tmp_path / ".config/gitmem").mkdir(parents=True)
    (tmp_path / ".config/gitmem/identity.txt").write_text("no key\n")
    who = Person([], {"XDG_CONFIG_HOME": str(tmp_path / ".config")}, tmp_path)
    before = _state(code)
    for attempt in (lambda: beside(code.path, who=who), lambda: init(code.path / "sub", who, plain=True, name="ada")):
        with pytest.raises(GitmemError, match="no usable identity"):
            attempt()
    assert _state(code) == before
    assert not (code.path / ".git/gitmem-store").exists()
    assert beside(code.path).taken_up is False


def test_a_founding_that_was_killed(code: Git) -> None:
    """A work tree and an unborn branch are what it left at worst: it is begun anew there."""
    beside(code.path)
    tree = Git(code.path / ".git/gitmem-store")
    tree("update-ref", "-d", "refs/heads/gitmem")
    tree("read-tree", "--empty")
    made = beside(code.path)
    assert made.taken_up is False
    assert tree("rev-list", "--count", "HEAD") == "1"
    with Memory.open(code.path) as memory:
        assert memory.verify().ok


@pytest.mark.parametrize("branch", ["gitmem", "other"])
def test_a_work_tree_that_was_only_begun(code: Git, branch: str) -> None:
    """Killed between git's two steps: the next try goes on, under whatever name."""
    add_worktree(Repo.find(code.path), "gitmem", None)
    tree = Git(code.path / ".git/gitmem-store")
    tree("update-ref", "--no-deref", "HEAD", tree("commit-tree", "-m", "x", tree("hash-object", "-t", "tree", "-w", "--stdin")))
    tree("checkout", "--quiet", "--detach")
    assert beside(code.path, branch).branch == branch
    assert tree("branch", "--show-current") == branch


def test_acknowledged_writes_outlive_a_founding_elsewhere(code: Git) -> None:
    """On a branch without the store, `init` does not clear away what the store's journal holds."""
    founded_here(code.path, plain=True)
    with open_memory(code.path) as memory:
        memory.learn("pattern", LESSON)
    code("checkout", "--quiet", "-b", "old", "HEAD~1")
    with pytest.raises(GitmemError):
        founded_here(code.path, plain=True)
    code("checkout", "--quiet", "main")
    with open_memory(code.path) as memory:
        assert memory.status().records == 1


def test_what_waits_in_a_removed_work_tree_is_taken_over(code: Git, tmp_path: Path) -> None:
    """A count that was acknowledged in a linked work tree of any store is neither lost nor counted twice."""
    founded_here(code.path, plain=True)
    with open_memory(code.path) as memory:
        record = memory.learn("pattern", LESSON).id
        memory.commit()
    code("worktree", "add", "--quiet", "-b", "side", tmp_path / "linked")
    with open_memory(tmp_path / "linked") as memory:
        memory.used(record, fixed=True)
        theirs = memory.context.store.local
        memory.learn("pattern", {"pattern": "only here", "fix": "x"})
    with open_memory(code.path) as memory:
        memory.used(record, fixed=False)
        memory.edit(record, {"fix": "restart the VPN"})
    code("worktree", "remove", "--force", tmp_path / "linked")
    with open_memory(code.path) as memory:
        usage = memory.get(record).usage
        assert (usage.fixed, usage.failed) == (1, 1)
        assert memory.get(record).fields["fix"] == "restart the VPN"
        assert memory.status().records == 2
    assert not (theirs / "journal").exists()
    with open_memory(code.path) as memory:
        memory.commit()
        assert memory.verify().problems == []
        assert memory.get(record).usage.fixed == 1
    assert local_of(Repo.find(code.path)) == code.path / ".git/gitmem"


def test_leftovers_in_a_directory_that_is_ignored(code: Git) -> None:
    """Where .gitignore names `log/`, a segment that a killed commit left is found and dropped all the same."""
    code.commit("ignore", {".gitignore": "log/\n*.yaml\n"})
    founded_here(code.path / "store", plain=True)
    with open_memory(code.path) as memory:
        writer = memory.context.store.replica.writer
        left = code.path / f"store/log/audit/{writer}/000/000002.jsonl"
        left.write_bytes((left.parent / "000001.jsonl").read_bytes())
        memory.learn("pattern", LESSON)
        memory.commit()
        assert memory.verify().problems == []
    assert code("status", "--porcelain", "--ignored", "--untracked-files=all") == ""


def test_finding_a_store_starts_no_process(code: Git) -> None:
    """A cold match in the code does nothing else with git, in whichever shape."""
    beside(code.path)
    probe = "import sys; from pathlib import Path; from gitmem.store.place import find_place; find_place(Path('.'))"
    check = f"{probe}; sys.exit('subprocess' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=code.path, check=False).returncode == 0


def test_the_check_in_a_clone_that_was_not_set_up(code: Git) -> None:
    """The pre-commit framework runs it at the top: the store in a directory is found in the index."""
    founded_here(code.path / "team/store", plain=True)
    clone = code.clone(code.path.parent / "clone")
    write(clone.path, "team/store/memory/stray", "1")
    clone("add", "--all")
    cli = Cli(clone.path)
    refused = cli("hooks", "run", "pre-commit").expect(13)
    assert "git rm --cached team/store/memory/stray" in refused.err
    clone("rm", "--quiet", "--cached", "team/store/memory/stray")
    cli("hooks", "run", "pre-commit").ok()
    assert "team/store" in cli("audit", "verify").expect(10).err
    cli("audit", "verify", "-C", "team/store").ok()


def test_hints_name_the_work_tree_beside_the_code(code: Git) -> None:
    """What is under way there is not under way in the directory the person is in."""
    beside(code.path)
    tree = Git(code.path / ".git/gitmem-store")
    tree("checkout", "--quiet", "-b", "side")
    tree.commit("theirs", {"f": "1"})
    tree("checkout", "--quiet", "gitmem")
    tree.commit("ours", {"f": "2"})
    tree("merge", "side", check=False)
    with Memory.open(code.path) as memory:
        memory.learn("pattern", LESSON)
        with pytest.raises(GitmemError) as raised:
            memory.commit()
    assert f"git -C {tree.path} merge" in raised.value.hint
