"""Snapshots hold HEAD, index and the store's files as they are, and touch none of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from gitmem.git.snapshots import all_snapshots, create, prune
from tests.git.stores import tree, write
from tests.support.git import Git

MakeRepo = Callable[..., Git]
NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def _state(git: Git) -> tuple[str, ...]:
    return git("status", "--porcelain", "--ignored"), git("ls-files", "--stage"), git("branch", "-v")


def test_holds_everything_and_touches_nothing(make_repo: MakeRepo) -> None:
    """Committed, staged, edited, untracked, ignored and removed: all is in the snapshot, the user's own as staged only."""
    git = make_repo()
    git.commit("first", {"memory/a": "1", "memory/b": "1", "memory/c": "1", "own": "1", ".gitignore": "log/\n*.yaml\n"})
    write(git.path, "memory/a", "staged")
    write(git.path, "own", "staged")
    git("add", "memory/a", "own")
    write(git.path, "memory/a", "edited after staging")
    write(git.path, "own", "edited after staging")
    write(git.path, "memory/new.yaml", "untracked")
    write(git.path, "log/x", "ignored")
    (git.path / "memory/c").unlink()
    before, index = _state(git), (git.path / ".git/index").read_bytes()
    made = create(Repo.find(git.path), "pre-commit", NOW)
    assert (git.path / ".git/index").read_bytes() == index
    assert _state(git) == before
    assert tree(git, made.ref) == {
        ".gitignore": "log/\n*.yaml\n",
        "log/x": "ignored",
        "memory/a": "edited after staging",
        "memory/b": "1",
        "memory/new.yaml": "untracked",
        "own": "staged",
    }
    assert tree(git, f"{made.ref}^2")["memory/a"] == "staged"
    assert git("rev-parse", f"{made.ref}^1", f"{made.ref}^2^1") == "\n".join([git("rev-parse", "HEAD")] * 2)
    assert made.ref == "refs/gitmem/snapshots/20261120T100000Z-pre-commit"
    assert git("log", "-1", "--format=%s|%an|%at", made.ref) == f"before pre-commit|gitmem snapshot|{NOW.timestamp():.0f}"
    assert list((git.path / ".git").glob("gitmem-snapshot*")) == []
    git("fsck", "--strict")


def test_leaves_out_what_is_to_leave_no_copy(make_repo: MakeRepo) -> None:
    """Neither the index of a snapshot nor its tree holds such a file, and no object of it is written."""
    git = make_repo()
    git.commit("first", {"memory/a": "1", "memory/b": "1"})
    write(git.path, "memory/*", "kept")
    write(git.path, "memory/a", "never committed")
    made = create(Repo.find(git.path), "erase", NOW, without=["memory/a", "memory/gone"])
    assert tree(git, made.ref) == {"memory/*": "kept", "memory/b": "1"}
    assert tree(git, f"{made.ref}^2") == {"memory/b": "1"}
    assert b"never committed" not in git.raw("cat-file", "--batch-all-objects", "--batch")


def test_unborn_branch_and_empty_directories(make_repo: MakeRepo) -> None:
    """Before the first commit there is a snapshot all the same."""
    git = make_repo()
    (git.path / "log").mkdir()
    assert tree(git, create(Repo.find(git.path), "init", NOW).ref) == {}
    write(git.path, "memory/a", "1")
    made = create(Repo.find(git.path), "init", NOW)
    assert tree(git, made.ref) == {"memory/a": "1"}
    assert len(git("rev-list", "--parents", "-1", made.ref).split()) == 2


def test_amid_a_conflict(make_repo: MakeRepo) -> None:
    """With unmerged paths, the index commit has our side of them, the snapshot what lies in the work tree."""
    git = make_repo()
    git.commit("first", {"memory/a": "1", "b": "1", "c": "1"})
    git("checkout", "--quiet", "-b", "side")
    git("rm", "--quiet", "c")
    git.commit("theirs", {"memory/a": "theirs", "b": "theirs"})
    git("checkout", "--quiet", "main")
    git.commit("ours", {"memory/a": "ours", "b": "ours", "c": "ours"})
    assert git.run("merge", "side").returncode == 1
    before = _state(git)
    made = create(Repo.find(git.path), "sync", NOW)
    assert _state(git) == before
    assert "<<<<<<<" in tree(git, made.ref)["memory/a"]
    assert tree(git, f"{made.ref}^2") == {"memory/a": "ours", "b": "ours", "c": "ours"}


