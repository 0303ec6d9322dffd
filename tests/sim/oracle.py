"""The oracle: what must be in every clone in the end, computed from the acknowledged writes alone.

It knows nothing of how records merge. Each acknowledged operation (a `Deed`) says what its clone showed of the record before,
what it wrote, which of the shown values it took the place of, and how a record state proves that it has it (`Proof`). Every
value is written once, so that a value names its write. From that follows:

- a counter is the sum of all acknowledged uses that still exist;
- a value must be there unless a later acknowledged write may have seen and replaced it;
- a value must be gone if every write of it was certainly seen by one that replaced it;
- what is left of a collected record is its grave: its counters, and the values that its deletion had not seen;
- a record stands if somebody edited it after the last deletion; it is dead if a deletion saw every edit;
- a record that was pruned stands if it was tried more often than anybody knew who pruned it, and nobody forgot it.

A write still exists unless every copy of it was destroyed on purpose: then neither a commit that some branch can reach nor a
journal holds it (`tests.sim.held`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gitmem.core.retention import PRUNED


class Key(NamedTuple):
    """One value of one field (or one tag) of a record."""

    record: str
    place: str
    value: str


class Proof(NamedTuple):
    """How a state shows that it includes a deed: it has seen the writer's n-th write, counted that far, or held the value."""

    writer: str = ""
    n: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    value: Key | None = None


@dataclass(frozen=True)
class Deed:
    """One acknowledged operation on one record, as its clone saw it. `life` is what it said about the record, if anything."""

    step: int
    clone: str
    record: str
    proof: Proof
    shown: frozenset[Key] = frozenset()
    wrote: frozenset[Key] = frozenset()
    replaced: frozenset[Key] = frozenset()
    life: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    by_hand: bool = False

    def __str__(self) -> str:
        wrote = ", ".join(f"{key.place}={key.value}" for key in sorted(self.wrote))
        gone = ", ".join(f"{key.place}={key.value}" for key in sorted(self.replaced))
        return (
            f"step {self.step} in {self.clone} on {self.record}: wrote [{wrote}] for [{gone}] {self.life} {dict(self.counts)}"
        )


@dataclass
class Oracle:
    """All deeds, in the order in which they were acknowledged."""

    deeds: list[Deed] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)
    graves: dict[str, list[Mapping[str, int]]] = field(default_factory=dict)
    """Of each collected record what its deletion had seen, as often as somebody collected it."""

    def expect(self, exists: list[bool], counted: list[set[str]] | None = None) -> Expectation:
        """What must be there in the end, given which of the deeds still exist, and which counters still include each.

        A counter says how far its writer has come: a later deed, in the journal still, may tell one counter of a deed that a
        reset has destroyed, and not another.
        """
        there = list(exists)
        for number in reversed(range(len(there))):
            deed, later = self.deeds[number], range(number + 1, len(there))
            if deed.by_hand:  # it shows by its value alone, which a write that saw it has replaced
                there[number] |= any(there[other] and deed.wrote & self.deeds[other].replaced for other in later)
        if counted is None:
            counted = [{name for name, _ in deed.counts if is_there} for deed, is_there in zip(self.deeds, there, strict=True)]
        return Expectation(self.deeds, there, self.graves, counted)


