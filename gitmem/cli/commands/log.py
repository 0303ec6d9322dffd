"""`gitmem log`: the history of records, in words."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui


@define(
    "log",
    examples=[
        ("gitmem log", "what happened last, newest first"),
        ("gitmem log p-3k7q", "who changed this record, and when"),
        ("gitmem log --limit 1000 --json", "for a program"),
    ],
    exits=(10, 12, 15),
)
@click.argument("id", required=False, shell_complete=record_ids)
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="At most so many entries.")
@scope_option("Only what happened in this scope.")
@pass_ui
def command(ui: Ui, id: str | None, limit: int, scope: str | None) -> None:  # noqa: A002 - the name in the help
    """Show who did what to the records, as the signed audit log says, newest first.

    What was not committed yet is not in it. `gitmem audit log` shows members and keys as well, `gitmem audit verify` checks
    the signatures.
    """
    from gitmem.cli.logs import headlines, show_entries
    from gitmem.cli.session import opened
    from gitmem.memory.auditing.audit import log
    from gitmem.memory.locate import locate
    from gitmem.memory.members.scopes import known_scope

    with opened(ui) as memory:
        target = locate(memory.context, id) if id is not None else None
        if scope is not None:
            known_scope(memory.context, scope)
        told = (entry for entry in log(memory.context.store.root, target=target) if entry.record)
        entries = [entry for entry in told if scope in (None, entry.scope)][:limit]
        titles = headlines(memory.context, entries) if not ui.json else {}
    show_entries(ui, entries, titles)
