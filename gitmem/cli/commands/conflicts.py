"""`gitmem conflicts`: concurrent values that wait for a person."""

from __future__ import annotations

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui


@define(
    "conflicts",
    examples=[
        ("gitmem conflicts", "each with its values, and who wrote them"),
        ("gitmem conflicts --json | jq -r '.conflicts[].id'", "for a program"),
    ],
    exits=READS,
)
@scope_option()
@pass_ui
def command(ui: Ui, scope: str | None) -> None:
    """List records that two people changed in the same place at once.

    Both values are kept until somebody picks one: `gitmem resolve`.
    """
    from gitmem.cli.commands.show import show_conflicts
    from gitmem.cli.session import opened
    from gitmem.memory.headline import headline

    with opened(ui) as memory:
        records = memory.conflicts(scope)
        titles = [headline(memory.context, record.kind, record.fields) for record in records]
    if ui.json:
        ui.data({"conflicts": [record.as_json() for record in records]})
        return
    if not records:
        ui.note("no conflicts")
        return
    with ui.paged():
        for record, title in zip(records, titles, strict=True):
            ui.line(f"{ui.styled(record.id, 'bold')}  {record.kind}  {ui.styled(title)}")
            show_conflicts(ui, record)
            ui.line()
