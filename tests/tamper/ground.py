"""The stores that are attacked: three members, random content, merges, conflicts. Made once, copied for each attack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from gitmem.memory.members.person import Person
from gitmem.memory.memory import Memory
from gitmem.memory.results import Record
from tests.support.environment import make_home
from tests.support.git import Git
from tests.support.stores import found, join, person, share

MEMBERS = ("ada", "bob", "cyd")
_WORDS = (
    "timeout",
    "σφάλμα",
    "port 8080",
    "#3",
    "null",
    "'quoted'",
    "tab\there",
    "two\nlines",
    "🔒",
    "ENC[no]",
    "- yes",
    "x: y",
)
_KINDS = {"pattern": ("pattern", "fix", "meaning"), "note": ("text",), "decision": ("question", "chosen_option")}

Shown = tuple[object, ...]
"""What a member reads of a record: its kind, fields, tags, uses, and whether it is in conflict."""


@dataclass(frozen=True)
class Ground:
    """A folder with `remote.git` and a clone for each member, and the homes of the members beside it."""

    folder: Path
    homes: Path

    @property
    def remote(self) -> Path:
        """The bare repository all share: what a host has in its hands."""
        return self.folder / "remote.git"

    def who(self, name: str) -> Person:
        """A member, with their key."""
        return person(self.homes / name)

    def env(self, name: str) -> dict[str, str]:
        """Their environment."""
        home = self.homes / name
        return {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}

    @contextmanager
    def at(self, name: str) -> Iterator[Memory]:
        """A member's clone, opened by them."""
        with Memory.open(self.folder / name, env=self.env(name)) as memory:
            yield memory

    def copy(self, folder: Path) -> Ground:
        """A copy to be spoiled."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Ground(folder, self.homes)


def shown(memory: Memory) -> dict[str, Shown]:
    """All that a member reads in a clone, by id."""
    return {record.id: _content(record) for record in memory.records(limit=1000)}


def _content(record: Record) -> Shown:
    fields = dict(record.fields)
    fields |= {name: sorted(str(one.value) for one in values) for name, values in record.conflicts.items()}
    tags = tuple(sorted(map(str, record.sets.get("tags", []))))
    return record.kind, repr(sorted(fields.items())), tags, repr(record.usage), tuple(sorted(record.conflicts))


def make_ground(folder: Path, seed: int, *, plain: bool) -> Ground:
    """A store of random content, which its three members have shared until each has seen all of it."""
    rng = Random(seed)
    start = Ground(folder / "start", folder / "homes")
    start.folder.mkdir(parents=True)
    start.homes.mkdir()
    for name in MEMBERS:
        make_home(start.homes / name)
    Git(start.folder)("init", "--quiet", "--bare", "--template=", start.remote)
    found(start.folder / "ada", plain=plain, name="ada", who=start.who("ada"))
    share(start.folder / "ada", start.remote, start.who("ada"))
    with start.at("ada") as ada:
        for name in MEMBERS[1:]:
            join(ada, start.folder / name, start.remote, name, start.who(name))
    with start.at("ada") as ada, start.at("bob") as bob, start.at("cyd") as cyd:
        _live(rng, ada, bob, cyd)
    Git(start.remote)("repack", "-adq")
    for name in MEMBERS:
        _slim(start.folder / name)
    return start


def _live(rng: Random, *members: Memory) -> None:
    """Each learns; then all write to the same records at once, twice; one record is forgotten; all hear of all."""
    ids = [_learn(rng, member, kind) for member in members for kind in ("pattern", rng.choice(sorted(_KINDS)))]
    _meet(members)
    for _ in range(2):
        contested = rng.choice(ids)
        for member in members:
            member.edit(contested, {_field(member, contested): text(rng)})
            member.edit(rng.choice(ids), {"tags": [text(rng), "shared"]})
            member.used(rng.choice(ids), fixed=rng.random() < 0.7)
            member.commit()
        _meet(members)
    gone = _learn(rng, members[0], "pattern")
    members[0].commit()
    members[0].edit(gone, {"fix": text(rng)})
    members[0].commit()
    members[0].forget(gone)
    _meet(members)


def _learn(rng: Random, memory: Memory, kind: str) -> str:
    return memory.learn(kind, {name: text(rng) for name in _KINDS[kind]}, tags=["first", text(rng)]).id


def _field(memory: Memory, record: str) -> str:
    return _KINDS[memory.get(record).kind][-1]


def text(rng: Random) -> str:
    """Words that are awkward to write down, and never the same twice."""
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, 4))) + f" {rng.getrandbits(40):x}"


def _meet(members: tuple[Memory, ...]) -> None:
    for member in (*members, *members[:-1]):
        member.sync()


def _slim(path: Path) -> None:
    """Make a clone that may be copied beside its remote: no absolute path, few files."""
    Git(path)("remote", "set-url", "origin", "../remote.git")
    Git(path)("repack", "-adq")
    for sample in (path / ".git/hooks").glob("*.sample"):
        sample.unlink()
