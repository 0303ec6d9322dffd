"""Faults at system calls: whatever is interrupted or fails, what was acknowledged stands, and nothing else is said to be done.

`make faults` runs thousands of them, `python -m tests.faults --seed N` tells one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.matrix import Ground, draw
from tests.faults.scenes import SCENES
from tests.support import seccomp
from tests.support.served import load
from tests.support.stores import EFFORT

pytestmark = pytest.mark.skipif(not seccomp.works(), reason="this kernel has no seccomp notifications (Linux 5.9)")

_TRIALS = 2
_FAULTS = {"learn": 36, "used": 36}
_OTHERS = 6
"""Faults of a trial: the command is begun again after each, so that what mends one meets the next. Those two cost least."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """The stores that are copied."""
    load()
    made = Ground()
    yield made
    made.close()


@pytest.mark.parametrize("scene", SCENES)
def test_a_fault_loses_nothing(ground: Ground, scene: str) -> None:
    """After faults in the command and one `gitmem doctor --fix`: nothing lost, nothing foreign taken, sound, and it goes on."""
    failed: list[str] = []
    met = 0
    place, faults = list(SCENES).index(scene), _FAULTS.get(scene, _OTHERS)
    for number in range(_TRIALS * EFFORT):
        seed = place + len(SCENES) * number
        trial = draw(ground, seed, faults)
        failed += [f"{trial}: {why}\n    python -m tests.faults --seed {seed} --faults {faults}" for why in trial.run()]
        met += len(trial.met)
    assert not failed, "\n\n".join(failed)
    assert met
