"""The list of actions: each registered with its weight, what kind of clone it takes, and whether it is switched on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.sim.clone import Clone, Role
from tests.sim.world import World

Act = Callable[[World, Clone, Random], None]

OFF: set[str] = set()
"""Actions, and other ways to live, that wait for what makes them safe."""


@dataclass(frozen=True)
class Action:
    """Something a clone's owner may do, how often relative to others, and with which kinds of clones."""

    name: str
    act: Act
    weight: float
    roles: frozenset[Role]
    plain: bool
    life: bool


ACTIONS: list[Action] = []


def action(weight: float, *roles: Role, plain: bool = False, life: bool = False) -> Callable[[Act], Act]:
    """Register a function as an action, of members unless `roles` say otherwise.

    `plain`: in stores without encryption only; `life`: in histories of the life of a store only.
    """

    def register(act: Act) -> Act:
        name = act.__name__.replace("_", " ")
        ACTIONS.append(Action(name, act, weight, frozenset(roles or {Role.MEMBER}), plain, life))
        return act

    return register


def draw(world: World, rng: Random) -> tuple[Action, Clone]:
    """An action and a clone to do it in."""
    (clone,) = rng.choices(world.clones, [3 if clone.role is Role.MEMBER else 1 for clone in world.clones])
    fitting = [
        one
        for one in ACTIONS
        if one.name not in OFF and clone.role in one.roles and (world.plain or not one.plain) and (world.life or not one.life)
    ]
    (chosen,) = rng.choices(fitting, [one.weight for one in fitting])
    return chosen, clone
