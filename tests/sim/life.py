"""The life of a store over years, in histories of their own (`python -m tests.sim --life`): many prune and migrate.

What may go is told by thresholds under which much does: a record goes that was tried and mostly failed, and so do the least
valuable where more than two stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from gitmem.core.dots import dot_of
from gitmem.core.migrations import fixed_in, since
from gitmem.core.retention import PRUNED
from gitmem.errors import GitmemError
from gitmem.memory.upkeep import migrate
from gitmem.memory.upkeep.prune import prune as prune_here
from gitmem.memory.upkeep.prune_undo import undo
from tests.sim.clone import Clone
from tests.sim.held import proof_of
from tests.sim.oracle import Deed, Proof
from tests.sim.switches import action
from tests.sim.world import MAX_RECORDS, Intent, Skip, World
from tests.support.older import older

THRESHOLDS = {
    "fresh_days": "0",
    "kept_days": "0",
    "min_tries": "1",
    "success_percent": "60",
    "confidence_percent": "0",
    "max_records": "2",
}
_QUIRK = "q-5zaaaaaaaaaa"
_WORDS = ("since {}", "{}.1+", "before {}", "fixed in {}.2", "in some ({})")


def set_thresholds(world: World, values: Iterable[tuple[str, str]]) -> None:
    """What may go, for all members, by variables of their own."""
    mine = {f"GITMEM_PRUNE_{name.upper()}": value for name, value in values}
    for clone in world.members:
        clone.close()
        clone.env = {**clone.env, **mine}


@action(14, life=True)
def prune(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem prune`: every record it tells of is dead here, by a write that is named after the life it ended."""
    try:
        report = prune_here(clone.memory.context)
    except GitmemError as error:
        clone.said.append(f"prune: {error}")
        return
    clone.said.append(f"prune: {[(one.id, one.reason) for one in report.records]}, revived {report.revived}")
    for one in report.records:
        look = clone.look(one.id)
        assert look is not None, f"{clone.name}: {one.id} was pruned and is gone"
        assert not look.alive, f"{clone.name}: {one.id} was pruned and stands"
        (key,) = look.state.life
        writer = dot_of(key).writer
        tried = (PRUNED, look.state.counts[PRUNED][writer])
        world.oracle.deeds.append(Deed(world.step, clone.name, one.id, Proof(writer, 1, (tried,)), look.shown, life=PRUNED))


@action(8, life=True)
def prune_undo(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem prune --undo last`: what it tells of stands again, with all it held."""
    looks = {record: (clone.look(record), clone.grave(record)) for record in world.ids}
    try:
        report = undo(clone.memory.context, "last")
    except GitmemError as error:
        clone.said.append(f"prune --undo: {error}")
        return
    clone.said.append(f"prune --undo: {report.restored}, not {[(one.id, one.why) for one in report.skipped]}")
    for record in report.restored:
        before, grave = looks[record]
        after = clone.look(record)
        assert after is not None, f"{clone.name}: {record} was brought back and is not there"
        assert after.alive, f"{clone.name}: {record} was brought back and is dead"
        if before is not None:
            world.note(clone, record, before, Intent())
            continue
        proof = proof_of(grave, after.state)
        assert proof is not None, f"{clone.name}: {record} was brought back without a write"
        deed = Deed(world.step, clone.name, record, proof, frozenset(), after.shown, life="alive")
        world.oracle.deeds.append(deed)


@action(8, life=True)
def old_quirk(world: World, clone: Clone, rng: Random) -> None:
    """A quirk that a gitmem without the second version of its kind writes, or says anew from when to when it holds."""
    if _QUIRK not in world.ids and len(world.ids) >= MAX_RECORDS:
        raise Skip("paper-sized")
    known = clone.look(_QUIRK)
    if clone.grave(_QUIRK) is not None or (known is not None and not known.alive):
        raise Skip("it was forgotten")
    versions = rng.choice(_WORDS).format(world.step)
    world.deed(
        clone,
        _QUIRK if known else None,
        lambda: older(clone.memory, versions, _QUIRK),
        Intent([("versions", versions)], over=["versions"]),
    )


@action(8, life=True)
def migrate_run(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem migrate run`, and now and then back again: nothing that people wrote changes."""
    try:
        clone.memory.commit()  # which may put back what git was made to take away
        before = {record: look.shown for record in world.ids if (look := clone.look(record))}
        report = (migrate.rollback if rng.random() < 0.3 else migrate.run)(clone.memory.context)
    except GitmemError as error:
        clone.said.append(f"migrate: {error}")
        return
    clone.said.append(f"migrate: {[(one.id, one.fields) for one in report.records]}")
    after = {record: look.shown for record in world.ids if (look := clone.look(record))}
    assert after == before, f"{clone.name}: migrating changed what people wrote"


def come_to_rest(clone: Clone) -> None:
    """The end of such a history: what was pruned and tried elsewhere is settled, and nothing waits to be migrated."""
    prune_here(clone.memory.context)
    migrate.run(clone.memory.context)


def check_migrated(world: World, clone: Clone) -> None:
    """What the newest version of a kind adds is what follows from what stands, however many worked it out.

    Where nothing follows, what came of an earlier value stays (docs/migrating.md, case 3).
    """
    look = clone.look(_QUIRK)
    if look is None or not look.alive or "versions" in look.record.conflicts:
        return
    fields = look.record.fields
    worked_out = {"since": since(fields["versions"]), "fixed_in": fixed_in(fields["versions"])}
    wanted = {name: value for name, value in worked_out.items() if value is not None}
    held = {name: fields.get(name) for name in wanted}
    assert held == wanted, f"{clone.name}: {_QUIRK} holds {held} for {fields['versions']!r}"
    assert not wanted.keys() & look.record.conflicts.keys(), f"{clone.name}: {_QUIRK} is in conflict with itself"
