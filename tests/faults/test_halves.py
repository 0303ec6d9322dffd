"""What a killed git has half written into the work tree: taken out of the way, never for what somebody wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.founding.cloning import clone
from tests.support.git import Git
from tests.support.stores import found, open_memory, share


@pytest.fixture
def behind(tmp_path: Path, bare_remote: Path) -> tuple[Path, list[str], str]:
    """A clone, the files that the next fast-forward brings, and the record among them."""
    found(tmp_path / "theirs")
    share(tmp_path / "theirs", bare_remote)
    clone(str(bare_remote), str(tmp_path / "ours"))
    with open_memory(tmp_path / "theirs") as memory:
        record = memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}).id
        memory.sync()
    ours = Git(tmp_path / "ours")
    ours("fetch", "--quiet", "origin")
    names = ours("diff", "--name-only", "HEAD", "origin/main").split()
    return ours.path, names, record


def _half_written(path: Path, names: list[str], share_of: float) -> None:
    for name in names:
        data = Git(path).raw("show", f"origin/main:{name}")
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data[: int(len(data) * share_of)])


@pytest.mark.parametrize("share_of", [0, 0.6, 1])
@pytest.mark.parametrize("mended", [True, False], ids=["doctor", "sync alone"])
def test_a_half_written_work_tree_is_not_in_the_way(behind: tuple[Path, list[str], str], share_of: float, mended: bool) -> None:
    """Log segments, events and records of a killed checkout, empty, cut short or whole: the next sync brings them."""
    path, names, record = behind
    _half_written(path, names, share_of)
    with open_memory(path) as memory:
        warned: list[str] = []
        memory.context.warn = warned.append
        if mended:
            assert all(check.ok for check in doctor(memory.context, fix=True))
        memory.sync()
        assert memory.get(record).fields["fix"] == "plug it in"
        assert memory.sync().problems == []
        assert memory.verify().problems == []
        assert sum("set aside" in warning for warning in warned) == (len(names) if share_of < 1 else 0)
    assert Git(path)("status", "--porcelain") == ""


def test_what_is_new_here_stays(behind: tuple[Path, list[str], str]) -> None:
    """A record that was learned meanwhile, or written by hand, is nobody's half."""
    path, names, _ = behind
    _half_written(path, names, 0.5)
    with open_memory(path) as memory:
        mine = memory.learn("note", {"type": "semantic", "text": "the cable is blue"}).id
        doctor(memory.context, fix=True)
        memory.sync()
        assert memory.get(mine).fields["text"] == "the cable is blue"
