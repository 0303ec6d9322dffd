"""Histories of other shapes: several branches at once, merges that cross, no common past, reverts, options of `git merge`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.record import State
from tests.git.matrix import BASE, BY_FILE_UNSETTLED, PATH, SCENARIOS, Scenario, build, expected, go_on, octopus, store_files
from tests.git.stores import changed, clean, put, tree, values
from tests.support.git import Git
from tests.support.stores import EFFORT

MakeRepo = Callable[..., Git]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
FEW = ["same field", "delete there", "false rename"]


def _some(names: list[str]) -> list[Scenario]:
    return SCENARIOS if EFFORT > 1 else [BY_NAME[name] for name in names]


def _name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", [one for one in _some(FEW) if not one.clash], ids=_name)
def test_octopus(quick_repo: MakeRepo, scenario: Scenario) -> None:
    """Three branches in one merge commit hold what the core makes of all three."""
    git = quick_repo()
    build(git, scenario)
    octopus(git)
    assert len(git("rev-list", "--parents", "-1", "HEAD").split()) == 4
    assert store_files(git) == expected(git, "HEAD^1", "side", "third")
    assert clean(git)


def test_octopus_without_us_changes_nothing(quick_repo: MakeRepo) -> None:
    """git's own octopus calls no driver and refuses what two branches changed: loudly, and without a trace."""
    git = quick_repo()
    build(git, BY_NAME["same field"])
    git("config", "--unset", "pull.octopus")
    head = git("rev-parse", "HEAD")
    octopus(git)
    assert git("rev-parse", "HEAD") == head
    git("reset", "--quiet", "--merge")
    assert clean(git)


@pytest.mark.parametrize("strategy", [True, False], ids=["strategy", "driver"])
@pytest.mark.parametrize("scenario", [one for one in _some(FEW[:1]) if one.name not in BY_FILE_UNSETTLED], ids=_name)
def test_criss_cross(quick_repo: MakeRepo, scenario: Scenario, strategy: bool) -> None:
    """Two merges that cross, further writes on both sides, and one more merge: nothing is lost or counted twice."""
    git = quick_repo()
    build(git, scenario)
    if not strategy:
        git("config", "--unset", "pull.twohead")
    git("branch", "was-main")
    git("branch", "was-side", "side")
    _merge(git, "was-side")
    put(git, changed(_any(git), "bbbbbbbb-1", count=5, fix="more of ours"))
    git.commit("more")
    git("checkout", "--quiet", "side")
    _merge(git, "was-main")
    assert store_files(git, "main~1") == store_files(git)
    put(git, changed(_any(git), "cccccccc-1", count=7, meaning="more of theirs"))
    git.commit("more")
    assert len(git("merge-base", "--all", "main", "side").split()) == 2
    want = expected(git, "main", "side")
    git("checkout", "--quiet", "main")
    _merge(git, "side")
    assert store_files(git) == want
    assert clean(git)


def _any(git: Git) -> State:
    path = min(path for path in store_files(git) if path.startswith("memory/"))
    return parse(store_files(git)[path], path)


def _merge(git: Git, branch: str) -> None:
    git("merge", "--quiet", "--no-edit", branch, check=False)
    assert go_on(git) == []


@pytest.mark.parametrize("strategy", [True, False], ids=["strategy", "driver"])
def test_unrelated_histories(quick_repo: MakeRepo, strategy: bool) -> None:
    """Two stores' histories without a common commit (a re-rooted branch): what both hold is joined, the rest is there."""
    git = quick_repo()
    build(git, BY_NAME["same field"])
    git("config", *([] if strategy else ["--unset"]), "pull.twohead")
    git("checkout", "--quiet", "--orphan", "new-root", "side")
    git.commit("squashed history")
    git("checkout", "--quiet", "main")
    want = expected(git, "main", "side")
    git("merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "new-root")
    assert store_files(git) == want
    assert clean(git)


def test_revert_takes_nothing_back_that_was_written_on(quick_repo: MakeRepo) -> None:
    """`git revert` goes by the driver: what others wrote since stands, because a join takes nothing back."""
    git = quick_repo()
    build(git, BY_NAME["same field"])
    git("merge", "--quiet", "--no-edit", "side")
    before = store_files(git)
    git("revert", "--no-edit", "side", check=False)
    go_on(git)
    assert store_files(git)[PATH] == before[PATH]


def test_revert_of_the_newest_write_goes_back_in_time(quick_repo: MakeRepo) -> None:
    """With nothing written since, git puts the old file in place and asks no driver; the next merge brings the write back."""
    git = quick_repo()
    build(git, BY_NAME["same field"])
    git("branch", "kept")
    git("revert", "--no-edit", "HEAD")
    assert store_files(git)[PATH] == emit(BASE)
    git("merge", "--quiet", "--no-edit", "-s", "gitmem", "side")
    assert values(store_files(git)[PATH], "fix") == ["theirs"]  # until it is healed: see docs/git.md


@pytest.mark.parametrize("option", ["theirs", "ours", "ignore-all-space", "no-renames", "patience"])
def test_options_of_a_merge(quick_repo: MakeRepo, option: str) -> None:
    """`-X …` is for other files; records are joined whatever it says."""
    git = quick_repo()
    build(git, BY_NAME["clash outside"])
    want = expected(git, "main", "side")
    git("merge", "--quiet", "--no-edit", "-X", option, "side", check=False)
    unmerged = git("diff", "--name-only", "--diff-filter=U")
    assert unmerged == ("" if option in ("theirs", "ours") else "README")
    assert go_on(git) == []
    assert store_files(git) == want
    assert clean(git)


def test_a_tree_merged_into_a_directory(quick_repo: MakeRepo) -> None:
    """`git merge -X subtree=…` (a library kept in a directory) is git's own merge: the store stays as it is."""
    git = quick_repo()
    build(git, BY_NAME["same field"])
    git("checkout", "--quiet", "--orphan", "library")
    git("rm", "--quiet", "-r", "--force", ".")
    git.commit("library", {"code.c": "1\n"})
    git("checkout", "--quiet", "main")
    git("read-tree", "--prefix=vendor/", "-u", "library")
    git("commit", "--quiet", "-m", "vendor")
    git("merge", "--quiet", "-s", "ours", "--no-edit", "--allow-unrelated-histories", "library")
    before = store_files(git)
    git("checkout", "--quiet", "library")
    git.commit("newer", {"code.c": "2\n"})
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-edit", "-X", "subtree=vendor", "library")
    assert tree(git)["vendor/code.c"] == "2\n"
    assert "code.c" not in tree(git)
    assert store_files(git) == before
