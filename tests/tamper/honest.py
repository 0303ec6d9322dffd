"""Honest concurrent work: members who learn, edit, use, forget, settle conflicts, join and sync in any order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.tamper.ground import Ground, text

Act = Callable[[Random, Memory], object]


def _pick(rng: Random, memory: Memory) -> str:
    return rng.choice(sorted(record.id for record in memory.records(limit=1000)))


def _learn(rng: Random, memory: Memory) -> object:
    return memory.learn("pattern", {"pattern": text(rng), "fix": text(rng)}, tags=[rng.choice("abc"), text(rng)])


def _edit(rng: Random, memory: Memory) -> object:
    record = memory.get(_pick(rng, memory))
    name = rng.choice(sorted(name for name, value in record.fields.items() if isinstance(value, str)))
    return memory.edit(record.id, {name: text(rng)})


def _tag(rng: Random, memory: Memory) -> object:
    return memory.edit(_pick(rng, memory), {"tags": rng.sample("abcdef", 2)})


def _use(rng: Random, memory: Memory) -> object:
    return memory.used(_pick(rng, memory), fixed=rng.random() < 0.5, ms=rng.randrange(1000))


def _forget(rng: Random, memory: Memory) -> object:
    return memory.forget(_pick(rng, memory)) if len(list(memory.records(limit=9))) > 4 else None


def _settle(rng: Random, memory: Memory) -> object:
    waiting = memory.conflicts()
    if not waiting:
        return _edit(rng, memory)
    record = rng.choice(waiting)
    if not record.conflicts:
        return memory.keep(record.id)
    name = rng.choice(sorted(record.conflicts))
    return memory.resolve(record.id, name, value=text(rng))


ACTS: tuple[tuple[Act, int], ...] = ((_learn, 3), (_edit, 6), (_tag, 3), (_use, 5), (_forget, 1), (_settle, 3))


def work(ground: Ground, rng: Random, merges: int) -> int:
    """Let the members work until the remote holds so many merges more, and then meet; how many there were."""
    git = Git(ground.remote)
    before = git("rev-parse", "main")
    with ground.at("ada") as ada, ground.at("bob") as bob, ground.at("cyd") as cyd:
        members = [ada, bob, cyd]
        while (made := int(git("rev-list", "--count", "--min-parents=2", f"{before}..main"))) < merges:
            for member in rng.sample(members, 3):
                for act in rng.choices([act for act, _ in ACTS], [weight for _, weight in ACTS], k=rng.randint(1, 4)):
                    act(rng, member)
                if rng.random() < 0.3:
                    member.commit()
            for member in rng.sample(members, rng.randint(2, 3)):
                member.sync()
        for member in (*members, *members):
            member.sync()
    return made
