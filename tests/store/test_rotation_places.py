"""A clone that was copied, moved or put back writes under a name that nobody else uses: counts stay exact, the log verifies."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gitmem.memory.committing.events import every_event
from gitmem.memory.founding.cloning import clone
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.marks import Marks
from gitmem.store.replica import load_replica, owner_of, save_replica, version
from tests.support.backups import TOOLS, anew, cp
from tests.support.git import Git
from tests.support.stores import found, joined, open_memory, share, versions

LOCAL = Path(".git/gitmem")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A plain store with a note in it, shared with a bare repository."""
    found(tmp_path / "store", plain=True)
    with open_memory(tmp_path / "store") as memory:
        memory.learn("note", {"type": "semantic", "text": "a note"})
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    share(tmp_path / "store", tmp_path / "remote")
    return tmp_path / "store"


def _note(memory: Memory) -> str:
    return memory.records()[0].id


def _use(path: Path, times: int = 1, *, sync: bool = True) -> str:
    """Use the note, and give the writer's name."""
    with open_memory(path) as memory:
        for _ in range(times):
            memory.used(_note(memory), fixed=True)
        if sync:
            memory.sync()
        return memory.context.store.replica.writer


def _check(path: Path, fixed: int) -> None:
    """After a sync the uses are all there, told once each, and the log adds up."""
    with open_memory(path) as memory:
        memory.sync()
        assert memory.get(_note(memory)).usage.fixed == fixed
        assert memory.verify().problems == []
        assert Counter(event["op"] for event in every_event(memory.context))["used"] == fixed
        assert Git(path)("status", "--porcelain") == ""


@pytest.mark.parametrize("what", ["everything", "git", "local"])
@pytest.mark.parametrize("tool", TOOLS)
def test_a_backup_put_back_in_its_place(store: Path, tool: str, what: str) -> None:
    """What was written and shared since the backup is not written over by what comes after it."""
    _use(store, 2)
    _use(store, 1, sync=False)  # waits in the journal when the backup is made
    part = {"everything": Path(), "git": Path(".git"), "local": LOCAL}[what]
    backup = store.parent / "backup"
    anew(store / part, backup)
    before = _use(store, 3)
    TOOLS[tool](backup, store / part)
    if what == "git":
        Git(store)("reset", "--hard")
    assert _use(store).split("-")[0] != before.split("-")[0]
    _check(store, 7)


@pytest.mark.parametrize("name", ["marks", "replica.yaml", "journal"])
def test_one_file_put_back(store: Path, name: str) -> None:
    """Older marks, an older name, an older journal beside a store that has gone on."""
    _use(store, 2)
    backup = store.parent / "backup"
    anew(store / LOCAL / name, backup)
    before = _use(store, 3)
    anew(backup, store / LOCAL / name) if name == "journal" else shutil.copy2(backup, store / LOCAL / name)
    assert _use(store).split("-")[0] != before.split("-")[0]
    _check(store, 6)


@pytest.mark.parametrize("harm", ["lost", "damaged"])
@pytest.mark.parametrize("name", ["marks", "replica.yaml", "journal", "index.db"])
def test_one_file_lost_or_damaged(store: Path, name: str, harm: str) -> None:
    """Nothing that a commit holds depends on what lies beside the store."""
    _use(store, 2)
    path = store / LOCAL / name
    if harm == "lost":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        file = max(path.iterdir()) if path.is_dir() else path
        file.write_bytes(b"\xffrubbish" * 100)
    _use(store)
    _check(store, 3)


def test_a_damaged_database_mid_way_is_survived_by_an_open_process(store: Path) -> None:
    """The marks are overwritten while somebody works: the next command goes on under another name."""
    with open_memory(store) as memory:
        memory.used(_note(memory), fixed=True)
        memory.commit()
        (store / LOCAL / "marks").write_bytes(b"rubbish" * 1000)
        memory.used(_note(memory), fixed=True)
    _check(store, 2)


