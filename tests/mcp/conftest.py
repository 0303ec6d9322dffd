"""Fixtures of the MCP tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli


@pytest.fixture
def store(cli: Cli, tmp_path: Path) -> Path:
    """A new encrypted store with one member."""
    cli("init", "store", "--name", "ada").ok()
    return tmp_path / "store"
