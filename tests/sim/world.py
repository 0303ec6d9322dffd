"""A world: one remote, some clones of it, and the oracle that hears of every acknowledged write."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from gitmem.core.record import State
from gitmem.errors import GitmemError
from tests.sim.clone import Clone, Look, Role
from tests.sim.held import proof_of
from tests.sim.oracle import Deed, Key, Oracle
from tests.sim.template import CLONES, MEMBERS, Template
from tests.support.served import Served

MAX_RECORDS = 8
_START = datetime(2026, 11, 20, 10, tzinfo=UTC)
_QUIRKS = (
    ("rerere.enabled", "true"),
    ("merge.conflictStyle", "diff3"),
    ("merge.renames", "false"),
    ("core.autocrlf", "true"),
    ("pull.ff", "false"),
    ("diff.renames", "copies"),
    ("commit.verbose", "true"),
)


@dataclass(frozen=True)
class Intent:
    """What an operation is to do: the values it writes (place, value), the places it writes `over`, the tags it drops.

    `again` says that it writes what is shown already once more, `perhaps` that it may be cut short: then it is done whole or
    not at all.
    """

    wrote: Sequence[tuple[str, str]] = ()
    over: Sequence[str] = ()
    drops: Sequence[str] = ()
    life: str = "alive"
    counts: dict[str, int] = field(default_factory=dict)
    again: bool = False
    perhaps: bool = False


class Skip(Exception):
    """The action does not apply here and now."""


@dataclass
class World:
    """Everything of one history. `step` is the number of the action at work; values are named after it."""

    folder: Path
    plain: bool
    homes: Path
    served: Served
    clones: list[Clone]
    oracle: Oracle = field(default_factory=Oracle)
    ids: list[str] = field(default_factory=list)
    step: int = 0
    log: list[str] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    backups: list[tuple[Clone, Path]] = field(default_factory=list)
    life: bool = False

    @property
    def remote(self) -> Path:
        """The bare repository all share."""
        return self.folder / "remote.git"

    @property
    def members(self) -> list[Clone]:
        """The clones whose owners write with gitmem."""
        return [clone for clone in self.clones if clone.role is Role.MEMBER]

    @property
    def configured(self) -> list[Clone]:
        """The clones that gitmem is set up in."""
        return [clone for clone in self.clones if clone.role is not Role.GIT_ONLY]

    def tick(self, step: int) -> None:
        """Move git's clock on, so that no two commits are the same by accident."""
        self.step = step
        date = (_START + timedelta(seconds=61 * step)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        os.environ["GIT_AUTHOR_DATE"] = os.environ["GIT_COMMITTER_DATE"] = date

    def text(self, what: str) -> str:
        """A value nobody has written before."""
        return f"{what} {self.step}"

    def deed(self, clone: Clone, record: str | None, act: Callable[[], object], intent: Intent) -> None:
        """Run an operation on a record and tell the oracle. `record` is None for one that is being made: `act` gives its id."""
        before, grave = clone.look(record), clone.grave(record)
        try:
            made = act()
        except GitmemError as error:
            clone.said.append(f"refused: {error}")
            return
        record = record or str(made)
        if record not in self.ids:
            self.ids.append(record)
        self.note(clone, record, before, intent, grave)

    def note(self, clone: Clone, record: str, before: Look | None, intent: Intent, grave: State | None = None) -> None:
        """Tell the oracle of what was done to a record since `before` (or since it had no more than a `grave`).

        It must have been done whole, and no more than it."""
        after = clone.look(record)
        if after is None:
            assert (intent.perhaps, before) == (True, None), f"{clone.name} does not show {record} after a write to it"
            return
        proof = proof_of(grave if before is None else before.state, after.state)
        if proof is None:
            assert intent.perhaps or before is not None, f"{record} came from nowhere"
            return
        shown = before.shown if before else frozenset()
        wrote = {Key(record, *each) for each in intent.wrote}
        replaced = {key for key in shown if key.place in intent.over or (key.place == "tags" and key.value in intent.drops)}
        if not intent.again:
            replaced -= wrote
        assert after.shown == shown - replaced | wrote, f"{clone.name}: {record} shows {sorted(after.shown)} after {intent}"
        fresh = wrote if intent.again else wrote - shown
        if before and after.alive and not before.alive:
            fresh = set(after.shown)  # who brings a record back writes all of it again
        counts = tuple(
            (name, total - _count(before.state if before else grave, proof.writer, name)) for name, total in proof.counts
        )
        assert dict(counts) == intent.counts, f"{clone.name}: {record} counted {counts}, not {intent.counts}"
        deed = Deed(self.step, clone.name, record, proof, shown, frozenset(fresh), frozenset(replaced), intent.life, counts)
        self.oracle.deeds.append(deed)
        clone.said.append(str(deed))

    def pick(self, clone: Clone, rng: Random, *, alive: bool = False) -> str:
        """A record that the clone shows."""
        for record in rng.sample(self.ids, len(self.ids)):
            look = clone.look(record)
            if look and (look.alive or not alive):
                return record
        raise Skip("no record")

    def close(self) -> None:
        """Let go of all clones."""
        for clone in self.clones:
            clone.close()


def make_world(
    template: Template, folder: Path, rng: Random, *, plain: bool, paper: bool = False, driver_only: bool = True
) -> World:
    """A fresh copy of the template with two to five clones of some sorts, on `paper` with two or three."""
    (count,) = rng.choices(range(2, CLONES + 1), (4, 1, 0, 0) if paper else (4, 3, 2, 1))
    owners = {f"c{n}": (Role.MEMBER, MEMBERS[n % len(MEMBERS)]) for n in range(count)}
    if rng.random() < 0.35:
        owners["gitonly"] = (Role.GIT_ONLY, "stranger")
    if rng.random() < 0.25:
        owners["keyless"] = (Role.KEYLESS if not plain else Role.GIT_ONLY, "stranger")
    template.copy("remote.git", folder)
    clones = [Clone(name, template.copy(name, folder), role, template.env(who)) for name, (role, who) in owners.items()]
    world = World(folder, plain, template.homes, template.served, clones)
    world.tick(0)
    if rng.random() < 0.3:
        clones.append(_worktree(clones[0]))
    for clone in world.configured:
        _set_up(clone, rng, driver_only=driver_only)
    for clone in clones[1:]:
        clone.strategy &= clones[0].strategy or clone.name != "tree"  # a linked work tree has its owner's configuration
    for record in template.starters:
        _learned(world, record, clones[0])
    return world


def _worktree(owner: Clone) -> Clone:
    path = owner.path.with_name("tree")
    owner.ask("worktree", "add", "--quiet", "-b", "tree", str(path), "main")
    owner.ask("config", "branch.tree.remote", "origin")
    owner.ask("config", "branch.tree.merge", "refs/heads/main")
    return Clone("tree", path, Role.MEMBER, owner.env, main="tree")


def _set_up(clone: Clone, rng: Random, *, driver_only: bool) -> None:
    """Leave some clones to the merge driver alone, and give some a configuration of their owner's taste."""
    if rng.random() < 0.3 and clone.main == "main" and driver_only:
        clone.git("config", "--unset", "pull.twohead")
        clone.strategy = False
    if rng.random() < 0.3:
        clone.git("config", *rng.choice(_QUIRKS))


def _learned(world: World, record: str, clone: Clone) -> None:
    look = clone.look(record)
    assert look is not None
    proof = proof_of(None, look.state)
    assert proof is not None
    world.ids.append(record)
    world.oracle.deeds.append(Deed(0, "template", record, proof, wrote=look.shown, life="alive"))


def _count(before: State | None, writer: str, name: str) -> int:
    return 0 if before is None else before.counts.get(name, {}).get(writer, 0)
