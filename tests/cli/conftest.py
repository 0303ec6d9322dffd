"""Stores to run commands in: founded once, copied for each test (a copied git directory is a replica of its own)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, Result
from tests.support.git import Git
from tests.support.terminal import Drawn, PtyCli

UPSTREAM = "fatal: The current branch <*> has no upstream branch."
ERROR = "fatal: The current branch topic has no upstream branch."
LESSON = (
    "--pattern", UPSTREAM, "--fix", "Push once with --set-upstream.", "--meaning", "git does not know where to push.",
    "--command", "git push --set-upstream origin HEAD", "--tag", "git", "--tag", "push",
)  # fmt: skip


@dataclass(frozen=True)
class Seat:
    """Somebody at a clone: runs `gitmem` there with their own key, under pipes or (`seat.terminal(…)`) a terminal."""

    path: Path
    key: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *args: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Result:
        """Run to the end, like the fixture `cli`."""
        return Cli(self.path)(*args, env=self._env(env), **options)

    def terminal(self, *args: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Drawn:
        """Run under a terminal, like the fixture `pty_cli`."""
        return PtyCli(self.path)(*args, env=self._env(env), **options)

    def learn(self, *words: str) -> str:
        """Record something; its id."""
        return self("learn", *(words or LESSON)).ok().out.strip()

    def head(self) -> str:
        """The commit the clone stands at."""
        return Git(self.path)("rev-parse", "HEAD")

    def _env(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {"GITMEM_IDENTITY_FILE": str(self.key)} | self.env | dict(env or {})


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with Ada's and Bob's clones of one remote, and their keys; nothing is learned yet."""
    place = tmp_path_factory.mktemp("founded")
    for name in ("ada", "bob", "eve"):
        (place / "keys" / name).mkdir(parents=True)
    run = Cli(place)
    run("init", "ada", "--name", "ada", env=_keys(place, "ada")).ok()
    Git(place)("init", "--quiet", "--bare", "remote.git")
    Git(place / "ada")("remote", "add", "origin", place / "remote.git")
    run("-C", "ada", "sync", env=_keys(place, "ada")).ok()
    asked = run("clone", place / "remote.git", "bob", "--name", "bob", env=_keys(place, "bob")).ok().out
    run("-C", "ada", "member", "add", "-", input=asked, env=_keys(place, "ada")).ok()
    run("-C", "ada", "sync", env=_keys(place, "ada")).ok()
    run("-C", "bob", "sync", env=_keys(place, "bob")).ok()
    run("init", "other", "--name", "eve", env=_keys(place, "eve")).ok()
    return place


@pytest.fixture
def place(founded: Path, tmp_path: Path) -> Path:
    """A copy of the whole directory; the clones point at the copied remote."""
    target = tmp_path / "team"
    shutil.copytree(founded, target, symlinks=True)
    for name in ("ada", "bob"):
        Git(target / name)("remote", "set-url", "origin", target / "remote.git")
    return target


@pytest.fixture
def ada(place: Path) -> Seat:
    """The founder, at her clone."""
    return _seat(place, "ada")


@pytest.fixture
def bob(place: Path) -> Seat:
    """A member, at his clone."""
    return _seat(place, "bob")


@pytest.fixture
def make_editor(tmp_path: Path) -> Callable[[str], str]:
    """`make_editor("sed -i s/a/b/")` gives what EDITOR must be for a script that gets the file's path as its last word."""
    numbers = iter(range(100))

    def make(script: str) -> str:
        path = tmp_path / f"editor-{next(numbers)}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def _seat(place: Path, name: str) -> Seat:
    return Seat(place / name, place / "keys" / name / "gitmem" / "identity.txt")


def _keys(place: Path, name: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(place / "keys" / name), "PATH": os.environ["PATH"]}
