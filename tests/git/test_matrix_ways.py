"""Whatever happened on two branches, and whichever way they are brought together: the store's files are those of the core."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.git.matrix import BY_FILE_UNSETTLED, SCENARIOS, WAYS, Scenario, Way, build, expected, go_on, staged, store_files
from tests.git.stores import clean, tree
from tests.support.git import Git
from tests.support.stores import EFFORT

MakeRepo = Callable[..., Git]


def _cells() -> list[tuple[Scenario, Way]]:
    """All of the matrix when thorough; else a diagonal band of it, in which each scenario and each way is tried."""
    whole = [(number, row, column) for number, row in enumerate(SCENARIOS) for column in range(len(WAYS))]
    return [(row, WAYS[column]) for number, row, column in whole if EFFORT > 1 or (column - 4 * number) % 15 < 2]


def _name(cell: object) -> str:
    return str(getattr(cell, "name", cell))


@pytest.mark.parametrize(("scenario", "way"), _cells(), ids=_name)
def test_every_way_gives_the_tree_of_the_core(quick_repo: MakeRepo, scenario: Scenario, way: Way) -> None:
    """The same bytes by every way; where git decides about whole files, its conflict holds all that was written."""
    git = quick_repo()
    build(git, scenario)
    if not way.strategy:
        git("config", "--unset", "pull.twohead")
    want = expected(git, "main", "side")
    way.act(git)
    unmerged = go_on(git)
    if unmerged:
        assert not way.whole
        assert scenario.name in BY_FILE_UNSETTLED
        assert staged(git, unmerged) == {path: want[path] for path in unmerged if path in want}
        return
    if git("diff", "--cached", "--name-only"):
        git("commit", "--quiet", "--message", "squashed")
    got = store_files(git)
    if way.whole or scenario.name not in BY_FILE_UNSETTLED:
        assert got == want
        assert {path: tree(git)[path] for path in scenario.other} == scenario.other
        assert clean(git)
    else:
        _nothing_is_lost(git, want, got)


def _nothing_is_lost(git: Git, want: dict[str, bytes], got: dict[str, bytes]) -> None:
    """git took a file away, or its change elsewhere: what it had is in the history, from where `gitmem sync` heals it."""
    for path, data in want.items():
        if got.get(path) != data:
            assert path in git("log", "--format=", "--name-only", "HEAD", "side").split()
