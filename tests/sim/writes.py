"""What people and agents do with records, through the Python API or the real command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from gitmem.errors import ConflictsLeft, GitmemError
from tests.sim.clone import Clone, Role
from tests.sim.switches import action
from tests.sim.world import MAX_RECORDS, Intent, Skip, World

_THROUGH_CLI = 0.06
_ANY_GITMEM = (Role.MEMBER, Role.KEYLESS)


@action(5)
def learn(world: World, clone: Clone, rng: Random) -> None:
    """Record an error with its fix; often one that somebody else records at the same time."""
    number = rng.randrange(MAX_RECORDS - 2)
    pattern, fix = f"error {number}", world.text("fix")
    tags = [world.text("tag")] if rng.random() < 0.5 else []
    known = _id_of(world, clone, pattern)

    def act() -> str:
        if rng.random() < _THROUGH_CLI:
            words = [word for tag in tags for word in ("--tag", tag)]
            clone.by_cli("learn", "--pattern", pattern, "--fix", fix, *words)
            return _id_of(world, clone, pattern)
        return clone.memory.learn("pattern", {"pattern": pattern, "fix": fix}, tags=tags).id

    wrote = [("pattern", pattern), ("fix", fix), *(("tags", tag) for tag in tags)]
    world.deed(clone, known, act, Intent(wrote, over=["fix"]))


@action(1)
def note(world: World, clone: Clone, rng: Random) -> None:
    """Record a note, which is nobody else's."""
    if len(world.ids) >= MAX_RECORDS:
        raise Skip("paper-sized")
    text = world.text("text")
    fields = {"type": "semantic", "text": text}
    world.deed(clone, None, lambda: clone.memory.learn("note", fields).id, Intent([("text", text)]))


@action(8)
def used(world: World, clone: Clone, rng: Random) -> None:
    """Report a try of a record."""
    record = world.pick(clone, rng)
    fixed, ms = rng.random() < 0.7, rng.choice([None, None, rng.randrange(1000)])
    if rng.random() < _THROUGH_CLI:
        words = ["--fixed" if fixed else "--failed", *([] if ms is None else ["--ms", str(ms)])]
        act: Callable[[], object] = lambda: clone.by_cli("used", record, *words)  # noqa: E731
    else:
        act = partial(clone.memory.used, record, fixed=fixed, ms=ms)
    times = {} if ms is None else {"ms": ms, "timed": 1} if ms else {"timed": 1}  # nothing is added to a counter by 0
    world.deed(clone, record, act, Intent(life="", counts={"fixed" if fixed else "failed": 1, **times}))


@action(3)
def match(world: World, clone: Clone, rng: Random) -> None:
    """Look an error up, which counts what is shown."""
    looks = {record: clone.look(record) for record in world.ids}
    answers = clone.memory.match(f"sh: error {rng.randrange(MAX_RECORDS - 2)}")
    for answer in answers:
        world.note(clone, answer.id, looks.get(answer.id), Intent(life="", counts={"matched": 1}))


@action(6)
def edit(world: World, clone: Clone, rng: Random) -> None:
    """Change one field."""
    record = world.pick(clone, rng)
    place = "text" if record.startswith("n-") else rng.choice(["fix", "meaning"])
    value = world.text(place)
    if rng.random() < _THROUGH_CLI:
        act: Callable[[], object] = lambda: clone.by_cli("edit", record, "--set", f"{place}={value}")  # noqa: E731
    else:
        act = partial(clone.memory.edit, record, {place: value})
    world.deed(clone, record, act, Intent([(place, value)], over=[place]))


