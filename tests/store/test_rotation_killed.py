"""Killed between any two steps of taking a new name, or beside another process that does: no write is lost or made twice."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import gitmem.memory.committing.commit
import gitmem.store.replica
import gitmem.store.store
from gitmem.errors import GitmemError
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.journal import Journal
from gitmem.store.marks import Marks
from gitmem.store.store import Store
from tests.support.git import Git
from tests.support.stores import EFFORT, found, joined, open_memory, versions

BEGINS: dict[str, tuple[Any, str]] = {
    "before the new name": (gitmem.store.replica, "save_replica"),
    "before its marks": (Marks, "begin"),
}
ROTATES: dict[str, tuple[Any, str]] = {
    "before the next number": (gitmem.store.store, "save_replica"),
    "before the old marks go": (Marks, "forget"),
}
WRITES: dict[str, tuple[Any, str]] = {
    "before the journal": (Journal, "append"),
    "before the file": (Store, "put_file"),
    "before git": (gitmem.memory.committing.commit, "git_commit"),
    "before the touch": (gitmem.store.store, "touch"),
    "before the marks": (Marks, "put"),
    "before the note": (gitmem.memory.committing.commit, "note_head"),
    "before the journal goes": (Journal, "clear"),
}
"""Where a process dies: before it calls the function of this name."""
CASES = [
    *(("lost marks", step) for step in BEGINS | WRITES),
    *(("put back", step) for step in BEGINS),
    *(("reset", step) for step in ROTATES | WRITES),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A plain store with a note that was used in each of two commits."""
    found(tmp_path / "store", plain=True)
    with open_memory(tmp_path / "store") as memory:
        memory.learn("note", {"type": "semantic", "text": "a note"})
        for _ in range(2):
            memory.used(_note(memory), fixed=True)
            memory.commit()
    return tmp_path / "store"


def _note(memory: Memory) -> str:
    return memory.records()[0].id


def _dying(act: Callable[[], None], owner: Any, name: str) -> bool:
    """Whether `act`, in a process of its own, came to the call that it was to die before."""
    child = os.fork()
    if child == 0:
        setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        code = 1
        with suppress(BaseException):
            act()
            code = 0
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


@pytest.mark.parametrize(("back", "step"), CASES)
def test_killed_at_a_step(store: Path, back: str, step: str) -> None:
    """The past comes back, a process uses the record, edits and commits it, and is killed; the next goes on."""
    if back == "reset":
        Git(store)("reset", "--quiet", "--hard", "HEAD~1")
    elif back == "lost marks":
        (store / ".git/gitmem/marks").unlink()
    else:
        os.utime(store / ".git/gitmem/replica.yaml")
    told = store / "told"

    def work() -> None:
        with open_memory(store) as memory:
            memory.used(_note(memory), fixed=True)
            told.write_text("1")
            memory.edit(_note(memory), {"text": "edited"})
            told.write_text("2")
            memory.commit()

    assert _dying(work, *(BEGINS | ROTATES | WRITES)[step])
    acknowledged = int(told.read_text()) if told.exists() else 0
    told.unlink(missing_ok=True)
    with open_memory(store) as memory:
        memory.used(_note(memory), fixed=True)
        memory.commit()
        path = locate(memory.context, _note(memory))
        every = joined(versions(store, path))
        known = 3 + (acknowledged > 0)
        assert every.total("fixed") in (known, known + (acknowledged == 0))  # what was killed may have been written
        if acknowledged == 2:
            assert memory.get(_note(memory)).fields["text"] == "edited"
        assert not memory.conflicts()
        assert memory.verify().problems == []
        assert Git(store)("status", "--porcelain") == ""


def test_two_processes_while_one_takes_another_name(store: Path) -> None:
    """Both go on counting while the past comes back again and again; each use is counted once."""
    rounds = 8 * EFFORT
    done = [0, 0]
    with open_memory(store) as memory:
        path = locate(memory.context, _note(memory))
        note = _note(memory)

    def work(who: int) -> None:
        rng = random.Random(who)
        with open_memory(store) as memory:
            for _ in range(rounds):
                memory.used(note, fixed=True)
                done[who] += 1
                if rng.random() < 0.4:
                    with suppress(GitmemError):  # git is at work on the same clone
                        memory.commit()
                if who == 0 and rng.random() < 0.3:
                    Git(store)("reset", "--quiet", "--hard", "HEAD~1", check=False)
                if who == 1 and rng.random() < 0.2:
                    os.utime(store / ".git/gitmem/replica.yaml")

    threads = [threading.Thread(target=work, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Git(store)("reset", "--quiet", "--hard")
    with open_memory(store) as memory:
        memory.commit()
        assert memory.verify().problems == []
    assert done == [rounds, rounds]
    assert joined(versions(store, path)).total("fixed") == 2 + sum(done)
