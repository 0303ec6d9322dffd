"""What git cannot merge file by file, or merges without us, `gitmem sync` settles and heals: every write is there then."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from gitmem.errors import GitmemError
from gitmem.memory.doctor import doctor
from gitmem.memory.memory import Memory
from tests.git.matrix import BY_FILE_UNSETTLED, SCENARIOS, WAYS, Scenario, Way, build, store_files
from tests.support.git import Git
from tests.support.stores import EFFORT, MEMORY_DISK, found, open_memory, person

STEPS = (["rebase", "--continue"], ["cherry-pick", "--continue"], ["cherry-pick", "--skip"], ["am", "--continue"])


@pytest.fixture(scope="module")
def founded() -> Iterator[Path]:
    """A plain store without our hooks, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="gitmem-healed-", dir=MEMORY_DISK))
    found(folder / "store", plain=True, who=person(folder / "home"))
    for name in ("pre-commit", "pre-merge-commit"):
        (folder / "store/.git/hooks" / name).unlink()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _cells() -> list[tuple[Scenario, Way, bool]]:
    """(scenario, way, whether the driver is there): what is not settled by itself; the whole of it when thorough."""
    by_file = [way for way in WAYS if not way.whole]
    with_driver = [(scenario, way, True) for scenario in SCENARIOS if scenario.name in BY_FILE_UNSETTLED for way in by_file]
    without = [
        (scenario, way, False)
        for scenario in SCENARIOS
        if not scenario.clash
        for way in WAYS
        if way.act.__name__ != "_in_process"
    ]
    whole = with_driver + without
    return whole if EFFORT > 1 else whole[:: len(whole) // 6]


def _name(cell: object) -> str:
    return cell.name if isinstance(cell, (Scenario, Way)) else ("driver" if cell else "without us")


@pytest.mark.parametrize(("scenario", "way", "driver"), _cells(), ids=_name)
def test_every_write_is_there_after_a_sync(founded: Path, scenario: Scenario, way: Way, driver: bool) -> None:
    """However git was left, the records end with all that either side, or the past, had written."""
    root = founded / f"copy-{len(list(founded.iterdir()))}"
    shutil.copytree(founded / "store", root, symlinks=True)
    git = Git(root)
    build(git, scenario, founded=True)
    if not way.strategy or not driver:
        git("config", "--unset", "pull.twohead")
    if not driver:
        git("config", "--remove-section", "merge.gitmem")
        git("config", "merge.default", "text")
        (root / ".git/info/attributes").write_text("* !merge\n")
    versions = _versions(git)
    way.act(git)
    with open_memory(root, person(founded / "home")) as memory:
        _sync(git, memory)
        got = store_files(git)
        kept = store_files(git, "stash@{0}") if git("stash", "list") else {}
        for path, states in versions.items():
            if path not in got:  # git left nothing but markers in the index, and the stash as it was: sync has said so
                assert path in kept
                continue
            state = parse(got[path], path)
            for other in states:
                assert emit(merge(state, parse(other, path))) == emit(state)
        if versions.keys() <= got.keys():
            assert git("status", "--porcelain") == ""
            checks = doctor(memory.context)
            assert [check.why for check in checks if check.name in ("records", "history") and not check.ok] == []


def _versions(git: Git) -> dict[str, set[bytes]]:
    """All that any commit holds of each record."""
    found: dict[str, set[bytes]] = {}
    for commit in git("rev-list", "main", "side").split():
        for path, data in store_files(git, commit).items():
            if path.startswith("memory/"):
                found.setdefault(path, set()).add(data)
    return found


def _sync(git: Git, memory: Memory) -> None:
    """`gitmem sync`, and what it says to do next, until it is done."""
    for _ in range(8):
        if git("diff", "--cached", "--name-only", "--diff-filter=AMDR") and not git("diff", "--name-only", "--diff-filter=U"):
            git("commit", "--quiet", "--message", "squashed or popped", check=False)
        try:
            memory.sync()
        except GitmemError as error:
            words = next((words for words in STEPS if f"git {' '.join(words)}" in f"{error.message} {error.hint}"), None)
            if words:
                git("-c", "core.editor=true", *words, check=False)
            continue
        return
    raise AssertionError(git("status"))
