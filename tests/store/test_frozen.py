"""Whole stores of every format version: they open, answer, verify and sync as on the day they were made."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from gitmem.core.record import Json
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.frozen import ERROR, make, picture
from tests.support.git import Git

STORES = sorted((Path(__file__).parents[1] / "vectors").glob("format-*/stores/*"))


def _still(now: Json, then: Json) -> bool:
    """Whether all that was shown then is shown now: fields of an answer are only ever added."""
    if isinstance(now, dict) and isinstance(then, dict):
        return all(name in now and _still(now[name], value) for name, value in then.items())
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(map(_still, now, then))
    return now == then


def test_the_stores_are_there() -> None:
    """A renamed directory must not empty the tests below."""
    assert len(STORES) >= 2


@pytest.mark.parametrize("frozen", STORES, ids=lambda path: f"{path.parents[1].name}-{path.name}")
def test_a_frozen_store_opens_answers_verifies_and_syncs(frozen: Path, tmp_path: Path) -> None:
    """What its members saw is seen again, and two clones go on with it."""
    identity = tmp_path / "identity.txt"
    shutil.copy(frozen / "identity.txt", identity)
    identity.chmod(0o600)
    env = {**os.environ, "GITMEM_IDENTITY_FILE": str(identity)}
    Git(tmp_path)("clone", "--quiet", "--bare", frozen / "store.bundle", "remote")
    for name in ("one", "two"):
        clone(str(tmp_path / "remote"), str(tmp_path / name))
    with Memory.open(tmp_path / "one", env=env) as one, Memory.open(tmp_path / "two", env=env) as two:
        assert _still(picture(one), json.loads((frozen / "seen.json").read_text()))
        known = one.match(ERROR)[0]
        one.edit(known.id, {"fix": "a new one"})
        for memory in (one, two):
            memory.used(known.id, fixed=True)
        for memory in (one, two, one):
            memory.sync()
        assert two.get(known.id).usage.fixed == one.get(known.id).usage.fixed == known.usage.fixed + 2
        assert (one.get(known.id).conflicts, one.verify().problems) == ({}, [])


def test_a_store_of_today_is_made_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maker works still, so that the next format can be frozen; what it makes is not what lies frozen."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, os.environ[name])
    make(tmp_path / "today", plain=True)
    seen = json.loads((tmp_path / "today/seen.json").read_text())
    frozen = json.loads((STORES[0] / "seen.json").read_text())
    assert seen.keys() == frozen.keys()
    assert seen["audit"]["problems"] == []
