"""A snapshot before whatever could take something away, kept as long as the store's policy says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gitmem.errors import UsageError
from gitmem.git.repo import Repo
from gitmem.git.snapshots import all_snapshots
from gitmem.memory.backups import snapshots
from gitmem.memory.policies import set_numbers
from gitmem.memory.privacy.erase import erase
from tests.support.stores import found, open_memory


def _reasons(path: Path) -> list[str]:
    return [one.reason for one in all_snapshots(Repo.find(path))]


def test_the_policy_says_how_many_are_kept(tmp_path: Path) -> None:
    """By default ten; what the store's configuration says, once it does, is signed for and holds for the next one."""
    found(tmp_path / "ada", plain=True)
    with open_memory(tmp_path / "ada") as memory:
        start = memory.context.clock()
        for hours in range(12):
            memory.context.clock = lambda hours=hours: start + timedelta(hours=hours / 100)  # type: ignore[misc]
            snapshots.before(memory.context, f"try {hours}")
        assert _reasons(tmp_path / "ada") == [f"try-{hours}" for hours in range(2, 12)]
        assert set_numbers(memory.context, {snapshots.LAST: 3, snapshots.DAYS: 0})
        assert not set_numbers(memory.context, {snapshots.LAST: 3})
        memory.context.clock = lambda: start + timedelta(hours=1)
        snapshots.before(memory.context, "last")
        assert _reasons(tmp_path / "ada") == ["try-10", "try-11", "last"]
        assert memory.verify().problems == []
        with pytest.raises(UsageError, match="can be a number from 0 to 36,500, not 36,501"):
            set_numbers(memory.context, {snapshots.LAST: 36_501})


def test_a_rotation_and_an_erasure_have_one(tmp_path: Path) -> None:
    """A new key leaves one behind. An erasure leaves none that holds what was erased, but its own, which is without it."""
    found(tmp_path / "ada")
    with open_memory(tmp_path / "ada") as memory:
        record = memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}).id
        memory.commit()
        memory.rotate()
        assert _reasons(tmp_path / "ada") == ["rotate"]
        erase(memory.context, [record])
        assert _reasons(tmp_path / "ada") == ["erase"]