class Expectation:
    """What must be in every clone in the end."""

    def __init__(
        self, deeds: list[Deed], exists: list[bool], graves: Mapping[str, list[Mapping[str, int]]], counted: list[set[str]]
    ) -> None:
        self.deeds = deeds
        self.counted = counted
        self.exists = exists
        self.graves = graves
        self.writers: dict[Key, list[int]] = {}
        for number, deed in enumerate(deeds):
            for key in deed.wrote:
                self.writers.setdefault(key, []).append(number)
        self._surely_saw = self._visibility()

    def totals(self, record: str) -> dict[str, int]:
        """The exact counters of a record."""
        totals: dict[str, int] = {}
        for deed, names in zip(self.deeds, self.counted, strict=True):
            for name, amount in deed.counts if deed.record == record else ():
                if name in names:
                    totals[name] = totals.get(name, 0) + amount
        return totals

    def required(self, record: str) -> set[Key]:
        """The values that must be there."""
        return {key for key in self._keys(record) if any(self._must_stay(key, number) for number in self.writers[key])}

    def forbidden(self, record: str) -> set[Key]:
        """The values that must be gone."""
        return {key for key in self._keys(record) if all(self._must_go(key, number) for number in self.writers[key])}

    def alive(self, record: str) -> bool | None:
        """Whether the record must stand (True) or be dead (False); None where that cannot be told."""
        lives = [
            number for number, deed in enumerate(self.deeds) if self.exists[number] and deed.record == record and deed.life
        ]
        deaths = [number for number in lives if self.deeds[number].life == "dead"]
        births = [number for number in lives if self.deeds[number].life == "alive"]
        if births and all(births[-1] > number for number in [*deaths, *self._prunings(record)]):
            return True
        if any(self._prunings(record)):
            return None if deaths else self._pruned(record, births)
        seen = set().union(*(self._surely_saw[number] for number in lives))
        return False if deaths and set(births) <= seen else None

    def _pruned(self, record: str, births: list[int]) -> bool | None:
        """The same where nobody forgot it and some pruned it: it stands once it was tried more often than they knew."""
        prunings = self._prunings(record)
        known = [dict(self.deeds[number].proof.counts)[PRUNED] for number in prunings]
        if _tries(self._existing(record)) > max(known):
            return None if record in self.graves else True
        seen = set().union(*(self._surely_saw[number] for number in prunings))
        ever = _tries(deed for deed in self.deeds if deed.record == record)  # one that is lost may have brought it back
        return False if ever <= min(known) and set(births) <= seen else None

    def _prunings(self, record: str) -> list[int]:
        pruned = (number for number, deed in enumerate(self.deeds) if deed.record == record and deed.life == PRUNED)
        return [number for number in pruned if self.exists[number]]

    def _existing(self, record: str) -> list[Deed]:
        return [deed for deed, there in zip(self.deeds, self.exists, strict=True) if there and deed.record == record]

    def _keys(self, record: str) -> list[Key]:
        return [key for key in self.writers if key.record == record]

    def _must_stay(self, key: Key, writer: int) -> bool:
        later = zip(self.deeds[writer + 1 :], self.exists[writer + 1 :], strict=True)
        if not self.exists[writer] or self._buried(self.deeds[writer]):
            return False
        return not any(there and key in deed.replaced for deed, there in later)

    def _buried(self, deed: Deed) -> bool:
        """Whether its values went with a record that was collected: its deletion had seen them (of a hand, may have)."""
        return any(deed.proof.n <= seen.get(deed.proof.writer, 0) for seen in self.graves.get(deed.record, []))

    def _must_go(self, key: Key, writer: int) -> bool:
        """Whether the write never was, or was replaced by an existing deed that certainly had seen it (and it alone)."""
        return not self.exists[writer] or any(
            self.exists[number] and key in deed.replaced and not deed.by_hand and self._earlier(key, number) == [writer]
            for number, deed in enumerate(self.deeds)
        )

    def _earlier(self, key: Key, number: int) -> list[int]:
        return [writer for writer in self.writers[key] if writer < number]

    def _visibility(self) -> list[set[int]]:
        """For each deed the deeds that its clone had certainly seen: whose value it showed, and what those had seen."""
        saw: list[set[int]] = []
        for number, deed in enumerate(self.deeds):
            direct = (
                {earlier[0] for key in deed.shown if len(earlier := self._earlier(key, number)) == 1} if deed.shown else set()
            )
            saw.append(direct.union(*(saw[other] for other in direct)))
        return saw


def _tries(deeds: Iterable[Deed]) -> int:
    return sum(amount for deed in deeds for name, amount in deed.counts if name in ("fixed", "failed"))
