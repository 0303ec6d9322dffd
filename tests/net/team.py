"""Ada and Bob, their clones, and the repository both share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, RemoteError
from gitmem.memory.memory import Memory
from gitmem.memory.reports import SyncReport
from tests.support.git import Git


@dataclass
class Team:
    """Two clones of one store, `srv/team.git` being the remote of both."""

    folder: Path
    ada: Memory
    bob: Memory

    @property
    def remote(self) -> Git:
        """Git in the remote."""
        return Git(self.folder / "srv/team.git")

    def git(self, name: str) -> Git:
        """Git in a clone."""
        return Git(self.folder / name)

    def side_refs(self) -> list[str]:
        """The names of the side refs on the remote."""
        return self.remote("for-each-ref", "--format=%(refname)", "refs/gitmem/").split()

    def settle(self) -> None:
        """Sync until both have everything."""
        for memory in (self.ada, self.bob, self.ada):
            assert memory.sync().problems == []

    def agree(self, *texts: str) -> None:
        """Both clones stand at the same commit with a clean work tree and a log that verifies, and hold these notes."""
        assert self.git("ada")("rev-parse", "HEAD") == self.git("bob")("rev-parse", "HEAD")
        for name, memory in (("ada", self.ada), ("bob", self.bob)):
            assert self.git(name)("status", "--porcelain") == ""
            assert memory.verify().problems == []
            assert sorted(record.fields["text"] for record in memory.records("note")) == sorted(texts)
        self.remote("fsck", "--strict")

    def hook(self, name: str, script: str) -> None:
        """Install a hook in the remote."""
        hook = self.folder / "srv/team.git/hooks" / name
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)

    @contextmanager
    def busy_branch(self) -> Iterator[Path]:
        """Have the remote refuse each push to the branch as it does when another is under way, until the lock given is gone."""
        lock = self.folder / "srv/team.git/refs/heads/main.lock"
        lock.touch()
        yield lock
        lock.unlink(missing_ok=True)


def note(memory: Memory, text: str) -> str:
    """Learn something that is like nothing else; its id."""
    return memory.learn("note", {"type": "semantic", "text": text}).id


def fails(memory: Memory, words: str, hint: str = "") -> RemoteError:
    """Sync, which fails with exit code 14 and these words; what was recorded is committed, the work tree in order."""
    with pytest.raises(GitmemError, match=words) as raised:
        memory.sync()
    error = raised.value
    assert isinstance(error, RemoteError), error
    assert error.exit_code == 14
    assert error.hint
    assert hint in error.hint
    git = Git(memory.context.store.root)
    assert git("status", "--porcelain") == ""
    assert not any((memory.context.store.repo.git_dir / name).exists() for name in ("MERGE_HEAD", "index.lock"))
    assert memory.status().pending == 0
    return error


def moved(report: SyncReport) -> tuple[int, int]:
    """(pushed, pulled) of a sync without problems."""
    assert report.problems == []
    return report.pushed, report.pulled
