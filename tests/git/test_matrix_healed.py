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
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.memory import Memory
from tests.git.matrix import BY_FILE_UNSETTLED, OWN, SCENARIOS, WAYS, Scenario, Way, build, store_files
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory, person

STEPS = [[name, how] for name in ("rebase", "cherry-pick", "am") for how in ("--continue", "--skip")]
MOVED = ("moved aside", "false rename")


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
        for path, states in versions.items():
            for other in states:
                assert _holds(got.get(path), other, path) or (scenario.name in MOVED and _elsewhere(git, path, other))
        assert git("status", "--porcelain", "--", *OWN) == "" or scenario.name in MOVED
        lost = [check.why for check in doctor(memory.context) if check.name in ("records", "history") and not check.ok]
        assert lost == [] or scenario.name in MOVED


def _holds(data: bytes | None, other: bytes, path: str) -> bool:
    """Whether a record has all that another state of it has."""
    return data is not None and emit(merge(parse(data, path), parse(other, path))) == emit(parse(data, path))


def _elsewhere(git: Git, path: str, other: bytes) -> bool:
    """Where git followed a rename it is none of ours: what it put elsewhere is in the commit that it keeps."""
    places = [place for place in ("stash@{0}", "ORIG_HEAD", "side") if not git.run("rev-parse", "--quiet", place).returncode]
    return any(_holds(store_files(git, place).get(path), other, path) for place in places)


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
