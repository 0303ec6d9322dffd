"""`gitmem list`: the records that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.complete import kinds
from gitmem.cli.exits import READS
from gitmem.cli.inputs import clean
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.core.usage import Usage


@define(
    "list",
    examples=[
        ("gitmem list", "what was learned last"),
        ("gitmem list --kind runbook --tag deploy", ""),
        ("gitmem list --limit 100000 | cut -f1", "all ids"),
    ],
    exits=(*READS, 13),
)
@click.option("--kind", metavar="KIND", shell_complete=kinds, help="Only records of this kind.")
@click.option("--tag", metavar="TAG", help="Only records with this tag.")
@click.option("--scope", metavar="SCOPE", help="Only records of this scope.")
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="At most so many records.")
@pass_ui
def command(ui: Ui, kind: str | None, tag: str | None, scope: str | None, limit: int) -> None:
    """List records, the latest changed first.

    The columns are id, kind, how often it fixed the problem of how often it was tried, and what it is about.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.headline import headline

    with opened(ui) as memory:
        if kind is not None:
            memory.context.kinds.get(kind)
        records = memory.records(kind, clean(tag) if tag else None, scope, limit)
        if ui.json:
            ui.data({"records": [record.as_json() for record in records]})
            return
        rows = [(r.id, r.kind, _used(r.usage), headline(memory.context, r.kind, r.fields)) for r in records]
    if not rows:
        ui.note("no record stands here; `gitmem learn` makes one")
        return
    with ui.paged():
        ui.rows(("ID", "KIND", "FIXED", "WHAT"), rows)


def _used(usage: Usage) -> str:
    tried = usage.fixed + usage.failed
    return f"{usage.fixed}/{tried}" if tried else "-"
