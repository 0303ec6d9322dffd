"""`gitmem erase`: take records out for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.erase import EraseReport


@define(
    "erase",
    examples=[
        ("gitmem erase p-3k7q --dry-run", "what would go, and where copies may remain"),
        ("gitmem erase p-3k7q --basis 'request 4711'", "asks, and says in the log on what grounds"),
    ],
    exits=WRITES,
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=record_ids)
@click.option("--basis", metavar="TEXT", help="On what grounds; it stands in the log, in the clear.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go, and where copies may remain.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def command(ui: Ui, ids: tuple[str, ...], basis: str | None, dry_run: bool, yes: bool) -> None:
    """Erase records: at once, and for good.

    Unlike `forget` and `gc` it waits for nobody. The record is gone from HEAD, and from what this clone keeps beside it; at
    their next sync from everybody else's. No old clone, backup or restore brings it back. The log keeps who erased it and
    hashes as evidence, and git's history keeps what it said. Where copies may remain is listed.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.erase import erase

    with opened(ui) as memory:
        report = erase(memory.context, ids, basis=basis, dry_run=True)
        sure = not dry_run and _sure(ui, report, yes)
        if sure:
            report = erase(memory.context, ids, basis=basis)
    if ui.json:
        ui.data(report)
    elif sure or dry_run:
        show(ui, report)
    else:
        ui.note("nothing was changed")


def _sure(ui: Ui, report: EraseReport, yes: bool) -> bool:
    from gitmem.cli.present import counted

    if yes:
        return True
    what = counted(len(report.erased), "record")
    if not ui.person:
        raise UsageError(f"nobody is there to ask whether to erase {what}", "say so: --yes; or look first: --dry-run")
    for one in report.erased:
        ui.note(f"{one.id} ({one.kind}, {one.scope}): {counted(one.values, 'value')}")
    return ui.confirm(f"erase {what} for good?")


def show(ui: Ui, report: EraseReport) -> None:
    """Write what was erased, and where copies may remain."""
    from gitmem.cli.present import counted

    ui.rows(("ERASED", "KIND", "SCOPE", "VALUES"), [(one.id, one.kind, one.scope, one.values) for one in report.erased])
    for problem in report.problems:
        ui.warn(problem)
    done = "would erase" if report.dry_run else "erased"
    ui.note(f"{done} {counted(len(report.erased), 'record')}; copies may remain:")
    for place in report.remains:
        ui.note(f"  {place.what}: {place.where}; {place.until}")