def test_a_late_edit_is_seen(make_repo: MakeRepo) -> None:
    """An edit of the same size within the same moment as the last `git add` is in the snapshot."""
    git = make_repo()
    for round_ in range(5):
        write(git.path, "memory/a", f"one{round_}")
        git("add", "memory/a")
        write(git.path, "memory/a", f"two{round_}")
        assert tree(git, create(Repo.find(git.path), "x", NOW).ref)["memory/a"] == f"two{round_}"


def test_of_a_store_in_a_subdirectory(make_repo: MakeRepo) -> None:
    """The store's files are those below its prefix."""
    git = make_repo()
    configure(Repo.find(git.path), "sub/")
    write(git.path, "sub/memory/a", "1")
    write(git.path, "memory/not-ours", "1")
    assert tree(git, create(Repo.find(git.path), "x", NOW).ref) == {"sub/memory/a": "1"}


def test_names(make_repo: MakeRepo) -> None:
    """Snapshots of one second get names of their own; a reason may hold anything."""
    git = make_repo()
    git.commit("first")
    repo = Repo.find(git.path)
    made = [create(repo, reason, NOW) for reason in ("sync", "sync", "../../heads/main x", "…")]
    names = [one.ref.rpartition("/")[2].partition("-")[2] for one in made]
    assert names == ["sync", "sync-2", "heads-main-x", "snapshot"]
    assert {one.commit for one in all_snapshots(repo)} == {one.commit for one in made}
    assert {one.time for one in all_snapshots(repo)} == {NOW}


def test_a_ref_that_names_no_time_is_no_snapshot(make_repo: MakeRepo) -> None:
    """Somebody's own, made by hand: neither listed nor let go."""
    git = make_repo()
    git.commit("first")
    made = create(Repo.find(git.path), "sync", NOW)
    git("update-ref", made.ref.replace("20261120", "20261320"), made.commit)
    assert all_snapshots(Repo.find(git.path)) == [made]


def test_prune(make_repo: MakeRepo) -> None:
    """The last ones stay, and the newest of each recent day; nothing goes while a rebase is under way."""
    git = make_repo()
    git.commit("first")
    repo = Repo.find(git.path)
    for day in (40, 35, 20, 10):
        for hour in (1, 2):
            create(repo, f"d{day}h{hour}", NOW - timedelta(days=day, hours=-hour))
    create(repo, "now", NOW)
    (git.path / ".git/rebase-merge").mkdir()
    assert prune(repo, NOW, keep_last=2) == []
    (git.path / ".git/rebase-merge").rmdir()
    dropped = [one.reason for one in prune(repo, NOW, keep_last=2)]
    assert dropped == ["d40h1", "d40h2", "d35h1", "d35h2", "d20h1", "d10h1"]
    assert [one.reason for one in all_snapshots(repo)] == ["d20h2", "d10h2", "now"]
    assert prune(repo, NOW, keep_last=2) == []
    assert prune(repo, NOW + timedelta(days=365), keep_last=0) != []
    assert all_snapshots(repo) == []


def test_after_a_snapshot_git_collects_nothing_of_it(make_repo: MakeRepo) -> None:
    """What only a snapshot holds survives `git gc --prune=now`, and can be taken back with plain git."""
    git = make_repo()
    git.commit("first", {"memory/a": "1"})
    write(git.path, "memory/a", "precious")
    made = create(Repo.find(git.path), "reset", NOW)
    git("reset", "--quiet", "--hard")
    git("gc", "--quiet", "--prune=now")
    git("checkout", made.ref, "--", "memory")
    assert (git.path / "memory/a").read_text() == "precious"
