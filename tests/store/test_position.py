"""Verifying from a cached position: the same verdict as looking at everything, and nothing to be gained by forging it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.memory.auditing.position import Position, load
from gitmem.memory.auditing.since import position_since
from gitmem.memory.memory import Memory
from tests.support.auditing import counted, new_record
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


@pytest.fixture
def ada(tmp_path: Path) -> Memory:
    """Ada's store with two records, verified once."""
    found(tmp_path / "ada")
    memory = open_memory(tmp_path / "ada")
    for name in ("one", "two"):
        memory.learn("pattern", {"pattern": f"error {name}", "fix": "restart"})
        memory.commit()
    assert memory.verify().ok
    return memory


def since(memory: Memory) -> Position | None:
    """The position at HEAD, by way of the one that is kept."""
    known = load(memory.context)
    assert known is not None
    return position_since(memory.context.store.repo, memory.context.store.prefix, known)


def agree(memory: Memory) -> bool:
    """Whether all is well, by both ways."""
    quick, whole = memory.verify(), memory.verify(full=True)
    assert [quick.ok, quick.entries, quick.writers, quick.problems] == [whole.ok, whole.entries, whole.writers, whole.problems]
    return whole.ok


def test_honest_work_is_verified_from_where_it_was(ada: Memory) -> None:
    """Learned, edited, used and forgotten, in several commits; and nothing at all."""
    one, two = (record.id for record in ada.records())
    acts: list[Callable[[], object]] = [
        lambda: ada.learn("pattern", {"pattern": "error three", "fix": "none"}),
        lambda: ada.edit(one, {"fix": "stop it"}),
        lambda: ada.used(two, fixed=True, ms=5),
        lambda: ada.forget(one),
        lambda: None,
    ]
    for act in acts:
        act()
        ada.commit()
        assert since(ada) is not None
        assert agree(ada)


def test_concurrent_work_is_verified_from_where_it_was(tmp_path: Path, bare_remote: Path) -> None:
    """Two members who change the same record and others at the same time, merged both ways, again and again."""
    found(tmp_path / "ada")
    share(tmp_path / "ada", bare_remote)
    ada, who = open_memory(tmp_path / "ada"), person(tmp_path / "bobs-home")
    join(ada, tmp_path / "bob", bare_remote, "bob", who)
    bob = open_memory(tmp_path / "bob", who)
    shared = ada.learn("pattern", {"pattern": "both know it", "fix": "old"}).id
    for memory in (ada, bob):
        memory.sync()
        assert memory.verify().ok
    for turn in range(3):
        for memory, name in ((ada, "ada"), (bob, "bob")):
            memory.edit(shared, {"fix": f"{turn} by {name}"})
            memory.used(shared, fixed=True)
            memory.learn("pattern", {"pattern": f"error {turn} of {name}", "fix": "none"})
            memory.commit()
        for memory in (ada, bob, ada):
            memory.sync()
            assert since(memory) is not None
            assert agree(memory)


def _edited(root: Path) -> dict[str, bytes | None]:
    path = max(Git(root)("ls-files", "memory").split())
    return {path: emit(counted(parse((root / path).read_bytes(), path), "x-1", "fixed"))}


def _rolled_back(root: Path) -> dict[str, bytes | None]:
    path = Git(root)("log", "-1", "--format=", "--name-only", "--", "memory").strip()
    return {path: Git(root).run("show", f"HEAD~:{path}").stdout}


def _cut(root: Path) -> dict[str, bytes | None]:
    return {max(Git(root)("ls-files", "log/audit").split()): None}


def _changed_segment(root: Path) -> dict[str, bytes | None]:
    path = min(Git(root)("ls-files", "log/audit").split())
    return {path: (root / path).read_bytes().replace(b'"op":"config"', b'"op":"learn"')}


def _added(_: Path) -> dict[str, bytes | None]:
    return {"memory/team/pattern/xx/p-xxxx.yaml": emit(new_record("zed-1", "p-xxxx", fix="evil"))}


ATTACKS = [_edited, _rolled_back, _cut, _changed_segment, _added, lambda _: {".gitmem/schemas/x": b"{}"}]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_wrong_since_is_named_as_ever(ada: Memory, attack: Callable[[Path], dict[str, bytes | None]]) -> None:
    """A host's commit on top of sound ones, and what is left of it once it was undone."""
    root = ada.context.store.root
    ada.edit(next(iter(ada.records())).id, {"fix": "better"})
    ada.commit()
    for path, data in attack(root).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).unlink() if data is None else (root / path).write_bytes(data)
    git = Git(root)
    git("add", "--all")
    git("commit", "--quiet", "--no-verify", "-m", "host")
    assert not agree(ada)
    git("revert", "--no-edit", "HEAD")
    agree(ada)


def test_a_position_counts_only_for_who_made_it(ada: Memory, tmp_path: Path) -> None:
    """Edited, or made by somebody with another key, it is as if there was none; without a key there is none."""
    file = ada.context.store.local / "verified"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"entries":', b'"entries":1'))
    assert load(ada.context) is None
    file.write_bytes(whole)
    assert load(ada.context) is not None
    with open_memory(tmp_path / "ada", person(tmp_path / "elsewhere")) as stranger:
        assert load(stranger.context) is None
        assert stranger.verify().ok
    assert file.read_bytes() == whole


def test_another_history_is_looked_at_whole(ada: Memory) -> None:
    """A branch that goes back behind the position, or never came from it."""
    ada.learn("pattern", {"pattern": "error three", "fix": "none"})
    ada.commit()
    assert ada.verify().ok
    Git(ada.context.store.root)("reset", "--quiet", "--hard", "HEAD~")
    assert since(ada) is None
    assert agree(ada)
