"""The stores that faults are tried on, made once and copied, and the commands that are interrupted in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.memory.founding.cloning import clone
from gitmem.memory.members.person import Person
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.older import older
from tests.support.stores import found, open_memory, person, share

QUIET = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n"
FOREIGN = {"staged.txt": b"staged by hand\n", "edited.txt": b"edited by hand\n", "new.txt": b"never added\n"}
"""What somebody was at in the clone, beside the store: no command of ours may commit or lose it."""
SHARED = 3
STEP = "step {name}.{number}"


@dataclass(frozen=True)
class Held:
    """What is known of the records before anything happens: by id their fields and how often they fixed something."""

    fields: dict[str, dict[str, object]]
    fixed: dict[str, int]


@dataclass(frozen=True)
class Template:
    """A folder with `ours`, the bare remotes `level.git` (as ours knows it) and `ahead.git` (with their commits), `backups`."""

    folder: Path
    who: Person
    plain: bool
    shared: list[str]
    bad: str
    quirk: str
    theirs: str

    def copy(self, folder: Path, remote: str) -> None:
        """A fresh copy in `folder` whose remote is one of the two."""
        for name in ("ours", "backups"):
            shutil.copytree(self.folder / name, folder / name, symlinks=True)
        shutil.copytree(self.folder / f"{remote}.git", folder / "remote.git", symlinks=True)


def make_template(folder: Path, *, plain: bool) -> Template:
    """Found a store with some records, a clone that is ahead of it, and a backup."""
    who = person(folder / "home")
    ours = folder / "ours"
    level, ahead = folder / "level.git", folder / "ahead.git"
    Git(folder)("init", "--quiet", "--bare", "--template=", level)
    found(ours, plain=plain, who=who)
    Git(ours).commit("code", dict.fromkeys(["staged.txt", "edited.txt"], b"as committed\n"))
    share(ours, level, who)
    with open_memory(ours, who) as memory:
        shared = [_pattern(memory, f"shared {number}") for number in range(SHARED)]
        bad = _pattern(memory, "never helped")
        quirk = older(memory, "since 14.2")
        for record in [*shared, *[bad] * 12]:
            memory.used(record, fixed=record != bad)
        memory.sync()
        memory.backup(str(folder / "backups"))
        memory.sync()
    shutil.copytree(level, ahead)
    clone(str(ahead), str(folder / "theirs"))
    theirs = _go_ahead(folder / "theirs", who, shared)
    for each in (ours, level, ahead):
        _slim(each)
    _edit_by_hand(ours)
    return Template(folder, who, plain, shared, bad, quirk, theirs)


def _pattern(memory: Memory, text: str) -> str:
    return memory.learn("pattern", {"pattern": f"error {text}", "fix": f"fix {text}"}, tags=["net"]).id


def _go_ahead(path: Path, who: Person, shared: list[str]) -> str:
    with open_memory(path, who) as memory:
        theirs = _pattern(memory, "of theirs")
        memory.edit(shared[0], {"context": "theirs"})
        memory.used(shared[1], fixed=True)
        memory.sync()
    return theirs


def _slim(path: Path) -> None:
    """Make a repository that can be copied at little cost: few files, the remote by a relative path, no replica of its own."""
    Git(path)("gc", "--quiet", "--prune=now")
    git_dir = path if path.suffix == ".git" else path / ".git"
    with (git_dir / "config").open("a") as config:
        config.write(QUIET)
    if git_dir != path:
        Git(path)("remote", "set-url", "origin", "../remote.git")
        Git(path)("config", "--unset", "gitmem.backup", check=False)  # the place of no copy's backups
        shutil.rmtree(git_dir / "gitmem")
        for sample in (git_dir / "hooks").glob("*.sample"):
            sample.unlink()


def _edit_by_hand(path: Path) -> None:
    for name, data in FOREIGN.items():
        (path / name).write_bytes(data)
    Git(path)("add", "staged.txt")


@dataclass
class Stage:
    """One copy of a template, and what was done in it before the command: `held` is all that was acknowledged."""

    template: Template
    folder: Path
    held: Held = field(default_factory=lambda: Held({}, {}))
    made: list[str] = field(default_factory=list)

    @property
    def ours(self) -> Path:
        """The clone in which things happen."""
        return self.folder / "ours"

    @property
    def env(self) -> dict[str, str]:
        """The environment of whoever works there."""
        return {**os.environ, **self.template.who.env, "GITMEM_PRUNE_FRESH_DAYS": "0"}

    @property
    def places(self) -> list[Path]:
        """What a command may change."""
        return [self.folder / name for name in ("ours", "remote.git", "backups")]

    def open(self) -> Memory:
        """Our clone, in this process."""
        return open_memory(self.ours, self.template.who)


Words = Sequence[str]


@dataclass(frozen=True)
class Scene:
    """A command to be interrupted: what happens before it, its steps, and whether the remote is `level` with us or `ahead`.

    `words` gives the step's words from the stage and its number; those of git begin with `git`.
    """

    name: str
    words: Callable[[Stage, int], Words]
    steps: int = 1
    remote: str = "level"
    before: Callable[[Stage, Memory], None] = lambda _stage, _memory: None


def _learn(_stage: Stage, number: int) -> Words:
    text = STEP.format(name="learn", number=number)
    return ["learn", "--pattern", text, "--fix", f"fix {text}"]


def _used(stage: Stage, number: int) -> Words:
    return ["used", stage.template.shared[number], "--fixed"]


def _waiting(stage: Stage, memory: Memory) -> None:
    """Two records and a count wait for a commit."""
    stage.made += [_pattern(memory, f"waiting {number}") for number in range(2)]
    memory.used(stage.template.shared[2], fixed=True)


def _committed(stage: Stage, memory: Memory) -> None:
    """Ours has gone its own way, and git knows where theirs is; what git refuses to merge over is not staged."""
    memory.edit(stage.template.shared[0], {"meaning": "ours"})
    _waiting(stage, memory)
    memory.commit()
    Git(stage.ours)("fetch", "--quiet", "origin")
    Git(stage.ours)("reset", "--quiet", "staged.txt")


def _forgotten(stage: Stage, memory: Memory) -> None:
    memory.forget(stage.template.shared[0])
    memory.commit()


SCENES = {
    scene.name: scene
    for scene in (
        Scene("learn", _learn, steps=3),
        Scene("used", _used, steps=3),
        Scene("commit", lambda _stage, _number: ["commit"], before=_waiting),
        Scene("merge", lambda _stage, _number: ["git", "merge", "--no-edit", "origin/main"], remote="ahead", before=_committed),
        Scene("fast-forward", lambda _stage, _number: ["sync"], remote="ahead"),
        Scene("push", lambda _stage, _number: ["sync"], before=_waiting),
        Scene("fetch", lambda _stage, _number: ["sync"], remote="ahead", before=_waiting),
        Scene("backup", lambda stage, _number: ["backup", "create", "--to", str(stage.folder / "backups")], before=_waiting),
        Scene("restore", lambda stage, _number: _restore(stage), before=_forgotten),
        Scene("prune", lambda _stage, _number: ["prune", "--yes"], before=_waiting),
        Scene("migrate", lambda _stage, _number: ["migrate", "run", "--yes"], before=_waiting),
    )
}
"""By name. `fast-forward` is a sync that only pulls, `push` one that only pushes, `fetch` one that has to merge as well."""


def _restore(stage: Stage) -> Words:
    return ["backup", "restore", "--from", str(stage.folder / "backups"), "--yes"]


def set_stage(template: Template, scene: Scene, folder: Path) -> Stage:
    """A copy of the template in which all is ready for the command."""
    template.copy(folder, scene.remote)
    stage = Stage(template, folder)
    with stage.open() as memory:
        scene.before(stage, memory)
        stage.held = held(memory)
    return stage


def held(memory: Memory) -> Held:
    """What a store says of its records."""
    records = memory.records(limit=1000)
    return Held({one.id: dict(one.fields) for one in records}, {one.id: memory.get(one.id).usage.fixed for one in records})
