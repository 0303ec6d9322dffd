"""Power losses in and after commands: what was acknowledged stands. `make faults` tries five hundred."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.matrix import Ground
from tests.faults.power import lose_power
from tests.faults.scenes import SCENES
from tests.support import seccomp
from tests.support.served import load
from tests.support.stores import EFFORT

pytestmark = pytest.mark.skipif(not seccomp.works(), reason="this kernel has no seccomp notifications (Linux 5.9)")


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """The stores that are copied."""
    load()
    made = Ground()
    yield made
    made.close()


def test_a_power_loss_loses_nothing(ground: Ground) -> None:
    """A third of the commands (thorough: each) in a plain store and a sealed one by turns, cut short or just done."""
    count = len(SCENES)
    places = [n for n in range(count) if EFFORT > 1 or n % 3 == 0]
    seeds = [turn * count + n if (n + turn) % 2 else (turn + 1) * count + n for turn in range(EFFORT) for n in places]
    failed = [f"{why}\n    python -m tests.faults --power --seed {seed}" for seed in seeds for why in lose_power(ground, seed)]
    assert not failed, "\n\n".join(failed)
