"""Fixtures of the MCP tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.served import programs

_SDK = (
    "gitmem.mcp.server",
    "mcp.server.lowlevel",
    "mcp.server.stdio",
    "mcp_types",
    "anyio._backends._asyncio",
    "anyio.to_thread",
)


@pytest.fixture(autouse=True)
def _loaded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`gitmem` on PATH is forked from what has the SDK loaded: its import takes a second, and each test starts a server."""
    for name, value in programs(*_SDK).env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(cli: Cli, tmp_path: Path) -> Path:
    """A new encrypted store with one member."""
    cli("init", "store", "--name", "ada").ok()
    return tmp_path / "store"
