"""`gitmem prune`: let go what is of no use any more, and bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmem.memory.memory import Memory
    from gitmem.memory.upkeep.prune import PruneReport
    from gitmem.memory.upkeep.prune_undo import UndoReport

_SHOWN = 50


@define(
    "prune",
    examples=[
        ("gitmem prune --dry-run", "what would go, and why"),
        ("gitmem prune --yes && gitmem sync", "without asking, as a scheduled job does"),
        ("gitmem prune --list", "what was pruned when, and can be brought back"),
        ("gitmem prune --undo last", "brings back what the latest pruning took"),
    ],
    exits=WRITES,
)
@click.option("--dry-run", is_flag=True, help="Only tell what would go, or come back.")
@click.option("--undo", metavar="ARCHIVE", help="Bring back what a pruning took: its name, or `last`.")
@click.option("--list", "listing", is_flag=True, help="List the prunings that can be undone.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def command(ui: Ui, dry_run: bool, undo: str | None, listing: bool, yes: bool) -> None:
    """Forget records that are unused, do not help or are too many, by the store's thresholds (`gitmem config list prune`).

    Time: unused for 90 days, decisions for 180, patterns that never helped 30 days after their last try. Use: tried often and
    hardly ever right, or shown often and hardly ever tried. Space: the least valuable of a scope above its limit. A snapshot
    comes first; what goes can be brought back, in every clone. Whoever tries or edits a record meanwhile keeps it.
    """
    from gitmem.cli.session import opened

    if listing and undo:
        raise UsageError(
            "--list and --undo are two different things", "`gitmem prune --list`, then `gitmem prune --undo ARCHIVE`"
        )
    with opened(ui) as memory:
        if listing:
            _list(ui, memory)
        elif undo is not None:
            _undo(ui, memory, undo, dry_run=dry_run, yes=yes)
        else:
            _prune(ui, memory, dry_run=dry_run, yes=yes)


def _prune(ui: Ui, memory: Memory, *, dry_run: bool, yes: bool) -> None:
    from gitmem.memory.upkeep.prune import prune

    report = prune(memory.context, dry_run=True)
    go = not dry_run and (not report.records or sure(ui, f"prune {_count(report.records)}", yes=yes))
    if go:
        report = prune(memory.context, sure=not yes)
    if ui.json:
        ui.data(report)
        return
    if report.records:
        rows = [(one.id, one.kind, one.scope, one.reason, one.why) for one in report.records]
        ui.rows(("ID", "KIND", "SCOPE", "REASON", "WHY"), rows[:_SHOWN])
    if len(report.records) > _SHOWN:
        ui.note(f"and {len(report.records) - _SHOWN:,} more: --json lists them all")
    _tell(ui, report)


def _tell(ui: Ui, report: PruneReport) -> None:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.by_reason.items())
    did = "would prune" if report.dry_run else "pruned"
    ui.note(f"{did} {_count(report.records)} of {report.standing:,}" + (f" ({reasons})" if reasons else ""))
    if report.archive:
        ui.note(f"`gitmem prune --undo {report.archive}` brings them back")


def _undo(ui: Ui, memory: Memory, name: str, *, dry_run: bool, yes: bool) -> None:
    from gitmem.memory.upkeep.prune_undo import undo

    report = undo(memory.context, name, dry_run=True)
    go = not dry_run and (not report.restored or sure(ui, f"bring back {_count(report.restored)}", yes=yes))
    if go:
        report = undo(memory.context, name)
    _tell_undo(ui, report)


def _tell_undo(ui: Ui, report: UndoReport) -> None:
    if ui.json:
        ui.data(report)
        return
    for one in report.skipped:
        ui.warn(f"{one.id} is left as it is: {one.why}")
    did = "would bring back" if report.dry_run else "brought back"
    ui.note(f"{did} {_count(report.restored)} from {report.archive}")


def _list(ui: Ui, memory: Memory) -> None:
    from gitmem.memory.upkeep.prune_undo import archives

    found = archives(memory.context)
    if ui.json:
        ui.data(
            {
                "archives": [
                    {"name": one.name, "time": one.time, "member": one.member, "records": len(one.paths)} for one in found
                ]
            }
        )
        return
    ui.rows(("ARCHIVE", "TIME", "MEMBER", "RECORDS"), [(one.name, one.time, one.member, len(one.paths)) for one in found])


def _count(some: Sequence[object]) -> str:
    from gitmem.core.nearest import counted

    return counted(len(some), "record")
