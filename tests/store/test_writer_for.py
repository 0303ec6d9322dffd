"""Under which name the next write to a record goes, case by case, asked of the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.core.record import State
from gitmem.store.store import Store
from tests.support.stores import found, open_memory

ID = "n-abcdef"
PATH = f"memory/team/note/cd/{ID}.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A plain store, open and locked for writing."""
    found(tmp_path / "store", plain=True)
    with open_memory(tmp_path / "store") as memory, memory.context.store.lock:
        yield memory.context.store


def _state(store: Store, n: int, fixed: int = 0) -> State:
    writer = store.replica.writer
    return State("note", 1, "team", ID, seen={writer: n}, counts={"fixed": {writer: fixed}} if fixed else {})


def _committed(store: Store, state: State) -> None:
    """What a commit that holds the record leaves behind."""
    store.put_marks([(PATH, state)])
    store.forget_committed()


def test_a_new_record_is_written_under_the_same_name(store: Store) -> None:
    """Nothing is there and nothing was: nothing has gone back."""
    before = store.replica.writer
    assert store.writer_for(PATH, None) == before


@pytest.mark.parametrize("wrote", [1, 7])
def test_a_record_that_is_gone_has_gone_back(store: Store, wrote: int) -> None:
    """Even if it had but one write: that number may be in a commit somewhere, and is never used again."""
    before = store.replica
    _committed(store, _state(store, wrote))
    assert store.writer_for(PATH, None) == f"{before.name}-{before.number + 1}"


@pytest.mark.parametrize(("n", "fixed", "rotated"), [(3, 2, False), (2, 2, True), (3, 1, True), (3, 0, True)])
def test_a_record_behind_its_mark(store: Store, n: int, fixed: int, rotated: bool) -> None:
    """A write less or a count less than the mark says."""
    before = store.replica
    _committed(store, _state(store, 3, 2))
    assert store.writer_for(PATH, _state(store, n, fixed)) == f"{before.name}-{before.number + rotated}"


@pytest.mark.parametrize(("n", "fixed"), [(4, 2), (3, 3)])
def test_a_record_that_holds_more_in_our_name_than_we_wrote(store: Store, n: int, fixed: int) -> None:
    """Somebody else writes under our name: it is left to them."""
    before = store.replica
    _committed(store, _state(store, 3, 2))
    store.writer_for(PATH, _state(store, n, fixed))
    assert store.replica.name != before.name


def test_a_retired_name_is_not_written_under(store: Store) -> None:
    """The team waits no more for what is written under it. (A plain `git pull` may have brought that word.)"""
    before = store.replica
    store.config.state.sets["retired"] = {"eaaaaaaa": {"m7d4ttzz-1.1": before.name}}
    store.writer_for(PATH, None)
    assert store.replica.name != before.name
