"""Honest concurrent work: members who learn, edit, use, forget, settle conflicts, make keys and scopes, leave and sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from gitmem.memory.context import TEAM
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.granting import add_scope, grant, revoke
from gitmem.memory.members.removal import remove, set_role
from gitmem.memory.members.rotation import rotate
from gitmem.memory.members.scopes import scopes
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erase_subject import erase_subject
from gitmem.memory.results import Record
from gitmem.memory.upkeep.gc import gc
from tests.support.git import Git
from tests.tamper.ground import Ground, text

Act = Callable[[Random, Memory], object]


def _pick(rng: Random, memory: Memory) -> str:
    return rng.choice(sorted(record.id for record in memory.records(limit=1000) if not record.sealed and _is_whole(record)))


def _is_whole(record: Record) -> bool:
    """Whether it is more than what somebody wrote to it who had not heard that it was erased."""
    return ("pattern" if record.kind == "pattern" else "text") in (record.fields | record.conflicts)


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


def _erase(rng: Random, memory: Memory) -> object:
    """Erase a record, or only what one of its values says, as `erase --subject` finds it."""
    if len(list(memory.records(limit=9))) < 7:
        return _learn(rng, memory)
    record = memory.get(_pick(rng, memory))
    if rng.random() < 0.5:
        return erase(memory.context, [record.id])
    named = memory.edit(record.id, {"fix" if record.kind == "pattern" else "text": f"{text(rng)} Bo Lind {text(rng)}"})
    memory.commit()
    return erase_subject(memory.context, ["Bo Lind"], redact=True) and named


def _collect(_rng: Random, memory: Memory) -> object:
    return gc(memory.context)


def _settle(rng: Random, memory: Memory) -> object:
    waiting = memory.conflicts()
    if not waiting:
        return _edit(rng, memory)
    record = rng.choice(waiting)
    if not _is_whole(record):
        return erase(memory.context, [record.id])
    if not record.conflicts:
        return memory.keep(record.id)
    name = rng.choice(sorted(record.conflicts))
    return memory.resolve(record.id, name, value=text(rng))


def _rotate(_rng: Random, memory: Memory) -> object:
    return rotate(memory.context) if _is_admin(memory) and not memory.context.store.config.plain else None


def _scope(rng: Random, memory: Memory) -> object:
    """Make a scope, let somebody into one of ours or out of it, or record something there."""
    context = memory.context
    mine = [one for one in scopes(context) if one.scope != TEAM and one.opened]
    if context.store.config.plain or not _is_admin(memory):
        return None
    if len(mine) < 2:
        name = f"s{rng.getrandbits(40):x}"
        add_scope(context, name)
        return memory.learn("note", {"text": text(rng)}, scope=name)
    one = rng.choice(mine)
    standing = members_of(context)
    owned = standing.scopes[one.scope]
    inside = sorted(owned.members - {memory.status().member})
    outside = sorted(standing.by_name.keys() - {*owned.members, *one.members})
    if outside and rng.random() < 0.5:
        return grant(context, one.scope, rng.choice(outside))
    if inside and rng.random() < 0.5:
        return revoke(context, one.scope, rng.choice(inside))
    return memory.learn("note", {"text": text(rng)}, scope=one.scope)


def _is_admin(memory: Memory) -> bool:
    return memory.status().member in members_of(memory.context).admins()


ACTS: tuple[tuple[Act, int], ...] = (
    (_learn, 3),
    (_edit, 6),
    (_tag, 3),
    (_use, 5),
    (_forget, 1),
    (_erase, 1),
    (_collect, 1),
    (_settle, 3),
    (_rotate, 1),
    (_scope, 2),
)


def work(ground: Ground, rng: Random, merges: int) -> tuple[int, list[str]]:
    """Let the members work until the remote holds so many merges more, and then meet; how many there were, and who is left.

    Two of them are admins, who make keys at once; now and then the third is removed on the way.
    """
    git = Git(ground.remote)
    before = git("rev-parse", "main")
    with ground.at("ada") as ada, ground.at("bob") as bob, ground.at("cyd") as cyd:
        members = {"ada": ada, "bob": bob, "cyd": cyd}
        set_role(ada.context, "bob", "admin")
        _meet(members)
        leaves = rng.randint(1, 2 * merges)
        while (made := int(git("rev-list", "--count", "--min-parents=2", f"{before}..main"))) < merges:
            for member in rng.sample([*members.values()], len(members)):
                for act in rng.choices([act for act, _ in ACTS], [weight for _, weight in ACTS], k=rng.randint(1, 4)):
                    act(rng, member)
                if rng.random() < 0.3:
                    member.commit()
            for member in rng.sample([*members.values()], rng.randint(2, len(members))):
                member.sync()
            if "cyd" in members and made >= leaves:
                members.pop("cyd").sync()
                remove(rng.choice([ada, bob]).context, "cyd")
        _meet(members)
    return made, sorted(members)


def _meet(members: Mapping[str, Memory]) -> None:
    for member in [*members.values()] * 3:
        member.sync()
