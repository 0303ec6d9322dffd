"""A team of members with a clone each of one store, for tests of what takes several."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import Entry
from gitmem.memory.members.folded import segments_here
from gitmem.memory.memory import Memory
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.ready_made import copied
from tests.support.stores import found, join, open_memory, person, share

NAMES = ("ada", "bob", "cam")


@dataclass
class Team:
    """Three members with a clone each."""

    folder: Path
    clones: dict[str, Memory] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Memory:
        return self.clones[name]

    def reopen(self, name: str) -> Memory:
        """The clone opened anew, as the next command does."""
        self.clones[name].close()
        self.clones[name] = open_memory(self.folder / name, person(self.folder / f"home-{name}"))
        return self.clones[name]

    def sync(self, *names: str) -> None:
        """These, or all of them until everybody has everything."""
        for name in names or [*self.clones, *self.clones][:-1]:
            assert self[name].sync().problems == []

    def agree(self) -> None:
        """After syncs all hold the same bytes, in the work tree and in git, and the log explains them."""
        self.sync()
        assert len({Git(self.folder / name)("rev-parse", "HEAD^{tree}") for name in self.clones}) == 1
        assert {Git(self.folder / name)("status", "--porcelain", "--ignored") for name in self.clones} == {""}
        assert self["ada"].verify().problems == []

    def learn(self, text: str = "no route to host", **fields: str) -> str:
        """A record of Ada's that all have and have used."""
        record = self["ada"].learn("pattern", {"pattern": text, "fix": "plug it in", **fields}, tags=["net"]).id
        self.sync("ada")
        for name in [*self.clones][1:]:
            self.sync(name)
            self[name].used(record, fixed=True)
        self.sync()
        return record

    def forgotten(self, text: str = "no route to host") -> str:
        """A record that Ada has forgotten, as all have heard."""
        record = self.learn(text)
        self["ada"].forget(record)
        self.sync()
        return record

    def path(self, record: str) -> Path:
        """Where a record lies in Ada's clone, relative to it."""
        return Path("memory/team/pattern") / record[2:4] / f"{record}.yaml"

    def has(self, record: str) -> list[str]:
        """Whose clone holds the record's file."""
        return [name for name in self.clones if (self.folder / name / self.path(record)).exists()]

    def entries(self, name: str) -> list[tuple[Entry, ...]]:
        """The entries of each segment of the log, as somebody's clone holds it."""
        return [segment.entries for segment in segments_here(self[name].context)]

    def hashes(self, name: str) -> set[str]:
        """The hash of every entry of the log."""
        return {entry.hash for entries in self.entries(name) for entry in entries}

    def replica(self, name: str) -> str:
        """The name of somebody's replica."""
        return self[name].status().replica


def make_team(folder: Path, names: Sequence[str], *, plain: bool) -> Team:
    """A store at `folder` that the members of these names share, the first of whom founded it."""
    copied(("team", tuple(names), plain), folder, lambda place: _make(place, names, plain))
    return Team(folder, {name: open_memory(folder / name, person(folder / f"home-{name}")) for name in names})


def _make(folder: Path, names: Sequence[str], plain: bool) -> None:
    remote = folder / "remote.git"
    Git(folder)("init", "--quiet", "--bare", remote)
    homes = {name: person(folder / f"home-{name}") for name in names}
    found(folder / "ada", plain=plain, name="ada", who=homes["ada"])
    share(folder / "ada", remote, homes["ada"])
    team = Team(folder, {"ada": open_memory(folder / "ada", homes["ada"])})
    for name in names[1:]:
        join(team["ada"], folder / name, remote, name, homes[name])
        team.clones[name] = open_memory(folder / name, homes[name])
    team.sync()
    for name, memory in team.clones.items():
        memory.close()
        Git(folder / name)("remote", "set-url", "origin", "../remote.git")  # which a copy of all of them has, too


def quick(folder: Path) -> Path:
    """A directory on a disk in memory, where there is one, that is gone with `folder`."""
    made = Path(tempfile.mkdtemp(dir=MEMORY_DISK)) if MEMORY_DISK else folder
    (folder / "made").symlink_to(made)
    return made


def closed(team: Team) -> Iterator[Team]:
    """The team while a test uses it; then its clones are closed and removed."""
    try:
        yield team
    finally:
        for memory in team.clones.values():
            memory.close()
        shutil.rmtree(team.folder, ignore_errors=True)
