"""One history: a world made from a seed, some random actions in it, and its end."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from gitmem.errors import NoKey, NoStore
from tests.sim import collecting, foreign, gitwork, life, past, writes
from tests.sim.final import finish
from tests.sim.switches import OFF, draw
from tests.sim.template import Template, make_template
from tests.sim.world import Skip, World, make_world
from tests.support.disk import MEMORY_DISK
from tests.support.served import Served

__all__ = ["History", "Templates", "collecting", "foreign", "gitwork", "life", "past", "writes"]
_ACTIONS = (12, 30)
_ON_PAPER = (6, 12)
_DRAWS = 4


class Templates:
    """The templates of this process, made when they are first needed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gitmem-sim-", dir=MEMORY_DISK))
        self.served = Served(self.folder / "served")
        self._made: dict[bool, Template] = {}

    def get(self, *, plain: bool) -> Template:
        """The template of a sealed or a plain store."""
        if plain not in self._made:
            self._made[plain] = make_template(self.folder / ("plain" if plain else "sealed"), self.served, plain=plain)
        return self._made[plain]

    def close(self) -> None:
        """Remove them."""
        self.served.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class History:
    """The history of a seed: its first `actions` actions (all of them by default) but for those in `skip`.

    One of `paper` size has two or three clones and few actions: as much as one can draw on a sheet. In one of the `life` of a
    store its members also prune and migrate.
    """

    seed: int
    actions: int | None = None
    skip: Collection[int] = ()
    paper: bool = False
    verbose: bool = False
    keep: bool = False
    life: bool = False
    log: list[str] = field(default_factory=list)

    def run(self, templates: Templates) -> str | None:
        """Live it through; the reason of its failure, None if all went well."""
        rng = Random(f"world {self.seed}")
        plain = rng.random() < 0.5
        template = templates.get(plain=plain)
        folder = Path(tempfile.mkdtemp(prefix=f"{self.seed}-", dir=templates.folder)) / "world"
        before = dict(os.environ)
        os.environ.update(templates.served.env)
        world: World | None = None
        try:
            world = make_world(template, folder, rng, plain=plain, paper=self.paper, driver_only="driver only" not in OFF)
            if self.life:
                world.life = True
                life.set_thresholds(world, life.THRESHOLDS.items())
            self._say(f"{'plain' if plain else 'sealed'}, {', '.join(f'{c.name} ({c.role.value})' for c in world.clones)}")
            self._live(world, rng.randint(*(_ON_PAPER if self.paper else _ACTIONS)))
            finish(world, Random(f"end {self.seed}"))
            self._tell(world)
        except Exception as error:
            if world is not None:
                self._tell(world)
            if self.verbose and not isinstance(error, AssertionError):
                sys.excepthook(type(error), error, error.__traceback__)
            return f"{type(error).__name__}: {error}"
        finally:
            os.environ.clear()
            os.environ.update(before)
            if world is not None:
                world.close()
            if not self.keep:
                shutil.rmtree(folder.parent, ignore_errors=True)
        return None

    def _live(self, world: World, length: int) -> None:
        for step in range(1, length + 1):
            if step in self.skip or (self.actions is not None and step > self.actions):
                continue
            world.tick(step)
            self._step(world, Random(f"{self.seed} {step}"))

    def _step(self, world: World, rng: Random) -> None:
        """One action that applies, of a few that are drawn."""
        for _ in range(_DRAWS):
            chosen, clone = draw(world, rng)
            self._say(f"{world.step}: {clone.name}: {chosen.name}")
            try:
                return chosen.act(world, clone, rng)
            except (Skip, NoStore, NoKey) as why:  # the store, or the way in, was reverted: until the next sync
                self._say(f"    skipped: {why}")
            finally:
                self._tell(world)
        return None

    def _tell(self, world: World) -> None:
        for clone in world.clones:
            for line in clone.said:
                self._say(f"    {clone.name}: {line}")
            clone.said.clear()

    def _say(self, line: str) -> None:
        self.log.append(line)
        if self.verbose:
            print(line, flush=True)  # noqa: T201
