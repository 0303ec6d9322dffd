"""`gitmem diff`: what changed since the last commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.diff import RecordDiff

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@define(
    "diff",
    examples=[("gitmem diff", "everything that waits for a commit"), ("gitmem diff p-3k7q", "one record")],
    exits=(*READS, 13, 15),
)
@click.argument("id", required=False, shell_complete=record_ids)
@pass_ui
def command(ui: Ui, id: str | None) -> None:  # noqa: A002 - the name in the help
    """Show what changed since the last commit, decrypted, field by field."""
    from gitmem.cli.session import opened
    from gitmem.memory.diff import diff

    with opened(ui) as memory:
        found = diff(memory.context, id)
    if ui.json:
        ui.data({"changes": found})
        return
    if not found:
        ui.note("nothing changed since the last commit")
        return
    with ui.paged():
        for one in found:
            _show(ui, one)


def _show(ui: Ui, one: RecordDiff) -> None:
    ui.line(f"{ui.styled(one.id, 'bold')}  {one.kind}, {one.scope}: {one.what}")
    for line in one.lines:
        ui.line("  " + ui.styled(line, *filter(None, [_COLOURS.get(line[:1])])))
