"""Pairs of states as a host's merge button meets them: what two replicas made of one record, each for itself."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from gitmem.core.record import State
from tests.unit.strategies import SECRETS, World, expected, random_steps

ALONE = frozenset({"pull", "reset", "replay", "copy", "dispute"})  # what a replica does not do while it hears nothing of others


class Pair(NamedTuple):
    """A common state, what each side made of it, and what both together must hold (None: a hand edit is not stamped yet)."""

    base: State
    mine: State
    theirs: State
    together: dict[str, object] | None

    @property
    def states(self) -> tuple[State, State, State]:
        """The three states."""
        return self.base, self.mine, self.theirs


def pair(random: Random, world: World | None = None, record: str | None = None) -> Pair:
    """A record with some history (in `world`, or a new one), and one to three writes on each side."""
    stamp = random.random() < 0.5
    world = world or World(secret=random.choice(SECRETS), stamp=stamp)
    world.play(random_steps(random, 25, (0, 1, 2), without=frozenset({"copy"})))
    world.play([("pull", 0, 1, 0), ("pull", 0, 2, 0), ("pull", 1, 0, 0), ("pull", 2, 0, 0)])
    base = world.states[0]
    world.play(random_steps(random, random.randint(1, 3), (0,), without=ALONE))
    world.play(random_steps(random, random.randint(1, 3), (1,), without=ALONE))
    known = world.replicas[0].known | world.replicas[1].known
    mine, theirs, _ = world.states
    together = expected(known) if world.stamp else None
    return Pair(_named(base, record), _named(mine, record), _named(theirs, record), together)


def _named(state: State, record: str | None) -> State:
    """The same state as another record's. (Checks in keys cover the place in a record, not the record.)"""
    copy = state.copy()
    copy.id = record or state.id
    return copy
