"""Concurrent values: shown where they differ, not where two wrote the same, and settled by a program as by a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitmem.core.edit import Pen
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.memory.founding.cloning import clone
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.layout import record_path
from gitmem.store.store import Write
from tests.support.git import Git
from tests.support.stores import found, open_memory, share


@pytest.fixture(params=[False, True], ids=["sealed", "plain"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory with a store in `ada`, shared with a bare repository, and a clone of it in `bob`."""
    found(tmp_path / "ada", plain=request.param)
    with open_memory(tmp_path / "ada") as memory:
        memory.learn("pattern", {"pattern": "bus error in frob", "fix": "first"}, tags=["git"])
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    share(tmp_path / "ada", tmp_path / "remote")
    clone(str(tmp_path / "remote"), str(tmp_path / "bob"))
    return tmp_path


@contextmanager
def _both(place: Path) -> Iterator[tuple[Memory, Memory, str]]:
    """Both clones, and the id of the record."""
    with open_memory(place / "ada") as ada, open_memory(place / "bob") as bob:
        yield ada, bob, ada.records()[0].id


def _met(*memories: Memory) -> list[int]:
    """How many conflicts the syncs that bring them together have named."""
    return [memory.sync().conflicts for memory in (*memories, *memories)]


def test_equal_values_are_one_value(place: Path) -> None:
    """Two people write the same fix and tag: nowhere is there a conflict, though the file holds both writes."""
    with _both(place) as (ada, bob, record):
        for memory in (ada, bob):
            memory.edit(record, {"fix": "the same", "tags": ["git", "new"]})
        assert _met(ada, bob) == [0, 0, 0, 0]
        for memory in (ada, bob):
            state = memory.context.store.read(locate(memory.context, record))
            assert state is not None
            assert len(state.fields["fix"]) == 2
            shown = memory.get(record)
            assert (shown.fields["fix"], shown.sets["tags"]) == ("the same", ["git", "new"])
            assert (shown.conflicts, memory.conflicts(), memory.status().conflicts) == ({}, [], 0)
            assert memory.match("bus error in frob")[0].conflicts == 0
        ada.edit(record, {"fix": "another"})
        assert _met(ada, bob) == [0, 0, 0, 0]
        state = bob.context.store.read(locate(bob.context, record))
        assert state is not None
        assert len(state.fields["fix"]) == 1


def test_a_program_settles_a_conflict_end_to_end(place: Path) -> None:
    """Sync counts it, match says that its answer is disputed, conflicts give dots and values, resolve takes one."""
    with _both(place) as (ada, bob, record):
        ada.edit(record, {"fix": "Ada's"})
        bob.edit(record, {"fix": "Bob's", "meaning": "why"})
        assert sum(_met(ada, bob)) == 2
        assert bob.match("bus error in frob")[0].conflicts == 1
        (disputed,) = bob.conflicts()
        values = {value.value: value.dot for value in disputed.conflicts["fix"]}
        settled = bob.resolve(record, "fix", pick=values["Ada's"])
        assert (settled.fields["fix"], settled.fields["meaning"], settled.conflicts) == ("Ada's", "why", {})
        assert _met(bob, ada) == [0, 0, 0, 0]
        assert ada.get(record).fields["fix"] == "Ada's"
        assert (ada.conflicts(), ada.verify().problems) == ([], [])


def test_resolved_twice_is_a_conflict_only_if_the_choices_differ(place: Path) -> None:
    """Both settle at once: the same choice is one value, another choice waits again."""
    with _both(place) as (ada, bob, record):
        ada.edit(record, {"fix": "Ada's"})
        bob.edit(record, {"fix": "Bob's"})
        _met(ada, bob)
        for memory in (ada, bob):
            memory.resolve(record, "fix", value="agreed")
        assert _met(ada, bob) == [0, 0, 0, 0]
        ada.edit(record, {"fix": "one"})
        bob.edit(record, {"fix": "two"})
        _met(ada, bob)
        ada.resolve(record, "fix", value="three")
        bob.resolve(record, "fix", value="four")
        _met(ada, bob)
        assert {value.value for value in ada.get(record).conflicts["fix"]} == {"three", "four"}


def test_a_removal_that_meets_an_edit_is_no_conflict(place: Path) -> None:
    """What somebody wrote without knowing of the removal stands, alone."""
    with _both(place) as (ada, bob, record):
        ada.edit(record, {"meaning": "first"})
        _met(ada, bob)
        ada.edit(record, {"meaning": None})
        bob.edit(record, {"meaning": "second"})
        assert _met(ada, bob) == [0, 0, 0, 0]
        assert ada.get(record).fields["meaning"] == "second"


def test_a_scope_whose_key_is_missing_is_in_nobodys_way(place: Path) -> None:
    """Siblings that we cannot read are merged and counted for nothing; everything else is shown."""
    with open_memory(place / "ada") as ada:
        store = ada.context.store
        if store.config.plain:
            pytest.skip("a plain store has no keys")
        path = record_path("ops", "note", "n-abcdefgh")
        file = (store.root / locate(ada.context, ada.records()[0].id)).read_text()
        token = next(line.partition(": ")[2] for line in file.splitlines() if "ENC[" in line)
        foreign = token.replace(token[4:14], "1-00c0ffee", 1)
        states = []
        for writer in ("aaaaaaaa-1", "bbbbbbbb-1"):
            pen = Pen(State("note", 1, "ops", "n-abcdefgh"), writer)
            pen.set("text", lambda _path, _dot: foreign)
            pen.live()
            states.append(pen.state)
        with store.lock:
            store.write([Write(path, merge(*states))])
        ada.sync()
    with open_memory(place / "bob") as bob:
        assert bob.sync().conflicts == 0
        assert (bob.conflicts(), bob.status().conflicts) == ([], 0)
        assert len(bob.records()) == 1
        assert bob.match("bus error in frob")
        assert bob.verify().problems == []
