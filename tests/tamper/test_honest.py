"""No false alarm: whatever honest members do at once, verification finds nothing, with and without a key."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest

from gitmem.git.repo import Repo
from gitmem.memory.auditing.audit import verify
from gitmem.memory.auditing.keyless import check_stores
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT
from tests.tamper.conftest import Make
from tests.tamper.ground import shown
from tests.tamper.honest import work
from tests.tamper.table import Store

BATCHES = 2 if EFFORT == 1 else 40
MERGES = 5 if EFFORT == 1 else 25


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_false_alarm(make: Make, batch: int) -> None:
    """Forty batches of 25 merges where it should take long; all clones end alike, and each holds what the others do."""
    store = Store.PLAIN if batch % 2 else Store.SEALED
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        ground = make(0, store).copy(Path(folder, "ground"))
        made, left = work(ground, Random(f"honest {batch}"), MERGES)
        assert made >= MERGES
        assert verify(Repo.objects(ground.remote)).problems == []
        [report] = check_stores(ground.remote, "main", "main~3")
        assert report.problems == []
        heads = {Git(ground.folder / name)("rev-parse", "HEAD^{tree}") for name in left}
        assert len(heads) == 1
        with ground.at("ada") as ada, ground.at("bob") as bob:
            sealed = {record.id for memory in (ada, bob) for record in memory.records(limit=1000) if record.sealed}
            mine, theirs = ({name: one for name, one in shown(memory).items() if name not in sealed} for memory in (ada, bob))
            assert mine == theirs
