"""Two clones of one store and a bare remote, reached in the way a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.net.team import Team
from tests.support.git import Git
from tests.support.stores import found, open_memory


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Callable[..., Team]]:
    """`team(url)` is a store founded by Ada, shared at `url` (a plain path by default), and a clone of Bob's."""
    with ExitStack() as stack:

        def make(url: str | None = None) -> Team:
            place = url or str(tmp_path / "srv/team.git")
            found(tmp_path / "ada", plain=True)
            Git(tmp_path / "ada")("remote", "add", "origin", place)
            ada = stack.enter_context(open_memory(tmp_path / "ada"))
            ada.sync()
            clone(place, str(tmp_path / "bob"))
            bob = stack.enter_context(open_memory(tmp_path / "bob"))
            return Team(tmp_path, ada, bob)

        (tmp_path / "srv").mkdir()
        bare = Git(tmp_path / "srv")
        bare("init", "--quiet", "--bare", "team.git")
        Git(tmp_path / "srv/team.git")("config", "http.receivepack", "true")
        yield make


def git_of(memory: Memory) -> Git:
    """Git in a clone."""
    return Git(memory.context.store.root)
