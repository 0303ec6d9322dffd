"""One clone of a simulated team: its gitmem, its git, and what its owner sees of a record."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from gitmem.core.collected import graves_in
from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.git.repo import Repo
from gitmem.memory.memory import Memory
from gitmem.memory.results import Record
from tests.sim.oracle import Key
from tests.support.cli import GITMEM
from tests.support.served import ADDRESS

PLACES = ("pattern", "fix", "meaning", "text", "versions")
"""The fields the simulator writes; tags are the elements of `tags`."""
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
}


class Role(Enum):
    """What a clone's owner has: gitmem and the key, gitmem without the key, or nothing but git."""

    MEMBER = "member"
    KEYLESS = "keyless"
    GIT_ONLY = "git only"


@dataclass(frozen=True)
class Look:
    """What a clone shows of a record: the values in it, whether it stands, whether that is contested, and its raw state."""

    shown: frozenset[Key]
    alive: bool
    contested: bool
    record: Record
    state: State


@dataclass
class Clone:
    """A clone at `path`, owned by whoever lives at `env["HOME"]`."""

    name: str
    path: Path
    role: Role
    env: Mapping[str, str]
    strategy: bool = True
    main: str = "main"
    stem: str = ""
    said: list[str] = field(default_factory=list)
    _memory: Memory | None = None

    @property
    def memory(self) -> Memory:
        """The store as this process has it open."""
        if self._memory is None:
            self._memory = Memory.open(self.path, env=self.env)
        return self._memory

    def reopened(self) -> Memory:
        """The same as `gitmem sync` opens it: with what a revert has taken that is needed for that."""
        if self._memory is None:
            self._memory = Memory.open(self.path, env=self.env, reopen=True)
        return self._memory

    @property
    def repo(self) -> Repo:
        """The repository, whose files tell most of what is asked at every step without a process."""
        return Repo.find(self.path)

    def close(self) -> None:
        """Let go of everything, as a process that ends does."""
        if self._memory is not None:
            self._memory.close()
        self._memory = None

    def git(self, *args: str, ok: bool = False, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Git as the owner runs it; with `ok` a failure is an error of the simulator."""
        done = subprocess.run(
            ["git", *args], cwd=self.path, env=self._whole(), input=stdin, capture_output=True, timeout=120, check=False
        )
        told = (done.stdout + done.stderr).decode(errors="replace").strip()
        self.said.append(f"git {' '.join(args)} -> {done.returncode}" + (f": {told[-600:]}" if done.returncode else ""))
        assert not ok or done.returncode == 0, self.said[-1]
        return done

    def ask(self, *args: str) -> str:
        """The output of a git command that must succeed."""
        return self.git(*args, ok=True).stdout.decode(errors="surrogateescape").removesuffix("\n")

    def cli(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        """The real command line, to its end."""
        words = ["gitmem", *args]
        done = subprocess.run(
            words, cwd=self.path, env=self._whole(), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        self.said.append(f"gitmem {' '.join(args)} -> {done.returncode} {done.stderr.decode(errors='replace')[-400:]}")
        assert done.returncode != 1 or b"Traceback" not in done.stderr, self.said[-1]
        return done

    def by_cli(self, *args: str) -> None:
        """The real command line. Raises GitmemError where it refuses, as the call in this process does."""
        done = self.cli(*args)
        if done.returncode:
            raise GitmemError(done.stderr.decode(errors="replace"))

    def killed_cli(self, after: float, *args: str) -> None:
        """The real command line, killed `after` seconds unless it is done by then."""
        child = subprocess.Popen(
            [GITMEM, *args],
            cwd=self.path,
            env={name: value for name, value in self._whole().items() if name != ADDRESS},  # nothing may outlive it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            child.wait(after)
            self.said.append(f"gitmem {' '.join(args)}: done before it was killed")
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)  # the gits it started die with it, as when a machine stops
            child.wait()
            self.said.append(f"gitmem {' '.join(args)}: killed after {after:.3f} s")
            for lock in self.repo.git_dir.rglob("*.lock"):
                lock.unlink()  # as git tells people to

    def look(self, record_id: str | None) -> Look | None:
        """What the record looks like here; None where it is not, is broken, or no key is at hand."""
        if record_id is None or self.role is not Role.MEMBER:
            return None
        try:
            record = self.memory.get(record_id)
        except GitmemError:
            return None
        state = self.memory.context.store.read(self.memory.context.paths[record.id])
        assert state is not None, f"{record_id} was there a moment ago"
        return Look(_shown(record), record.alive, record.contested, record, state)

    def grave(self, record_id: str | None) -> State | None:
        """What is left here of a record that was collected."""
        if record_id is None or self.role is not Role.MEMBER:
            return None
        store = self.memory.context.store
        graves = (grave for listing in store.graves.lists().values() for grave in graves_in(listing).values())
        return next((grave for grave in graves if grave.id == record_id), None)

    def under_way(self) -> str | None:
        """The git operation that waits to be finished, if any."""
        return next((what for mark, what in _UNDER_WAY.items() if (self.repo.git_dir / mark).exists()), None)

    def branch(self) -> str | None:
        """The checked-out branch."""
        return self.repo.branch()

    def head(self) -> str:
        """The commit that is checked out."""
        head = self.repo.head()
        assert head is not None, f"{self.name}: HEAD stands nowhere"
        return head

    def branches(self) -> list[str]:
        """The branches beside the main one that were begun here (`stem`: or in the clone this is a copy of)."""
        begun = f"refs/heads/side-{self.stem or self.name}-"
        return [name.removeprefix("refs/heads/") for name in sorted(refs(self.repo.common_dir)) if name.startswith(begun)]

    def _whole(self) -> dict[str, str]:
        dates = {name: os.environ[name] for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")}
        return {**self.env, **dates, "GIT_EDITOR": "true", "GIT_SEQUENCE_EDITOR": "true"}


def refs(git_dir: Path) -> dict[str, str]:
    """All refs of a repository and what they hold, read as gitrepository-layout(5) says."""
    packed = git_dir / "packed-refs"
    lines = packed.read_text().splitlines() if packed.exists() else []
    found = {name: value for value, _, name in (line.partition(" ") for line in lines if line[:1] not in "#^")}
    loose = (path for path in (git_dir / "refs").rglob("*") if path.is_file() and path.suffix != ".lock")
    return found | {path.relative_to(git_dir).as_posix(): path.read_text().strip() for path in loose}


def _shown(record: Record) -> frozenset[Key]:
    values = {
        Key(record.id, place, str(value))
        for place in PLACES
        if place in record.fields
        for value in ([v.value for v in record.conflicts[place]] if place in record.conflicts else [record.fields[place]])
    }
    return frozenset(values | {Key(record.id, "tags", str(tag)) for tag in record.sets.get("tags", [])})
