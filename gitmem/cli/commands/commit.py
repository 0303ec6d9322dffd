"""`gitmem commit`: make a git commit of what was recorded."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.inputs import clean
from gitmem.cli.redacting import redact_option, tell
from gitmem.cli.ui import Ui, pass_ui


@define(
    "commit",
    examples=[
        ("gitmem commit", ""),
        ("gitmem commit -m 'what we learned in the outage'", "the message is not encrypted"),
    ],
    exits=WRITES,
)
@click.option("--message", "-m", metavar="TEXT", help="The commit message; it stands in the clear.")
@redact_option
@pass_ui
def command(ui: Ui, message: str | None) -> None:
    """Commit everything recorded so far, with a signed entry of the audit log.

    `gitmem sync` does this by itself. What was recorded is safe on this disk without it.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted

    with opened(ui) as memory:
        made = memory.commit(clean(message) if message else None)
    if ui.json:
        ui.data(made or {"commit": None, "records": 0, "entries": 0, "skipped": [], "redacted": []})
        return
    for left_out in made.skipped if made else ():
        ui.warn(f"left out: {left_out}")
    tell(ui, made.redacted if made else ())
    if made is None or (made.skipped and not (made.records or made.entries)):
        ui.note("nothing to commit")
    else:
        ui.line(made.commit)
        ui.note(f"committed {counted(made.records, 'record')}; `gitmem sync` shares it")
