"""What must hold after a fault and one `gitmem doctor --fix`."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gitmem.cli.main import run as gitmem
from gitmem.errors import GitmemError
from gitmem.memory.backups.verify import verify
from gitmem.memory.memory import Memory
from gitmem.memory.upkeep.migrate import detect
from tests.faults.faulting import Setting
from tests.faults.scenes import FOREIGN, STEP, Held, Scene, Stage, held
from tests.support.git import Git

Done = Counter[int]
"""How often each step of a command was acknowledged."""


def perform(stage: Stage, scene: Scene, acknowledged: Path) -> None:
    """Run the steps, and note the number of each that ended well. To be called in a process of its own."""
    for number in range(scene.steps):
        words = list(scene.words(stage, number))
        code = subprocess.run(words, check=False).returncode if words[0] == "git" else gitmem(words)
        print(f"step {number} -> {code}", flush=True)  # noqa: T201
        if code == 0:
            with acknowledged.open("a") as file:
                file.write(f"{number}\n")


def judge(stage: Stage, scene: Scene, done: Done, attempts: int) -> Iterator[str]:
    """Whatever is wrong after so many attempts, in which the steps `done` were acknowledged."""
    said = stage.folder / "doctor"
    mended = Setting(stage.ours, stage.env, said, []).run(lambda: os._exit(gitmem(["doctor", "--fix"])))
    if mended.code:
        yield f"doctor --fix ends with {mended.code}: {said.read_text()[-1500:]}"
    try:
        yield from _goes_on(stage, scene, done, attempts)
    except GitmemError as error:
        yield f"{type(error).__name__}: {error.message} ({error.hint})"
    yield from _foreign(stage)
    for place in (stage.ours, stage.folder / "remote.git"):
        if (checked := Git(place).run("fsck", "--strict", "--no-dangling")).returncode:
            yield f"git fsck in {place.name}: {checked.stderr.decode()[:500]}"


def remove_stale_locks(git_dir: Path) -> None:
    """A killed git leaves its lock files: who starts it again has to remove them, or who hosts it."""
    for lock in git_dir.rglob("*.lock"):
        if lock.parent.name != "gitmem":
            lock.unlink()


def _goes_on(stage: Stage, scene: Scene, done: Done, attempts: int) -> Iterator[str]:
    """What is there now, and after the next learn and sync."""
    with stage.open() as memory:
        yield from _compare(stage, scene, done, attempts, held(memory), "after doctor --fix")
        yield from _claims(stage, scene, done, memory)
    with stage.open() as memory:
        new = memory.learn("pattern", {"pattern": "afterwards", "fix": "go on"}).id
        if memory.sync().problems:  # it tells of what a killed merge had left in the way, once
            yield from (f"sync: {problem}" for problem in memory.sync().problems)
        after = held(memory)
        yield from _compare(stage, scene, done, attempts, after, "after a sync")
        if new not in after.fields or (scene.remote == "ahead" and stage.template.theirs not in after.fields):
            yield "the next learn and sync did not bring all"
        yield from (f"audit verify: {problem}" for problem in memory.verify().problems)


def _compare(stage: Stage, scene: Scene, done: Done, attempts: int, now: Held, when: str) -> Iterator[str]:
    """Nothing that was acknowledged is lost, and nothing counts more often than it was begun."""
    template = stage.template
    used = done if scene.name == "used" else Done()
    may_go = {template.bad} if scene.name == "prune" else set()
    for record, fields in stage.held.fields.items():
        if record not in now.fields:
            if record not in may_go:
                yield f"{when} {record} is gone"
            continue
        for name, value in fields.items():
            if now.fields[record].get(name) != value:
                yield f"{when} {name} of {record} is {now.fields[record].get(name)!r}, not {value!r}"
        at_least = stage.held.fixed[record] + sum(times for number, times in used.items() if template.shared[number] == record)
        at_most = (
            stage.held.fixed[record]
            + (attempts if scene.name == "used" and record in template.shared else 0)
            + (scene.remote == "ahead")
        )
        if not at_least <= now.fixed[record] <= at_most:
            yield f"{when} {record} fixed {now.fixed[record]} times, not {at_least} to {at_most}"
    learned = {str(fields.get("pattern")) for fields in now.fields.values()}
    for number in done if scene.name == "learn" else ():
        if STEP.format(name="learn", number=number) not in learned:
            yield f"{when} what step {number} learned is lost"


def _claims(stage: Stage, scene: Scene, done: Done, memory: Memory) -> Iterator[str]:
    """What was reported as done was done."""
    if not done:
        return
    template, head = stage.template, Git(stage.ours)("rev-parse", "HEAD")
    standing = {record.id for record in memory.records(limit=1000)}
    claims = {
        "commit": lambda: len(memory.context.store.pending) == 0,
        "merge": lambda: template.theirs in standing,
        "fast-forward": lambda: template.theirs in standing,
        "push": lambda: set(stage.made) <= _ids_in(stage.folder / "remote.git"),
        "fetch": lambda: template.theirs in standing and set(stage.made) <= _ids_in(stage.folder / "remote.git"),
        "backup": lambda: verify(memory.context, str(stage.folder / "backups"), deep=True).problems == [],
        "restore": lambda: template.shared[0] in standing,
        "prune": lambda: template.bad not in standing,
        "migrate": lambda: all(kind.waiting == 0 for kind in detect(memory.context)),
    }
    if scene.name in claims and not claims[scene.name]():
        yield f"it was reported as done, and is not (HEAD is {head})"


def _ids_in(remote: Path) -> set[str]:
    paths = Git(remote)("ls-tree", "-r", "--name-only", "main").split()
    return {path.rpartition("/")[2].removesuffix(".yaml") for path in paths}


def _foreign(stage: Stage) -> Iterator[str]:
    """What somebody was at by hand is as it was, and in no commit."""
    git = Git(stage.ours)
    for name, data in FOREIGN.items():
        if not (file := stage.ours / name).exists() or file.read_bytes() != data:
            blob = git("hash-object", "--stdin", stdin=data.decode())
            if git.run(
                "cat-file", "-e", blob
            ).returncode:  # a `git merge` that fails resets, and keeps edits as `git stash` does
                yield f"{name} was changed in the work tree"
        for commit in git("log", "--branches", "--remotes", "--format=%H", "--", name).split()[:-1]:
            yield f"{name} is in the commit {commit}"
    if git("log", "--branches", "--remotes", "--format=%H", "--", "new.txt"):
        yield "new.txt is in a commit"
