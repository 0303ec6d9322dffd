"""`gitmem search`: records that hold some words."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.complete import kinds
from gitmem.cli.exits import READS
from gitmem.cli.inputs import clean
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui


@define(
    "search",
    examples=[
        ("gitmem search upstream branch", ""),
        ("gitmem search --kind decision database", "among the decisions only"),
        ("gitmem search --json retry | jq -r '.results[].id'", "for a program"),
    ],
    exits=(*READS, 13),
)
@click.argument("words", nargs=-1, required=True)
@click.option("--kind", metavar="KIND", shell_complete=kinds, help="Only records of this kind.")
@scope_option()
@click.option("--limit", "-n", type=click.IntRange(1, 10_000), default=10, show_default=True, help="At most so many results.")
@pass_ui
def command(ui: Ui, words: tuple[str, ...], kind: str | None, scope: str | None, limit: int) -> None:
    """Find records by the words in them, best first."""
    from gitmem.cli.session import opened
    from gitmem.memory.headline import headline

    with opened(ui) as memory:
        if kind is not None:
            memory.context.kinds.get(kind)
        hits = memory.search(clean(" ".join(words)), kind, limit, scope)
        if ui.json:
            ui.data({"results": hits})
            return
        rows = [(hit.id, hit.kind, headline(memory.context, hit.kind, hit.fields)) for hit in hits]
    if not rows:
        ui.note("no record holds these words")
        return
    with ui.paged():
        ui.rows(("ID", "KIND", "WHAT"), rows)
