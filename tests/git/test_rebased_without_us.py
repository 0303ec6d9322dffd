"""A rebase by git alone whose text conflict was settled by halves: one parent, and a side that no commit in it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.memory.founding.cloning import clone
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_both_values_stand_in_the_end(tmp_path: Path, side: str) -> None:
    """What it took from its parent comes back at once; what only the rebased commit held, with the branch that holds it still.

    Until then `audit verify` names it.
    """
    ada, bob = person(tmp_path / "ada-home"), person()
    remote = tmp_path / "remote.git"
    Git(tmp_path)("init", "--quiet", "--bare", remote)
    found(tmp_path / "ada", plain=True, who=ada)
    share(tmp_path / "ada", remote, ada)
    with open_memory(tmp_path / "ada", ada) as memory:
        join(memory, tmp_path / "joining", remote, "bob", bob)
        record = memory.learn("note", {"type": "semantic", "text": "first"}).id
        memory.sync()
    clone(str(remote), str(tmp_path / "bob"))
    with open_memory(tmp_path / "bob", bob) as memory:
        memory.edit(record, {"text": "bob's"})
        memory.commit()
    with open_memory(tmp_path / "ada", ada) as memory:
        memory.edit(record, {"text": "ada's"})
        memory.sync()
    _rebase_without_us(tmp_path, remote, side)
    with open_memory(tmp_path / "ada", ada) as memory:
        memory.sync()
        lost = [problem.what for problem in memory.verify().problems]
        assert lost == (["rolled back"] if side == "ours" else [])
    for name, who in (("bob", bob), ("ada", ada)):
        with open_memory(tmp_path / name, who) as memory:
            memory.sync()
            assert {value.value for value in memory.get(record).conflicts["text"]} == {"ada's", "bob's"}
            assert memory.verify().problems == []


def _rebase_without_us(folder: Path, remote: Path, side: str) -> None:
    """Rebase bob's commit onto ada's in a clone that knows nothing of records, take the lines of one side, and push."""
    Git(folder)("clone", "--quiet", folder / "bob", folder / "plain")
    git = Git(folder / "plain")
    git("fetch", "--quiet", remote, "main")
    git("rebase", "--quiet", f"--strategy-option={side}", "FETCH_HEAD")
    git("push", "--quiet", remote, "HEAD:main")