@pytest.mark.parametrize("tool", TOOLS)
def test_both_of_a_copied_clone_go_on(store: Path, tool: str) -> None:
    """What waited in the journal is committed by both, and is one use; an open process of the original goes on, too."""
    with open_memory(store) as memory:
        memory.used(_note(memory), fixed=True)
        memory.edit(_note(memory), {"text": "edited"})
        copy = store.parent / "copy"
        copy.mkdir()
        TOOLS[tool](store, copy)
        names = {_use(copy, 2), memory.context.store.replica.writer}
        memory.used(_note(memory), fixed=True)
    names.add(_use(copy))
    assert len(names) == 2
    _check(store, 5)
    _check(copy, 5)
    with open_memory(store) as memory:
        assert not memory.conflicts()
        assert Counter(event["op"] for event in every_event(memory.context))["edit"] == 1


def test_a_moved_clone_keeps_its_name(store: Path) -> None:
    """A renamed directory is the same clone at another path."""
    before = _use(store)
    moved = store.rename(store.parent / "moved")
    assert _use(moved) == before
    _check(moved, 2)


def test_a_copy_of_a_clone_that_was_killed_in_a_commit(store: Path) -> None:
    """Log files that no commit holds are the killed commit's, also where the clone has another name by now."""
    name = _use(store)
    log, events = store / "log/audit" / name / "000/000007.jsonl", store / "log/events" / name / "2026-11/000007.yaml"
    for file in (log, events):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")
    copy = store.parent / "copy"
    cp_to_new(store, copy)
    _use(copy)
    _check(copy, 2)


def cp_to_new(source: Path, target: Path) -> None:
    """`cp -a` to a place that is not there yet."""
    target.mkdir()
    cp(source, target)


def test_linked_worktrees_are_replicas_of_their_own(store: Path) -> None:
    """Each branch's work tree writes under its own name; merged by plain git all uses are there."""
    before = _use(store)
    side = store.parent / "side"
    Git(store)("worktree", "add", "--quiet", "-b", "side", side)
    with open_memory(side) as memory:
        memory.used(_note(memory), fixed=True)
        memory.commit()
        assert memory.context.store.replica.name != before.split("-")[0]
    assert _use(store) == before
    Git(store)("merge", "--quiet", "--no-edit", "side")
    _check(store, 3)


def test_fresh_clones_have_names_of_their_own(store: Path) -> None:
    """A build machine that clones anew each time is another replica each time, and nobody's counts are touched."""
    names = {_use(store)}
    for number in range(3):
        clone(str(store.parent / "remote"), str(store.parent / f"ci{number}"))
        names.add(_use(store.parent / f"ci{number}"))
    assert len({name.split("-")[0] for name in names}) == 4
    _check(store, 4)


def _forge(copy: Path, original: Path) -> None:
    """Make a copy take itself for the original, as a machine that was cloned with its disk does."""
    replica = load_replica(original / LOCAL)
    assert replica is not None
    local = copy / LOCAL
    save_replica(local, replace(replica, inode=local.stat().st_ino))
    marks = Marks(local / "marks")
    marks.put([], owner_of(version(local), replica, 0))
    marks.close()


def test_a_log_that_came_in_ahead_of_us(store: Path) -> None:
    """A machine put back to a snapshot meets what it wrote after that on the remote: it says so, and takes another name."""
    before = _use(store)
    snapshot = store.parent / "snapshot"
    cp_to_new(store, snapshot)
    _forge(snapshot, store)
    _use(store, 2)
    with open_memory(snapshot) as memory:
        assert memory.context.store.replica.writer == before
        (note,) = memory.sync().notes
        assert before in note
        assert memory.context.store.replica.name in note
    _use(snapshot, 2)
    _check(snapshot, 5)
    _check(store, 5)


def test_a_record_that_came_in_ahead_of_us(store: Path) -> None:
    """What plain git brings is noticed at the next write."""
    before = _use(store)
    snapshot = store.parent / "snapshot"
    cp_to_new(store, snapshot)
    _forge(snapshot, store)
    _use(store, 2)
    Git(snapshot)("pull", "--quiet", "origin", "main")
    assert _use(snapshot, 2).split("-")[0] != before.split("-")[0]
    _check(snapshot, 5)
    with open_memory(store) as memory:
        path = locate(memory.context, _note(memory))
    assert joined(versions(snapshot, path) + versions(store, path)).total("fixed") == 5
