"""A removal and a rotation killed at any step: one repair and one sync later it was done or not, and nobody is locked out."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from gitmem.core.token import TOKEN
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.removal import remove
from gitmem.memory.members.rotation import rotate, strangers
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import EFFORT, open_memory, person
from tests.support.team import NAMES, Team, closed, make_team, quick

SECRET = "the pager answers to hunter2"
_STEPS = frozenset({"subprocess.Popen", "os.rename", "os.remove", "os.link"})
ACTS: dict[str, Callable[[Memory], object]] = {
    "remove": lambda memory: remove(memory.context, "bob"),
    "rotate": lambda memory: rotate(memory.context),
}
POINTS = 3 * EFFORT


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Ada, bob and cam, a few records, and something of ada's that is not committed yet."""
    team = make_team(quick(tmp_path_factory.mktemp("killed")), NAMES, plain=False)
    for number in range(4):
        team.learn(f"error number {number}")
    team["ada"].learn("note", {"text": SECRET})
    yield from closed(team)


def _open(folder: Path, name: str) -> Memory:
    return open_memory(folder / name, person(folder / f"home-{name}"))


def _copy(template: Team, folder: Path) -> Path:
    shutil.copytree(template.folder, folder, symlinks=True)
    for name in NAMES:
        Git(folder / name)("remote", "set-url", "origin", folder / "remote.git")
    return folder


def _dies_at(folder: Path, act: str, step: int) -> int | None:
    """Do it in another process that kills itself at a step (0: never); how many steps it took, None where it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _do(folder, act, step, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or said, "it failed by itself"
    return int(said) if said else None


def _do(folder: Path, act: str, step: int, pipe: int) -> None:
    done = 0

    def count(event: str, _args: object) -> None:
        nonlocal done
        if event in _STEPS:
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    with _open(folder, "ada") as ada:
        sys.addaudithook(count)
        ACTS[act](ada)
        os.write(pipe, f"{done} ".encode())


@pytest.mark.xdist_group("killed keys")
@pytest.mark.parametrize("act", ACTS)
def test_killed_at_any_step(template: Team, tmp_path: Path, act: str) -> None:
    """At steps spread over the whole: `doctor --fix` and syncs make one state of it, with one key, open to who belongs."""
    disk = quick(tmp_path)
    steps = _dies_at(_copy(template, disk / "whole"), act, 0)
    assert steps is not None
    shutil.rmtree(disk / "whole")
    for step in sorted(Random(act).sample(range(1, steps + 1), min(POINTS, steps))):
        folder = _copy(template, disk / f"{step}")
        assert _dies_at(folder, act, step) is None, step
        _check(folder, act)
        shutil.rmtree(folder)
    shutil.rmtree(disk)


def _check(folder: Path, act: str) -> None:
    for lock in (folder / "ada/.git").rglob("*.lock"):
        lock.unlink()  # git's own, which a killed git leaves for a person
    with _open(folder, "ada") as ada, _open(folder, "cam") as cam:
        assert [check.name for check in doctor(ada.context, fix=True) if not check.ok] == []
        for memory in (ada, cam, ada):
            assert memory.sync().problems == []
        assert len({Git(folder / name)("rev-parse", "HEAD^{tree}") for name in ("ada", "cam")}) == 1
        for memory in (ada, cam):
            assert memory.verify().problems == []
            assert {record.fields.get("text") for record in memory.records("note")} == {SECRET}
            assert not any(record.sealed for record in memory.records())
            assert strangers(memory.context, members_of(memory.context)) == {}
        vault, known = ada.context.store.vault, members_of(ada.context)
        newest = vault.newest_epoch("team")
        assert {*vault.holders("team", newest)} == {"recovery", *known.by_name}
        assert _epochs(folder / "ada") == {newest}
        if act == "remove" and "bob" in known.by_name:
            remove(ada.context, "bob")
            assert "bob" not in members_of(ada.context).by_name
    _no_plaintext(folder / "ada")


def _epochs(clone: Path) -> set[str]:
    return {match[1] for file in (clone / "memory").rglob("*.yaml") for match in TOKEN.finditer(file.read_text())}


def _no_plaintext(clone: Path) -> None:
    for file in clone.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    everything = Git(clone)("cat-file", "--batch-all-objects", "--batch", "--buffer")
    assert SECRET not in everything
