"""The table of attacks: what each does, whose hands it takes, and how it must show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.tamper.hands import Host, Insider


class Store(Enum):
    """The stores an attack makes sense in."""

    SEALED = "sealed"
    PLAIN = "plain"
    ANY = "any"


@dataclass(frozen=True)
class Expected:
    """How an attack shows.

    `named`: problems that `audit verify` must name on the remote, as (name, beginning of the place); an empty name is any.
    `spoiled`: the records that a victim who syncs all the same may read otherwise than before; all others are as they were.
    `refused`: words of the error that the victim's sync ends with, who keeps all they had; `aside`: what the sync says it set
    aside.
    """

    named: tuple[tuple[str, str], ...]
    spoiled: frozenset[str] = frozenset()
    refused: str = ""
    aside: str = ""


def named(*problems: tuple[str, str], spoiled: Iterable[str] = (), refused: str = "", aside: str = "") -> Expected:
    """Something that `audit verify` names."""
    return Expected(problems, frozenset(spoiled), refused, aside)


@dataclass(frozen=True)
class Attack:
    """One row of the table."""

    name: str
    by: type[Host]
    store: Store
    act: Callable[[Any], Expected]


ATTACKS: list[Attack] = []


def host(store: Store = Store.ANY) -> Callable[[Callable[[Host], Expected]], Callable[[Host], Expected]]:
    """Register what a host without keys can do."""
    return _registered(Host, store)


def insider(store: Store = Store.ANY) -> Callable[[Callable[[Insider], Expected]], Callable[[Insider], Expected]]:
    """Register what a member with a key can do."""
    return _registered(Insider, store)


def _registered(by: type[Host], store: Store) -> Callable[[Callable[[Any], Expected]], Callable[[Any], Expected]]:
    def register(act: Callable[[Any], Expected]) -> Callable[[Any], Expected]:
        assert all(attack.name != act.__name__ for attack in ATTACKS), act.__name__
        ATTACKS.append(Attack(act.__name__, by, store, act))
        return act

    return register
