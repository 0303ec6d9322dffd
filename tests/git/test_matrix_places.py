"""Repositories of other shapes: linked work trees, shallow and partial clones, borrowed objects, bundles, submodules."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem.core.codec import parse
from gitmem.errors import GitmemError, NoStore
from gitmem.git.repo import Repo
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.founding.found import prepare_clone
from gitmem.memory.memory import Memory
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory, share

LEARNT = {"pattern": "no route to host", "fix": "plug it in"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty directory, in memory if the machine has a disk there."""
    path = Path(tempfile.mkdtemp(prefix="gitmem-places-", dir=MEMORY_DISK))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def origin(folder: Path) -> Path:
    """A bare remote with a plain store of a few commits, made in `folder/ada`; it serves partial clones."""
    remote = folder / "remote.git"
    Git(folder)("init", "--quiet", "--bare", remote)
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        Git(remote)("config", key, "true")
    found(folder / "ada", plain=True)
    share(folder / "ada", remote)
    with open_memory(folder / "ada") as ada:
        record = ada.learn("pattern", LEARNT).id
        ada.sync()
        ada.edit(record, {"fix": "plug it in again"})
        ada.sync()
    return remote


def _clone(folder: Path, *options: str | Path) -> Path:
    """A clone at `folder/ben`, set up as `gitmem clone` does it."""
    Git(folder)("clone", "--quiet", *options, (folder / "remote.git").as_uri(), "ben")
    prepare_clone(Repo.find(folder / "ben"), folder / "ben")
    return folder / "ben"


def _record(memory: Memory) -> str:
    return str(memory.match("no route to host")[0].id)


def _write_on_both_sides(folder: Path, ben: Path) -> None:
    """Ada and Ben both count, and write to the same field; both sync until they agree, and nothing is lost."""
    with open_memory(folder / "ada") as one, open_memory(ben) as other:
        record = _record(one)
        one.edit(record, {"fix": "ada's"})
        one.used(record, fixed=True)
        one.sync()
        other.edit(record, {"fix": "ben's"})
        other.used(record, fixed=True)
        for memory in (other, one, other):
            memory.sync()
        for memory in (one, other):
            shown = memory.get(record)
            assert sorted(str(value.value) for value in shown.conflicts["fix"]) == ["ada's", "ben's"]
            assert shown.usage.fixed == 2
        assert Git(folder / "ada")("rev-parse", "HEAD") == Git(ben)("rev-parse", "HEAD")
        assert one.verify().problems == []


@pytest.mark.parametrize(
    "options",
    [["--depth", "1"], ["--filter=blob:none"], ["--reference", "ada"], *([["--filter=tree:0"]] if EFFORT > 1 else [])],
    ids=" ".join,
)
def test_clones(folder: Path, origin: Path, options: list[str]) -> None:
    """A clone without the past, without the contents, with another's objects or with few files checked out syncs like any."""
    assert origin.exists()
    ben = _clone(folder, *options)
    _write_on_both_sides(folder, ben)


@pytest.mark.parametrize("options", [["--cone"], ["--no-cone", "/.gitmem/", "/log/"]], ids=" ".join)
def test_a_sparse_checkout(folder: Path, origin: Path, options: list[str]) -> None:
    """Where records, or the log and who it lets in, are not checked out, nothing is committed, healed or taken for gone.

    The hint names the way, `doctor` as well; then it goes on.
    """
    assert origin.exists()
    ben = Git(_clone(folder))
    ben("sparse-checkout", "set", *options)
    head = ben("rev-parse", "HEAD")
    with Memory.open(ben.path, reopen=True) as memory:
        memory.learn("note", {"type": "semantic", "text": "of Ben's"})
        for act in (memory.sync, memory.commit):
            with pytest.raises(GitmemError, match="sparse checkout") as raised:
                act()
        checks = {check.name: check for check in doctor(memory.context, fix=True)}
        assert "sparse checkout" in checks["work tree"].why
        assert ben("rev-parse", "HEAD") == head
        ben(*raised.value.hint.split("`")[1].split()[1:])
        assert memory.sync().problems == []
        assert [check.name for check in doctor(memory.context) if not check.ok] == []
        assert memory.verify().problems == []
    with open_memory(folder / "ada") as ada:
        assert ada.sync().pulled == 1
        assert ada.get(_record(ada)).fields["fix"] == "plug it in again"


