"""The fault matrix: commands that are begun again, each time under another fault, until they get through; and what is left."""

from __future__ import annotations

import random
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from tests.faults.faulting import KINDS, Ended, Fault, Setting
from tests.faults.scenes import SCENES, Scene, Stage, Template, make_template, set_stage
from tests.faults.verdict import Done, judge, perform, remove_stale_locks
from tests.support.disk import MEMORY_DISK
from tests.support.seccomp import Call

MOST = 3
"""Faults of a trial, at most."""
_SLOWEST = 400  # ms within which a command is killed at a random moment


class Ground:
    """The templates, and the changing calls that each command makes in them; all is made when it is first needed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gitmem-faults-", dir=MEMORY_DISK))
        self._templates: dict[bool, Template] = {}
        self._calls: dict[tuple[str, bool], list[str]] = {}

    def template(self, *, plain: bool) -> Template:
        """The stores to copy."""
        if plain not in self._templates:
            folder = self.folder / ("plain" if plain else "sealed")
            folder.mkdir()
            self._templates[plain] = make_template(folder, plain=plain)
        return self._templates[plain]

    def calls(self, scene: Scene, *, plain: bool) -> list[str]:
        """The names of the changing calls of a command that nothing disturbs, in their order."""
        if (scene.name, plain) not in self._calls:
            with Trial(self, scene, plain, []) as trial:
                ended = trial.attempt(None)
                assert len(trial.done) == scene.steps, trial.said.read_text()
            self._calls[scene.name, plain] = [call.name for call in ended.calls]
        return self._calls[scene.name, plain]

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Trial:
    """One copy of a store in which a command meets `faults`, one at each attempt; `met` are those that came to pass."""

    def __init__(self, ground: Ground, scene: Scene, plain: bool, faults: list[Fault]) -> None:
        self.ground = ground
        self.scene = scene
        self.plain = plain
        self.faults = faults
        self.folder = Path(tempfile.mkdtemp(prefix="trial-", dir=ground.folder))
        self.done: Done = Counter()
        self.met: list[tuple[Fault, str]] = []
        self.tell: Callable[[str], object] = lambda _: None

    def __str__(self) -> str:
        return f"{self.scene.name} in a {'plain' if self.plain else 'sealed'} store, {', '.join(map(str, self.faults))}"

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder)

    @cached_property
    def stage(self) -> Stage:
        """The copy."""
        return set_stage(self.ground.template(plain=self.plain), self.scene, self.folder)

    @property
    def said(self) -> Path:
        """What the command has printed."""
        return self.folder / "said"

    def attempt(self, fault: Fault | None, before: Callable[[Call], None] | None = None) -> Ended:
        """Begin the command once. `before` is told of each changing call before it is made."""
        acknowledged = self.folder / "acknowledged"
        acknowledged.write_bytes(b"")
        setting = Setting(self.stage.ours, self.stage.env, self.said, self.stage.places)
        ended = setting.run(lambda: perform(self.stage, self.scene, acknowledged), fault, before)
        self.done.update(map(int, acknowledged.read_text().split()))
        if fault is not None and ended.reached:
            self.met.append((fault, "" if fault.kind == "TIME" else ended.calls[fault.nth - 1].name))
        return ended

    def run(self) -> list[str]:
        """Begin the command until it gets through or the faults have run out; what is wrong then."""
        with self:
            for fault in self.faults:
                ended = self.attempt(fault)
                call = ended.calls[fault.nth - 1] if ended.reached and fault.kind != "TIME" else None
                self.tell(f"{fault}: {call and call[2:]}, ends with {ended.code}, acknowledged: {dict(self.done)}")
                if self.done and self.scene.steps == 1:
                    break
                for repository in ("ours/.git", "remote.git"):
                    remove_stale_locks(self.folder / repository)
            wrong = self.verdict()
            if wrong:
                self.tell(self.said.read_text())
            return wrong

    def verdict(self) -> list[str]:
        """What is wrong now."""
        remove_stale_locks(self.stage.folder / "remote.git")
        try:
            return list(judge(self.stage, self.scene, self.done, len(self.faults) or 1))
        except Exception:  # whatever it was, the store was not usable
            return [traceback.format_exc()]


def draw(ground: Ground, seed: int, faults: int | None = None) -> Trial:
    """The trial of a seed, with so many faults, or up to `MOST`. Commands take turns, and so do plain and sealed stores."""
    names = list(SCENES)
    scene = SCENES[names[seed % len(names)]]
    plain = seed // len(names) % 2 == 0
    rng = random.Random(seed)
    calls = ground.calls(scene, plain=plain)
    return Trial(ground, scene, plain, [_fault(rng, calls) for _ in range(faults or rng.randint(1, MOST))])


def _fault(rng: random.Random, calls: list[str]) -> Fault:
    """A fault at a call of a name that is drawn first, so that the rare ones have their turn."""
    kind = rng.choice(KINDS)
    if kind == "TIME":
        return Fault(kind, rng.randrange(1, _SLOWEST))
    name = rng.choice(sorted(set(calls)))
    return Fault(kind, 1 + rng.choice([n for n, each in enumerate(calls) if each == name]))
