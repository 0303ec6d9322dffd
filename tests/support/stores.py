"""Stores for tests: founded, opened and cloned as the command line does it, in this process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.crypto.lookup import find_identities
from gitmem.git.repo import Repo
from gitmem.memory.context import Context
from gitmem.memory.founding.cloning import clone
from gitmem.memory.founding.found import Founded, init
from gitmem.memory.members.joining import add_member
from gitmem.memory.members.person import Person
from gitmem.memory.members.requesting import request
from gitmem.memory.memory import Memory
from gitmem.memory.recording.learn import learn_all, prepare
from tests.support.environment import make_home
from tests.support.git import Git
from tests.support.ready_made import copied

EFFORT = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
"""How much longer than usual the tests of faults look for trouble."""


def person(home: Path | None = None) -> Person:
    """Whoever sits at the test's home, or at another one (made if need be)."""
    env = dict(os.environ)
    if home is not None:
        if not home.exists():
            make_home(home)
        env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    return Person(find_identities(None, env=env), env, Path(env["HOME"]))


def founded_here(path: Path, *, plain: bool = False, name: str = "ada", who: Person | None = None) -> Founded:
    """Found a store at `path`, whatever is there, for whoever sits at the test's home or for `who`."""
    return init(path, who or person(), plain=plain, name=name)


def found(path: Path, *, plain: bool = False, name: str = "ada", who: Person | None = None) -> Founded:
    """A store at a `path` where nothing is. For somebody without an identity it is a copy of one that was founded before."""
    who = who or person()
    if path.exists() or who.folder.exists() or _has_own_settings(who):
        return founded_here(path, plain=plain, name=name, who=who)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        told, original = copied(("found", plain, name), Path(folder), lambda place: _founded(place, plain, name))
        Path(folder, "store").rename(path)
        shutil.copytree(Path(folder, "home", ".config"), who.folder.parent, dirs_exist_ok=True)
    words = {str(original / "store"): str(path), str(original / "home"): str(who.home)}
    recovery = told.recovery and _put(told.recovery, words)
    return replace(told, root=_put(told.root, words), identity=_put(told.identity, words), recovery=recovery)


def _founded(folder: Path, plain: bool, name: str) -> Founded:
    return init(folder / "store", person(folder / "home"), plain=plain, name=name)


def _has_own_settings(who: Person) -> bool:
    """Whether a founding would depend on more than the home that every test begins with."""
    return any(key.startswith(("GITMEM_", "GIT_CONFIG_COUNT")) for key in who.env)


def _put(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def open_memory(path: Path, who: Person | None = None) -> Memory:
    """The store at `path`, opened by whoever sits at the test's home, or by `who`."""
    return Memory.open(path, env=None if who is None else who.env)


def share(path: Path, remote: Path, who: Person | None = None) -> None:
    """Push the store at `path` to an empty bare repository."""
    Git(path)("remote", "add", "origin", remote)
    with open_memory(path, who) as memory:
        memory.sync()


def join(memory: Memory, path: Path, remote: Path, name: str, who: Person) -> None:
    """Make a clone at `path` whose owner becomes a member, accepted by `memory`."""
    clone(str(remote), str(path))
    with open_memory(path, who) as other:
        identity, _ = who.identity()
        asked = request(other.context, identity, name)
        memory.sync()
        add_member(memory.context, asked)
        memory.sync()
        other.sync()


def learn_many(memory: Memory, errors: Iterable[str]) -> None:
    """Learn a pattern for each error, acknowledged together."""
    learn_all(memory.context, [prepare(memory.context, "pattern", {"pattern": error, "fix": "restart"}) for error in errors])


def files(root: Path) -> dict[str, bytes]:
    """Every file of a clone outside `.git`, by its path."""
    paths = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def context_of(memory: Memory) -> Context:
    """What the use cases work with."""
    return memory.context


def versions(path: Path, record: str) -> list[State]:
    """Every version of a record file that any commit of this clone ever held, reset ones included, and the one on disk."""
    git, repo = Git(path), Repo.find(path)
    commits = git("rev-list", "--all", "--reflog").split()
    blobs = {line.split()[2] for commit in commits for line in git("ls-tree", commit, "--", record).splitlines()}
    datas = [data for _, data in repo.read_blobs(sorted(blobs))]
    file = path / record
    return [parse(data, record) for data in [*datas, *([file.read_bytes()] if file.exists() else [])]]


def joined(states: list[State]) -> State:
    """All of them merged."""
    return merge_all(states)
