"""`gitmem forget`: delete a record."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError


@define(
    "forget",
    examples=[
        ("gitmem forget p-3k7q", "shows it and asks"),
        ("gitmem forget p-3k7q --yes", "does not ask"),
        ("gitmem forget p-3k7q --dry-run", "tells what would go"),
    ],
    exits=WRITES,
)
@click.argument("id", shell_complete=record_ids)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be forgotten.")
@pass_ui
def command(ui: Ui, id: str, yes: bool, dry_run: bool) -> None:  # noqa: A002 - the name in the help
    """Delete a record, here and after the next sync everywhere.

    It is not found any more. Its history stays in git; a secret that should never have been recorded must be changed at its
    source. An edit that somebody makes elsewhere before hearing of this keeps it alive: `gitmem conflicts` shows it then.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.headline import headline

    with opened(ui) as memory:
        record = memory.get(id)
        if not record.alive:
            raise GitmemError(f"{record.id} is forgotten already", "`gitmem list` shows the records that stand")
        what = f"{record.id} ({record.kind}): {headline(memory.context, record.kind, record.fields)}"
        forgotten = not dry_run and sure(ui, f"forget {record.id}", yes=yes, about=[what])
        if forgotten:
            memory.forget(record.id)
    if ui.json:
        ui.data({"id": record.id, "kind": record.kind, "forgotten": forgotten})
    elif dry_run:
        ui.note(f"would forget {what}")
    else:
        ui.note(f"forgot {what}" if forgotten else "nothing was changed")
