"""`gitmem mcp`: the store as tools for an agent."""

from __future__ import annotations

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui


@define(
    "mcp",
    examples=[
        ("gitmem mcp", "an MCP client starts this and speaks over stdin and stdout"),
        ("claude mcp add memory -- gitmem -C ~/memory mcp", ""),
    ],
    exits=(10, 12),
)
@pass_ui
def command(ui: Ui) -> None:
    """Serve the store to an agent over the Model Context Protocol."""
    from pathlib import Path

    from gitmem.mcp.server import serve

    serve(Path(), identity=ui.identity)
