"""`gitmem gc`: take away what nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.upkeep.gc import GcReport


@define(
    "gc",
    examples=[
        ("gitmem gc --dry-run", "what could go, who is waited for, and all replicas"),
        ("gitmem gc --yes", "collects without asking, as a scheduled job does"),
        ("gitmem gc --retire k3v9q2xa", "a laptop that is gone for good holds up nothing any more"),
    ],
    exits=WRITES,
)
@click.option("--dry-run", is_flag=True, help="Only tell what would go, and list the replicas.")
@click.option("--retire", metavar="REPLICA", help="First stop waiting for this replica; the beginning of its name will do.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def command(ui: Ui, dry_run: bool, retire: str | None, yes: bool) -> None:
    """Collect what is left of forgotten records, once every replica has heard that they were forgotten.

    The file goes, here and after the next sync everywhere; a copy that turns up later, in an old clone or a backup, cannot
    bring the record back. git's history keeps what it said. A replica has heard of what it has synced, and this one learns
    of that by a sync of its own. A replica that will not be heard of again is retired by name; should it come back, it goes on
    under a new name and loses nothing.

    Records that say nothing, or just what another of their kind and scope says, are forgotten first, as `gitmem prune` does; of
    equal ones the one with the smallest id stays. Snapshots that the store's policy keeps no longer go, too.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.gc import gc

    with opened(ui) as memory:
        report = gc(memory.context, retire=retire, dry_run=True)
        what = _what(report)
        done = not dry_run and (what is None or sure(ui, what, yes=yes))
        if done:
            report = gc(memory.context, retire=retire)
    if ui.json:
        ui.data(report)
    elif done or dry_run:
        _show(ui, report)
    else:
        ui.note("nothing was changed")


def _what(report: GcReport) -> str | None:
    """What a gc is about to do, in words; None for nothing."""
    from gitmem.core.nearest import counted

    forget = f"forget {counted(len(report.let_go), 'empty or duplicate record')}" if report.let_go else ""
    collect = f"collect {counted(len(report.collected), 'forgotten record')}" if report.collected else ""
    retire = f"retire the replica {report.retired}" if report.retired else ""
    return " and ".join(filter(None, (retire, forget, collect))) or None


def _show(ui: Ui, report: GcReport) -> None:
    from gitmem.core.nearest import counted

    rows = [(one.id, one.kind, one.scope, " ".join(one.waits_for)) for one in [*report.collected, *report.waiting]]
    if rows:
        ui.rows(("FORGOTTEN", "KIND", "SCOPE", "WAITS FOR"), rows)
    if report.dry_run:
        ui.rows(
            ("REPLICA", "MEMBER", "LAST SIGNED", "HOLDS UP", ""),
            [(one.replica, one.member, one.last, one.holds_up or "", _mark(one.retired, one.me)) for one in report.replicas],
        )
    if report.let_go:
        ui.rows(("USELESS", "KIND", "SCOPE", "WHY"), [(one.id, one.kind, one.scope, one.what) for one in report.let_go])
    for problem in report.problems:
        ui.warn(problem)
    if report.dry_run:
        ui.note(f"would {_what(report) or 'collect nothing'}")
    else:
        retired = f"retired {report.retired}, " if report.retired else ""
        if report.let_go:
            ui.note(
                f"forgot {counted(len(report.let_go), 'record')} that said nothing new: `gitmem prune --undo last` undoes it"
            )
        ui.note(f"{retired}collected {counted(len(report.collected), 'forgotten record')}")
    if report.waiting:
        ui.note(f"{_more(report)} for replicas that have not been heard since: `gitmem gc --dry-run` lists them")


def _more(report: GcReport) -> str:
    return "one more waits" if len(report.waiting) == 1 else f"{len(report.waiting):,} more wait"


def _mark(retired: bool, me: bool) -> str:
    return "retired" if retired else "this one" if me else ""
