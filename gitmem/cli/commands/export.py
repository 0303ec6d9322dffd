"""`gitmem export`: hand out what the store holds."""

from __future__ import annotations

from pathlib import Path

import click

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui


@define(
    "export",
    examples=[
        ("gitmem export --subject 'Bo Lind' --subject bo@example.org --output bo.tar.gz", "all about one person"),
    ],
    exits=READS,
)
@click.option(
    "--subject", metavar="NAME", multiple=True, required=True, help="A name, e-mail address or member's name of the person."
)
@click.option(
    "--output", "-o", metavar="PATH", required=True, type=click.Path(path_type=Path), help="A new directory, or a .tar.gz."
)
@pass_ui
def command(ui: Ui, subject: tuple[str, ...], output: Path) -> None:
    """Write all that the store holds about a person: an archive that they can read.

    Records that mention them as YAML, what earlier versions said, and what they did as a member: events, entries of the
    log, commits. Repeat --subject for each name and address they are known by. The archive is in the clear.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.privacy.subject_export import export_subject

    with opened(ui) as memory:
        report = export_subject(memory.context, subject, output)
    if ui.json:
        ui.data(report)
        return
    for note in report.notes:
        ui.warn(note)
    ui.note(f"wrote {counted(report.records, 'record')} about them, and what goes with it, to {report.path}")
