"""Two developers of one code repository whose store lies in a directory of it, or on a branch beside it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cli.conftest import Seat
from tests.support.cli import Cli
from tests.support.git import Git

SHAPES = ("directory", "branch")
FOLDER = "team/memory"
BRANCH = "gitmem"


@dataclass(frozen=True)
class Team:
    """The developers' seats (in the code, not in the store), and where the store lies in a clone."""

    shape: str
    place: Path
    ada: Seat
    bob: Seat

    def store(self, seat: Seat) -> Path:
        """The root of the store in somebody's clone."""
        return top(seat) / (FOLDER if self.shape == "directory" else ".git/gitmem-store")

    def path(self, path: str) -> str:
        """A path in the store, from the top of the work tree that it is in."""
        return f"{FOLDER}/{path}" if self.shape == "directory" else path

    def git(self, seat: Seat) -> Git:
        """Git in the work tree that the store is in."""
        return Git(top(seat) if self.shape == "directory" else self.store(seat))


def top(seat: Seat) -> Path:
    """The top of the clone of somebody who sits in `src`."""
    return seat.path.parent


def make_code(place: Path) -> Git:
    """A code repository with a remote; its .gitignore names what a store has as well."""
    Git(place)("init", "--quiet", "--bare", "remote.git")
    Git(place)("init", "--quiet", "ada")
    code = Git(place / "ada")
    code.commit("code", {"src/a.py": "1\n", ".gitignore": "log/\n*.tmp\n", "memory/cache.py": "cache\n"})
    code("remote", "add", "origin", place / "remote.git")
    code("push", "--quiet", "--set-upstream", "origin", "main")
    return code


def make_team(place: Path, shape: str) -> None:
    """Ada founds the store, Bob takes it up in his clone of the code and is accepted."""
    make_code(place)
    founding = [FOLDER] if shape == "directory" else ["--branch", BRANCH]
    for name in ("ada", "bob"):
        (place / "keys" / name).mkdir(parents=True)
    run = Cli(place)
    run("-C", "ada", "init", *founding, "--name", "ada", env=_keys(place, "ada")).ok()
    run("-C", "ada", "sync", env=_keys(place, "ada")).ok()
    if shape == "directory":
        run("clone", place / "remote.git", "bob", "--name", "bob", env=_keys(place, "bob")).ok()
    else:
        Git(place)("clone", "--quiet", place / "remote.git", "bob")
        run("-C", "bob", "init", "--branch", BRANCH, env=_keys(place, "bob")).ok()
    asked = run("-C", "bob/src", "join", "--name", "bob", env=_keys(place, "bob")).ok().out
    run("-C", "ada/src", "member", "add", "-", input=asked, env=_keys(place, "ada")).ok()
    run("-C", "ada/src", "sync", env=_keys(place, "ada")).ok()
    run("-C", "bob/src", "sync", env=_keys(place, "bob")).ok()


def team_at(founded: Path, place: Path, shape: str) -> Team:
    """A copy of a team's directory, with its clones pointing at the copied remote."""
    shutil.copytree(founded, place, symlinks=True)
    for name in ("ada", "bob"):
        Git(place / name)("remote", "set-url", "origin", place / "remote.git")
    return Team(shape, place, _seat(place, "ada"), _seat(place, "bob"))


def _seat(place: Path, name: str) -> Seat:
    return Seat(place / name / "src", place / "keys" / name / "gitmem" / "identity.txt")


def _keys(place: Path, name: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(place / "keys" / name), "PATH": os.environ["PATH"]}
