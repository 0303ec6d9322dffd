"""Plain git commands merge a store through the strategy and, without it, through the driver; the trees are the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.record import State
from gitmem.git.places import MARK
from gitmem.git.repo import Repo
from gitmem.git.setup import configure, store_prefix
from tests.git.stores import changed, clean, found_store, path_of, put, record, tree, two_branches, values
from tests.support.git import Git

MakeRepo = Callable[..., Git]
BASE = record(1)
OURS = changed(BASE, "bbbbbbbb-1", count=2, fix="ours")
THEIRS = changed(BASE, "cccccccc-1", count=3, fix="theirs", meaning="new")
PATH = path_of(BASE)
WAYS = ["strategy", "driver"]


def _way(git: Git, way: str) -> None:
    if way == "driver":
        git("config", "--unset", "pull.twohead")


@pytest.mark.parametrize("way", WAYS)
def test_merge_joins_a_record(make_repo: MakeRepo, way: str) -> None:
    """`git merge` keeps both values and adds up both counters."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    _way(git, way)
    git("merge", "--quiet", "--no-edit", "side")
    data = tree(git)[PATH]
    assert values(data, "fix") == ["ours", "theirs"]
    assert values(data, "meaning") == ["new"]
    assert "    bbbbbbbb-1: 2\n    cccccccc-1: 3" in data
    assert clean(git)


def _merge(git: Git) -> None:
    git("merge", "--quiet", "--no-edit", "side")


def _pull(git: Git) -> None:
    git("pull", "--quiet", "--no-rebase", "--no-edit", ".", "side")


def _pull_rebase(git: Git) -> None:
    git("pull", "--quiet", "--rebase", ".", "side")


def _cherry_pick(git: Git) -> None:
    git("cherry-pick", "side")


