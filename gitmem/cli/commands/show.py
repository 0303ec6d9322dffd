"""`gitmem show`: one record, with everything that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.results import Record


@define(
    "show",
    examples=[
        ("gitmem show p-3k7q", "any unique beginning of an id will do"),
        ("gitmem show p-3k7q --json | jq .usage", "for a program"),
    ],
    exits=(*READS, 13, 15),
)
@click.argument("id", shell_complete=record_ids)
@pass_ui
def command(ui: Ui, id: str) -> None:  # noqa: A002 - the name in the help
    """Show one record: its fields, its use, and values that wait for a person."""
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        record = memory.get(id)
    if ui.json:
        ui.data(record.as_json())
        return
    with ui.paged():
        show(ui, record)


def show(ui: Ui, record: Record) -> None:
    """Write a record for a person."""
    from gitmem.cli.present import fields, labelled, usage_words

    standing = "" if record.alive else ui.styled("  forgotten", "red")
    ui.line(f"{ui.styled(record.id, 'bold')}  {record.kind}, {record.scope}{standing}")
    fields(ui, {name: value for name, value in record.fields.items() if name not in record.conflicts})
    for name, values in record.sets.items():
        labelled(ui, name, ", ".join(map(str, values)))
    labelled(ui, "use", usage_words(record.usage))
    show_conflicts(ui, record)


def show_conflicts(ui: Ui, record: Record) -> None:
    """Write all concurrent values of a record, with the dot to pick each by, and who wrote it when."""
    from gitmem.cli.present import as_text

    if record.contested:
        ui.line()
        ui.line(ui.styled("  one deleted it while another edited it", "yellow"))
        ui.line(f"    settle it: gitmem resolve {record.id} --keep   (or --forget)")
    for name, values in record.conflicts.items():
        ui.line()
        ui.line(ui.styled(f"  {name}: {len(values)} values wait for a choice", "yellow"))
        for value in values:
            by = f"{value.by}, {value.at}" if value.by else "not committed yet"
            ui.line(f"    {ui.styled(value.dot, 'bold')}  ({ui.styled(by)})")
            ui.block(as_text(value.value), indent="      ")
        ui.line(f"    settle it: gitmem resolve {record.id} {ui.styled(name)} --pick {ui.styled(values[-1].dot)}")
