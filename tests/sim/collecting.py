"""Taking away what is left of forgotten records, in any clone; old clones, backups and late edits come back to it."""

from __future__ import annotations

from random import Random

from gitmem.errors import GitmemError
from gitmem.memory.upkeep.gc import UNSIGNED
from tests.sim.clone import Clone
from tests.sim.switches import action
from tests.sim.world import Intent, Skip, World


@action(3)
def gc(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem gc`, mostly after retiring all who hold it up, whether somebody is still at work there or not."""
    _forget_one(world, clone, rng)
    try:
        waiting = clone.memory.gc(dry_run=True).waiting
        names = sorted({name for garbage in waiting for name in garbage.waits_for if name != UNSIGNED})
        patient = rng.random() < 0.3
        collected = [each for name in names if not patient for each in clone.memory.gc(retire=name).collected]
        collected += clone.memory.gc().collected
    except GitmemError as error:
        clone.said.append(f"gc: {error}")
        return
    clone.said.append(f"gc: collected {[garbage.id for garbage in collected]}")
    for garbage in collected:
        grave = clone.grave(garbage.id)
        assert grave is not None, f"{clone.name}: {garbage.id} was collected and has no grave"
        assert clone.look(garbage.id) is None, f"{clone.name}: {garbage.id} was collected and is there"
        world.oracle.graves.setdefault(garbage.id, []).append(grave.seen)


def _forget_one(world: World, clone: Clone, rng: Random) -> None:
    """Where no tombstone lies, mostly make one: short histories hardly come to it otherwise."""
    looks = [look for record in world.ids if (look := clone.look(record))]
    if all(look.alive for look in looks) and rng.random() < 0.7:
        try:
            record = world.pick(clone, rng, alive=True)
        except Skip:
            return
        world.deed(clone, record, lambda: clone.memory.forget(record), Intent(life="dead"))
