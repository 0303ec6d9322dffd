"""The same story of two clones over every transport git has: clone, sync both ways, lose the race, fold a side ref."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.net.team import Team, moved, note
from tests.support import http_server, servers
from tests.support.servers import Served

TRANSPORTS = ["path", "file", "git", "ssh", "http", "https"]


def _served(name: str, folder: Path, scratch: Path, stack: ExitStack) -> Served:
    if name == "git":
        return stack.enter_context(servers.git_daemon(folder))
    if name == "ssh":
        return stack.enter_context(servers.sshd(folder, scratch))
    if name.startswith("http"):
        password = http_server.PASSWORD if name == "https" else None
        return stack.enter_context(http_server.http(folder, scratch, tls=name == "https", password=password))
    return Served(f"file://{folder}" if name == "file" else str(folder), {})


@pytest.fixture(params=TRANSPORTS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of the remote over each transport; https asks for a password, which git's credential helper knows."""
    with ExitStack() as stack:
        served = _served(request.param, tmp_path / "srv", tmp_path / "keys", stack)
        served.use()
        yield f"{served.url}/team.git"


def test_a_store_is_shared(team: Callable[..., Team], url: str) -> None:
    """Clone, push, pull and merge; who loses the race twice pushes a side ref, which the other folds in and removes."""
    both = team(url)
    note(both.ada, "from ada")
    assert moved(both.ada.sync()) == (1, 0)
    note(both.bob, "from bob")
    with both.busy_branch():
        report = both.bob.sync()
    assert (report.pulled, report.attempts) == (1, 3)
    assert both.side_refs() == [report.side] == [f"refs/gitmem/{both.bob.context.store.replica.writer}"]
    assert both.ada.sync().folded == 1
    assert both.side_refs() == []
    assert moved(both.bob.sync()) == (0, 0)
    both.agree("from ada", "from bob")