@action(3)
def tag(world: World, clone: Clone, rng: Random) -> None:
    """Add a tag, or take one away."""
    record = world.pick(clone, rng)
    look = clone.look(record)
    assert look is not None
    tags = sorted(key.value for key in look.shown if key.place == "tags")
    if tags and rng.random() < 0.4:
        gone = rng.choice(tags)
        left = [each for each in tags if each != gone]
        world.deed(clone, record, lambda: clone.memory.edit(record, {"tags": left}), Intent(drops=[gone]))
    else:
        fresh = f"tag {rng.randrange(4)}" if rng.random() < 0.3 else world.text("tag")
        act = partial(clone.memory.edit, record, {"tags": [*tags, fresh]})
        world.deed(clone, record, act, Intent([("tags", fresh)]))


@action(2)
def forget(world: World, clone: Clone, rng: Random) -> None:
    """Delete a record."""
    record = world.pick(clone, rng, alive=True)
    if rng.random() < _THROUGH_CLI:
        world.deed(clone, record, lambda: clone.by_cli("forget", record, "--yes"), Intent(life="dead"))
    else:
        world.deed(clone, record, lambda: clone.memory.forget(record), Intent(life="dead"))


@action(3)
def resolve(world: World, clone: Clone, rng: Random) -> None:
    """Settle a conflict, if there is one."""
    conflicts = [
        (record, look) for record in world.ids if (look := clone.look(record)) and (look.record.conflicts or look.contested)
    ]
    if not conflicts:
        raise Skip("no conflict")
    record, look = rng.choice(conflicts)
    if not look.record.conflicts:
        world.deed(clone, record, lambda: clone.memory.keep(record), Intent())
        return
    place = rng.choice(sorted(look.record.conflicts))
    chosen = rng.choice(sorted(look.record.conflicts[place], key=lambda value: str(value.value)))
    if rng.random() < 0.6:
        act = partial(clone.memory.resolve, record, place, pick=chosen.dot)
        world.deed(clone, record, act, Intent([(place, str(chosen.value))], over=[place], again=True))
    else:
        value = world.text(place)
        act = partial(clone.memory.resolve, record, place, value=value)
        world.deed(clone, record, act, Intent([(place, value)], over=[place]))


@action(4)
def commit(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem commit`."""
    if rng.random() < _THROUGH_CLI:
        clone.cli("commit")
        return
    try:
        clone.memory.commit()
    except GitmemError as error:
        clone.said.append(f"commit: {error}")


@action(10, *_ANY_GITMEM)
def sync(world: World, clone: Clone, rng: Random) -> None:
    """`gitmem sync`."""
    if rng.random() < _THROUGH_CLI:
        clone.cli("sync")
        return
    try_sync(clone)


def try_sync(clone: Clone) -> list[str]:
    """Sync; the problems it told of. A refusal is one of them."""
    try:
        problems = clone.reopened().sync().problems
    except ConflictsLeft as error:
        problems = [f"conflicts: {error}"]
    except GitmemError as error:
        problems = [f"refused: {error}"]
    clone.said.append(f"sync: {problems or 'done'}")
    return problems


@action(2)
def killed(world: World, clone: Clone, rng: Random) -> None:
    """A command that is killed at some moment: what it was to record is there whole or not at all."""
    record = world.pick(clone, rng)
    after = rng.uniform(0.05, 0.45)
    clone.close()
    what = rng.choice(["used", "edit", "commit", "sync", "sync"])
    if what == "used":
        world.deed(
            clone,
            record,
            lambda: clone.killed_cli(after, "used", record, "--fixed"),
            Intent(life="", counts={"fixed": 1}, perhaps=True),
        )
    elif what == "edit" and record.startswith("p-"):
        value = world.text("fix")
        act = partial(clone.killed_cli, after, "edit", record, "--set", f"fix={value}")
        world.deed(clone, record, act, Intent([("fix", value)], over=["fix"], perhaps=True))
    else:
        clone.killed_cli(after, "commit" if what == "commit" else "sync")


def _id_of(world: World, clone: Clone, pattern: str) -> str:
    from gitmem.memory.recording.learn import prepare

    return prepare(clone.memory.context, "pattern", {"pattern": pattern}).id