def _stash_pop(git: Git) -> None:
    git("checkout", "--quiet", "side")
    theirs = git("rev-parse", "HEAD")
    git("reset", "--quiet", "--soft", "HEAD~1")
    git("stash")
    git("reset", "--quiet", "--hard", "main")
    git("stash", "pop")
    git("commit", "--quiet", "--all", "--message", f"popped {theirs}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("act", [_merge, _pull, _pull_rebase, _cherry_pick, _stash_pop])
def test_every_road_leads_to_the_same_tree(make_repo: MakeRepo, act: Callable[[Git], None], way: str) -> None:
    """Merge, pull, rebase, cherry-pick and stash pop, by strategy or driver, all give the join."""
    git = make_repo()
    two_branches(git, [BASE, record(2)], [OURS, record(3)], [THEIRS, record(4)])
    _way(git, way)
    act(git)
    reference = make_repo("reference")
    two_branches(reference, [BASE, record(2)], [OURS, record(3)], [THEIRS, record(4)])
    _merge(reference)
    assert tree(git) == tree(reference)
    assert clean(git)


def test_both_directions_give_the_same_tree(make_repo: MakeRepo) -> None:
    """Who merges whom makes no difference."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("branch", "old-main")
    _merge(git)
    ours = tree(git)
    git("checkout", "--quiet", "side")
    git("merge", "--quiet", "--no-edit", "old-main")
    assert tree(git) == ours


def test_other_files_get_gits_own_merge(make_repo: MakeRepo) -> None:
    """Changes on both sides of a text file are merged line by line, as ever."""
    git = make_repo()
    lines = [f"{n}\n" for n in range(20)]
    (git.path / "README").write_text("".join(lines))
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    (git.path / "README").write_text("".join(["theirs\n", *lines[1:]]))
    put(git, THEIRS)
    git.commit("theirs", {"theirs.txt": "t"})
    git("checkout", "--quiet", "main")
    (git.path / "README").write_text("".join([*lines[:-1], "ours\n"]))
    put(git, OURS)
    git.commit("ours", {"ours.txt": "o"})
    _merge(git)
    result = tree(git)
    assert result["README"] == "".join(["theirs\n", *lines[1:-1], "ours\n"])
    assert {"ours.txt", "theirs.txt"} <= result.keys()
    assert values(result[PATH], "fix") == ["ours", "theirs"]
    assert clean(git)


def test_other_files_keep_their_conflicts(make_repo: MakeRepo) -> None:
    """A conflict outside the store stays git's: markers with the branch's name, three stages, and the store merged already."""
    git = make_repo()
    (git.path / "README").write_text("base\n")
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    put(git, THEIRS)
    git.commit("theirs", {"README": "theirs\n"})
    git("checkout", "--quiet", "main")
    put(git, OURS)
    git.commit("ours", {"README": "ours\n"})
    done = git.run("merge", "--no-edit", "side")
    assert done.returncode == 1
    assert b"CONFLICT (content): Merge conflict in README" in done.stdout
    assert (git.path / "README").read_text() == "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> side\n"
    assert git("diff", "--name-only", "--diff-filter=U") == "README"
    assert values((git.path / PATH).read_bytes(), "fix") == ["ours", "theirs"]
    (git.path / "README").write_text("settled\n")
    git("commit", "--quiet", "--all", "--no-edit")
    assert len(git("rev-list", "--parents", "-1", "HEAD").split()) == 3
    assert values(tree(git)[PATH], "fix") == ["ours", "theirs"]


def test_options_reach_gits_own_merge(make_repo: MakeRepo) -> None:
    """`-X theirs` settles files outside the store and does not touch records."""
    git = make_repo()
    (git.path / "README").write_text("base\n")
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    put(git, THEIRS)
    git.commit("theirs", {"README": "theirs\n"})
    git("checkout", "--quiet", "main")
    put(git, OURS)
    git.commit("ours", {"README": "ours\n"})
    git("merge", "--no-edit", "-X", "theirs", "side")
    assert tree(git)["README"] == "theirs\n"
    assert values(tree(git)[PATH], "fix") == ["ours", "theirs"]


def test_changed_here_deleted_there(make_repo: MakeRepo) -> None:
    """A record's file that one side removed and the other changed stays, without a conflict."""
    git = make_repo()
    found_store(git, BASE, record(2))
    git("checkout", "--quiet", "-b", "side")
    git("rm", "--quiet", PATH, path_of(record(2)))
    git.commit("theirs")
    git("checkout", "--quiet", "main")
    put(git, OURS)
    git.commit("ours")
    _merge(git)
    assert tree(git)[PATH].encode() == emit(OURS)
    assert path_of(record(2)) not in tree(git)


@pytest.mark.parametrize("where", ["index", "work tree", "untracked"])
def test_local_changes_are_never_lost(make_repo: MakeRepo, where: str) -> None:
    """What is staged, edited or untracked, and in the way, makes the merge stop before it has touched anything."""
    git = make_repo()
    two_branches(git, [BASE], [], [THEIRS, record(9)])
    mine = git.path / (path_of(record(9)) if where == "untracked" else PATH)
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine\n")
    if where == "index":
        git("add", PATH)
    before = git("status", "--porcelain"), git("rev-parse", "HEAD")
    done = git.run("merge", "--no-edit", "--no-ff", "side")
    assert done.returncode != 0
    assert b"error: " in done.stderr
    assert mine.read_text() == "mine\n"
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD")) == before


def test_a_refusal_after_the_store_was_checked_out_is_undone(make_repo: MakeRepo) -> None:
    """If git's own merge of other files is refused, the store's files go back to what they were."""
    git = make_repo()
    (git.path / "README").write_text("base\n")
    (git.path / "NOTES").write_text("base\n")
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    put(git, THEIRS)
    git.commit("theirs", {"README": "theirs\n", "NOTES": "theirs\n"})
    git("checkout", "--quiet", "main")
    put(git, OURS)
    git.commit("ours", {"README": "ours\n"})
    (git.path / "NOTES").write_text("mine, not committed\n")
    done = git.run("merge", "--no-edit", "side")
    assert done.returncode == 2
    assert (git.path / "NOTES").read_text() == "mine, not committed\n"
    assert (git.path / PATH).read_bytes() == emit(OURS)
    assert git("diff", "--name-only") == "NOTES"
    assert git("diff", "--cached", "--name-only") == ""


def test_unrelated_edits_stay(make_repo: MakeRepo) -> None:
    """An edit of a file that the merge does not touch is left alone."""
    git = make_repo()
    (git.path / "notes.txt").write_text("base\n")
    two_branches(git, [BASE], [OURS], [THEIRS])
    (git.path / "notes.txt").write_text("mine\n")
    _merge(git)
    assert (git.path / "notes.txt").read_text() == "mine\n"
    assert git("status", "--porcelain") == " M notes.txt"


def _three_branches(git: Git, third: str = "third\n") -> None:
    """`main`, `side` and `third` have all changed the same record, and a file each; `third` and `side` both have notes.txt."""
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("checkout", "--quiet", "-b", "third", "side~1")
    put(git, changed(BASE, "dddddddd-1", fix="third"), record(5))
    git.commit("third", {"notes.txt": third})
    git("checkout", "--quiet", "side")
    git.commit("notes", {"notes.txt": "third\n"})
    git("checkout", "--quiet", "main")


def test_octopus(make_repo: MakeRepo) -> None:
    """Several branches at once are joined like one after the other, in one commit of all their parents."""
    git = make_repo()
    _three_branches(git)
    git("merge", "--no-edit", "side", "third")
    assert len(git("rev-list", "--parents", "-1", "HEAD").split()) == 4
    octopus = tree(git)
    assert values(octopus[PATH], "fix") == ["ours", "theirs", "third"]
    assert octopus["notes.txt"] == "third\n"
    assert clean(git)
    git("reset", "--quiet", "--hard", "HEAD~1")
    git("merge", "--no-edit", "third")
    git("merge", "--no-edit", "side")
    assert tree(git) == octopus


def test_octopus_with_a_conflict_of_other_files_is_refused(make_repo: MakeRepo) -> None:
    """git's own octopus cannot leave conflicts to a person either; the branch stays where it was."""
    git = make_repo()
    _three_branches(git, third="another\n")
    head = git("rev-parse", "HEAD")
    done = git.run("merge", "--no-edit", "side", "third")
    assert done.returncode == 2
    assert b"conflict: notes.txt" in done.stderr
    assert b"one after the other" in done.stderr
    assert git("rev-parse", "HEAD") == head
    assert clean(git)


def test_unrelated_histories(make_repo: MakeRepo) -> None:
    """Without a common ancestor records of both sides are joined."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [])
    git("checkout", "--quiet", "--orphan", "other")
    git("rm", "--quiet", "-r", "--force", ".")
    found_store(git, THEIRS, record(7))
    git("checkout", "--quiet", "main")
    git("merge", "--no-edit", "--allow-unrelated-histories", "other")
    assert values(tree(git)[PATH], "fix") == ["ours", "theirs"]
    assert path_of(record(7)) in tree(git)


def test_criss_cross(make_repo: MakeRepo) -> None:
    """With two merge bases everything written on either side is there, in the store and outside."""
    git = make_repo()
    lines = [f"{n}\n" for n in range(30)]
    (git.path / "README").write_text("".join(lines))
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("branch", "main-1")
    git("branch", "side-1", "side")
    _merge(git)
    put(git, changed(_read(git), "bbbbbbbb-1", meaning="after ours"))
    git.commit("more of ours", {"README": "".join(["ours\n", *lines[1:]])})
    git("checkout", "--quiet", "side")
    git("merge", "--quiet", "--no-edit", "main-1")
    put(git, changed(_read(git), "cccccccc-1", source="after theirs"))
    git.commit("more of theirs", {"README": "".join([*lines[:-1], "theirs\n"])})
    assert len(git("merge-base", "--all", "main", "side").split()) == 2
    git("checkout", "--quiet", "main")
    _merge(git)
    data = tree(git)[PATH]
    assert values(data, "fix") == ["ours", "theirs"]
    assert values(data, "meaning") == ["after ours"]
    assert values(data, "source") == ["after theirs"]
    assert tree(git)["README"] == "".join(["ours\n", *lines[1:-1], "theirs\n"])


def _read(git: Git) -> State:
    return parse((git.path / PATH).read_bytes(), PATH)


def test_broken_record_of_theirs_is_set_aside(make_repo: MakeRepo) -> None:
    """One bad file does not stop a merge: both versions are kept, and the message names it."""
    git = make_repo()
    two_branches(git, [BASE, record(2)], [OURS], [])
    git("checkout", "--quiet", "side")
    git.commit("broken", {PATH: "<<<<<<< HEAD\n", path_of(record(2)): emit(changed(record(2), "cccccccc-1", fix="x"))})
    git("checkout", "--quiet", "main")
    done = git.run("merge", "--no-edit", "side")
    assert done.returncode == 0
    assert b"conflict markers" in done.stderr
    result = tree(git)
    assert result[PATH].encode() == emit(OURS)
    assert [text for path, text in result.items() if path.startswith(f"{PATH}.kept-")] == ["<<<<<<< HEAD\n"]
    assert values(result[path_of(record(2))], "fix") == ["x"]


def test_store_in_a_subdirectory(make_repo: MakeRepo) -> None:
    """The strategy knows where in the repository the store lies."""
    outer = make_repo()
    configure(Repo.find(outer.path), "team/store/")
    assert store_prefix(Repo.find(outer.path)) == "team/store/"
    inner = Git(outer.path / "team/store")
    inner.path.mkdir(parents=True)
    put(inner, BASE)
    outer.commit("first", {"README": "base\n", f"team/store/{MARK}": "gitmem: 1\n"})
    outer("checkout", "--quiet", "-b", "side")
    put(inner, THEIRS)
    outer.commit("theirs", {"README": "theirs\n"})
    outer("checkout", "--quiet", "main")
    put(inner, OURS)
    outer.commit("ours", {"other": "file\n"})
    outer("merge", "--quiet", "--no-edit", "side")
    assert values(tree(outer)[f"team/store/{PATH}"], "fix") == ["ours", "theirs"]
    assert tree(outer)["README"] == "theirs\n"


def test_detached_head(make_repo: MakeRepo) -> None:
    """A merge into a detached HEAD works as on a branch."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("checkout", "--quiet", "--detach")
    _merge(git)
    assert values(tree(git)[PATH], "fix") == ["ours", "theirs"]


def test_from_a_subdirectory_and_a_linked_worktree(make_repo: MakeRepo, tmp_path: Path) -> None:
    """git may be started anywhere in a work tree, and in any of several."""
    git = make_repo()
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("worktree", "add", "--quiet", "-b", "third", tmp_path / "linked", "main")
    Git(tmp_path / "linked/memory/team")("merge", "--quiet", "--no-edit", "side")
    assert values(tree(git, "third")[PATH], "fix") == ["ours", "theirs"]
    assert clean(Git(tmp_path / "linked"))


def test_missing_strategy_falls_back_to_the_driver(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up where git finds no strategy, a clone has none configured, and the driver merges."""
    git = make_repo()
    monkeypatch.setenv("PATH", _path_without_gitmem())
    two_branches(git, [BASE], [OURS], [THEIRS])
    assert git("config", "pull.twohead", check=False) == ""
    _merge(git)
    assert values(tree(git)[PATH], "fix") == ["ours", "theirs"]


def _path_without_gitmem() -> str:
    places = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(place for place in places if not Path(place, "git-merge-gitmem").exists())


def test_symbolic_link_for_the_memory_is_refused(make_repo: MakeRepo, tmp_path: Path) -> None:
    """A branch that has made `memory` a link to elsewhere is not merged, and nothing is written there."""
    git = make_repo()
    (tmp_path / "elsewhere").mkdir()
    found_store(git, BASE)
    git("checkout", "--quiet", "-b", "side")
    git("rm", "--quiet", "-r", "memory")
    (git.path / "memory").symlink_to(tmp_path / "elsewhere")
    git.commit("theirs")
    git("checkout", "--quiet", "main")
    put(git, OURS, record(2))
    git.commit("ours")
    done = git.run("merge", "--no-edit", "side")
    assert done.returncode == 2
    assert b"'memory' is a directory on one side" in done.stderr
    assert clean(git)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_strange_names(make_repo: MakeRepo) -> None:
    """Names with newlines, quotes, spaces, leading dashes and bytes that are no text pass through unharmed."""
    git = make_repo()
    names = ["memory/-rf", 'memory/a "b"\n\t\\c', "memory/ü\udcff", "log/*?[x]", ":(top)x", "-o"]
    two_branches(git, [BASE], [OURS], [THEIRS])
    git("checkout", "--quiet", "side")
    git.commit("strange", {name: name.encode("utf-8", "surrogateescape") for name in names})
    git("checkout", "--quiet", "main")
    _merge(git)
    assert set(names) <= set(tree(git))
    assert clean(git)
