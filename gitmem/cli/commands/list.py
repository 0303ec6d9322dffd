"""`gitmem list`: the records that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.complete import kinds
from gitmem.cli.exits import READS
from gitmem.cli.inputs import clean
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.core.usage import Usage
    from gitmem.memory.context import Context
    from gitmem.memory.results import Record


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
@scope_option()
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="At most so many records.")
@pass_ui
def command(ui: Ui, kind: str | None, tag: str | None, scope: str | None, limit: int) -> None:
    """List records, the latest changed first.

    The columns are id, kind, scope, fixed/tried (3/4: tried four times, it fixed the problem three times) and what it is about.
    Records whose scope's key you lack are listed as sealed.
    """
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        if kind is not None:
            memory.context.kinds.get(kind)
        records = memory.records(kind, None if tag is None else clean(tag), scope, limit)
        if ui.json:
            ui.data({"records": [record.as_json() for record in records]})
            return
        rows = [(r.id, r.kind, r.scope, _used(r.usage), _about(memory.context, r)) for r in records]
    if not rows:
        ui.note("no record stands here; `gitmem learn` makes one")
        return
    with ui.paged():
        ui.rows(("ID", "KIND", "SCOPE", "FIXED", "WHAT"), rows)


def _about(context: Context, record: Record) -> str:
    from gitmem.memory.headline import headline

    return "sealed: no key" if record.sealed else headline(context, record.kind, record.fields)


def _used(usage: Usage) -> str:
    tried = usage.fixed + usage.failed
    return f"{usage.fixed}/{tried}" if tried else "-"
