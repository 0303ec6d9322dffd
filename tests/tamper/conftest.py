"""The stores to attack, made once a process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.disk import MEMORY_DISK
from tests.tamper.ground import Ground, make_ground
from tests.tamper.table import Store

Make = Callable[[int, Store], Ground]


@pytest.fixture(scope="session")
def make() -> Iterator[Make]:
    """Makes a store by seed and sort, once for all tests of this process."""
    made: dict[tuple[int, Store], Ground] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:

        def _make(seed: int, store: Store) -> Ground:
            if (seed, store) not in made:
                made[seed, store] = make_ground(Path(folder, f"{store.value}-{seed}"), seed, plain=store is Store.PLAIN)
            return made[seed, store]

        yield _make


@pytest.fixture
def ground(make: Make) -> Iterator[Ground]:
    """A copy of a sealed store of ada, bob and cyd, to be changed and pushed to."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        yield make(0, Store.SEALED).copy(Path(folder, "ground"))