def test_plain_git_in_a_shallow_clone(folder: Path, origin: Path) -> None:
    """`git pull` merges there as well: the commit that the clone begins with is the base."""
    assert origin.exists()
    ben = _clone(folder, "--depth", "1")
    with open_memory(folder / "ada") as one, open_memory(ben) as other:
        record = _record(one)
        one.edit(record, {"fix": "ada's"})
        one.sync()
        other.edit(record, {"fix": "ben's"})
        other.commit()
        Git(ben)("pull", "--quiet", "--no-rebase", "--no-edit")
        assert len(other.get(record).conflicts["fix"]) == 2
        other.sync()
        one.sync()
    assert Git(folder / "ada")("rev-parse", "HEAD") == Git(ben)("rev-parse", "HEAD")


def test_partial_clone_merges_many_records(folder: Path, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contents that are needed for a merge are fetched on the way, all at once."""
    assert origin.exists()
    ben = _clone(folder, "--filter=blob:none")
    with open_memory(folder / "ada") as one, open_memory(ben) as other:
        names = [one.learn("pattern", {"pattern": f"error number {n}", "fix": "x"}).id for n in range(20)]
        one.sync()
        other.sync()
        for memory, fix in ((one, "ada's"), (other, "ben's")):
            for name in names:
                memory.edit(name, {"fix": fix})
            memory.commit()
        one.sync()
        Git(ben)("fetch", "--quiet")
        with monkeypatch.context() as traced:
            traced.setenv("GIT_TRACE", str(folder / "trace"))
            Git(ben)("merge", "--quiet", "--no-edit", "origin/main")
        assert 1 <= (folder / "trace").read_text().count("built-in: git fetch") <= 3
        assert all(len(other.get(name).conflicts["fix"]) == 2 for name in names)


def test_linked_work_trees_write_under_names_of_their_own(folder: Path, origin: Path) -> None:
    """Two work trees of one clone are two replicas: what both count is there once each after plain git merged them."""
    assert origin.exists()
    git = Git(folder / "ada")
    git("worktree", "add", "--quiet", "-b", "other", folder / "linked")
    with open_memory(folder / "ada") as one, open_memory(folder / "linked") as other:
        record = _record(one)
        writers = set()
        for memory in (one, other):
            memory.used(record, fixed=True)
            memory.edit(record, {"fix": f"by {memory.context.store.root.name}"})
            memory.commit()
            writers.add(memory.context.store.replica.writer)
        assert len(writers) == 2
        git("merge", "--quiet", "--no-edit", "other")
        Git(folder / "linked")("merge", "--quiet", "--no-edit", "main")
        for memory in (one, other):
            assert memory.get(record).usage.fixed == 2
            assert len(memory.get(record).conflicts["fix"]) == 2
        assert one.verify().problems == []


def test_a_bundle_carries_a_store(folder: Path, origin: Path) -> None:
    """`git bundle` is a remote that fits on a stick: pulled from on the other side, and back."""
    assert origin.exists()
    git = Git(folder / "ada")
    git("bundle", "create", "--quiet", folder / "all.bundle", "main")
    Git(folder)("clone", "--quiet", "--branch", "main", "all.bundle", "ben")
    ben = Git(folder / "ben")
    prepare_clone(Repo.find(ben.path), ben.path)
    with open_memory(git.path) as one, open_memory(ben.path) as other:
        record = _record(one)
        for memory, fix in ((one, "ada's"), (other, "ben's")):
            memory.edit(record, {"fix": fix})
            memory.commit()
        ben("bundle", "create", "--quiet", folder / "back.bundle", "origin/main..main")
        git("pull", "--quiet", "--no-rebase", "--no-edit", folder / "back.bundle", "main")
        assert len(one.get(record).conflicts["fix"]) == 2
        git("bundle", "create", "--quiet", folder / "all.bundle", "main")
        other.sync()
        assert ben("rev-parse", "HEAD") == git("rev-parse", "HEAD")


def test_a_submodule_beside_the_store(folder: Path, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entry merges as git merges it, and what is checked out in it is left alone."""
    assert origin.exists()
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    library = Git(folder / "library")
    library.path.mkdir()
    library("init", "--quiet")
    library.commit("one", {"code.c": "1\n"})
    git = Git(folder / "ada")
    git("submodule", "add", "--quiet", library.path, "vendor")
    git("config", "submodule.recurse", "true")
    git("commit", "--quiet", "-m", "module")
    with open_memory(git.path) as one:
        one.sync()
    ben = _clone(folder, "--recurse-submodules")
    (ben / "vendor/code.c").write_text("ben's draft\n")
    _write_on_both_sides(folder, ben)
    assert (ben / "vendor/code.c").read_text() == "ben's draft\n"
    assert Git(ben)("status", "--porcelain") == " M vendor"


def test_sha256(folder: Path) -> None:
    """A repository whose ids have 64 digits."""
    for name in ("remote.git", "ada"):
        bare = ["--bare"] if name == "remote.git" else []
        Git(folder)("init", "--quiet", "--object-format=sha256", *bare, name)
    found(folder / "ada", plain=True)
    share(folder / "ada", folder / "remote.git")
    with open_memory(folder / "ada") as ada:
        ada.learn("pattern", LEARNT)
        ada.sync()
    _write_on_both_sides(folder, _clone(folder))


def test_a_bare_repository_and_a_detached_head(folder: Path, origin: Path) -> None:
    """Both are named, with the way out; what was recorded stays in the journal."""
    with pytest.raises(NoStore, match="bare repository"):
        open_memory(origin)
    with open_memory(folder / "ada") as ada:
        record = _record(ada)
        Git(folder / "ada")("checkout", "--quiet", "--detach")
        ada.used(record, fixed=True)
        for act in (ada.commit, ada.sync):
            with pytest.raises(GitmemError, match="HEAD is detached"):
                act()
        Git(folder / "ada")("checkout", "--quiet", "main")
        ada.sync()
        assert ada.get(record).usage.fixed == 1


def _revert(git: Git) -> None:
    git("revert", "--no-edit", "HEAD")


def _delete(git: Git) -> None:
    git("rm", "--quiet", git("ls-files", "memory/*.yaml"))
    git("commit", "--quiet", "--no-verify", "--message", "deleted")


def _ours(git: Git) -> None:
    git("merge", "--quiet", "-s", "ours", "--no-edit", "--no-verify", "side")


def _resolve(git: Git) -> None:
    git("-c", "pull.twohead=resolve", "merge", "--quiet", "--no-edit", "side", check=False)


def _without_us(git: Git) -> None:
    git("-c", "pull.twohead=ort", "-c", "merge.gitmem.driver=false", "merge", "--quiet", "--no-edit", "side", check=False)


def _rebased_without_us(git: Git) -> None:
    git("config", "--unset", "pull.twohead")  # in a rebase the first value that git meets counts, not the last
    git("-c", "merge.gitmem.driver=false", "rebase", "--quiet", "side", check=False)
    git("checkout", "--quiet", "--theirs", "--", "memory")  # the commit that is applied: what side wrote is dropped
    git("add", "memory")
    git("-c", "core.editor=true", "-c", "core.hooksPath=/dev/null", "rebase", "--continue")


def _reset(git: Git) -> None:
    git("reset", "--quiet", "--hard", "HEAD~1")


_HARMS = [_revert, _ours, _rebased_without_us, *([_delete, _resolve, _without_us, _reset] if EFFORT > 1 else [])]


@pytest.mark.parametrize("harm", _HARMS, ids=lambda harm: harm.__name__[1:])
def test_what_git_spoils_a_sync_heals(folder: Path, origin: Path, harm: Callable[[Git], None]) -> None:
    """Whatever a git command made of a record, after the next sync it holds all that was written, there and everywhere."""
    assert origin.exists()
    git = Git(folder / "ada")
    with open_memory(git.path) as ada:
        record = _record(ada)
        git("branch", "side")
        ada.edit(record, {"fix": "main's"})
        ada.sync()
        git("checkout", "--quiet", "side")
        ada.edit(record, {"fix": "side's"})
        ada.used(record, fixed=True)
        ada.commit()
        git("checkout", "--quiet", "main")
        harm(git)
        ada.sync()
        git("merge", "--quiet", "--no-edit", "side")
        ada.sync()
        ben = _clone(folder)
        for root in (git.path, ben):
            assert Git(root)("status", "--porcelain") == ""
            (path,) = Git(root)("ls-files", "memory/*.yaml").splitlines()
            state = parse((root / path).read_bytes(), path)
            assert sorted(map(str, state.fields["fix"].values())) == ["main's", "side's"]
            assert sum(state.counts["fixed"].values()) == 1
        assert ada.verify().problems == []
