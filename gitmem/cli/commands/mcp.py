"""`gitmem mcp`: the store as tools for an agent."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui


@define(
    "mcp",
    examples=[
        ("gitmem mcp", "an MCP client starts this and speaks over stdin and stdout"),
        ("claude mcp add memory -- gitmem -C ~/memory mcp", ""),
        ("gitmem mcp --agent reviewer", "what this agent records is its own: the scope agents/reviewer"),
    ],
    exits=(10, 12),
)
@click.option("--agent", metavar="NAME", help="Keep what it records in a scope of its own: agents/NAME. Or set GITMEM_AGENT.")
@pass_ui
def command(ui: Ui, agent: str | None) -> None:
    """Serve the store to an agent over the Model Context Protocol."""
    from pathlib import Path

    from gitmem.mcp.server import serve

    serve(Path(), identity=ui.identity, agent=agent)
