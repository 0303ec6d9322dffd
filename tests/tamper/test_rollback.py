"""What nothing in the repository shows: the branch as it was some days ago. Whoever had more brings it back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from gitmem.memory.auditing.audit import TRUNCATION, verify
from tests.support.disk import MEMORY_DISK
from tests.tamper.conftest import Make
from tests.tamper.ground import shown
from tests.tamper.hands import Host
from tests.tamper.on_history import rolled_back
from tests.tamper.table import Store


def test_a_rollback_of_everything(make: Make) -> None:
    """A fresh clone alone sees nothing wrong, and says that it cannot; a clone that had more shares it again."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        ground = make(0, Store.SEALED).copy(Path(folder, "ground"))
        hand = Host(ground, Random(0))
        tip = rolled_back(hand, 3)
        alone = verify(hand.repo, tip=hand.tip())
        assert alone.ok
        assert TRUNCATION in alone.notes
        with ground.at("ada") as ada:
            before = shown(ada)
            assert "rewritten" in " ".join(ada.sync().notes)
            assert shown(ada) == before
        assert hand.repo.is_ancestor(tip, hand.tip())
