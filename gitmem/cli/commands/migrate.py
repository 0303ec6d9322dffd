"""`gitmem migrate`: bring records to the newest version of their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Group, define
from gitmem.cli.complete import kinds
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.upkeep.migrate import MigrationReport

_SHOWN = 50


@click.group("migrate", cls=Group)
def command() -> None:
    """Bring records to the newest version of their kind.

    A newer version adds fields and takes none away: records of all versions go on side by side, in this gitmem and in an older
    one. A migration fills in what can be worked out of the older fields.
    """


def _kind(function: Any) -> Any:
    return click.option("--kind", metavar="KIND", shell_complete=kinds, help="Only records of this kind.")(function)


def _yes(function: Any) -> Any:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(function)


@define(
    "detect",
    examples=[("gitmem migrate detect", ""), ("gitmem migrate detect --json | jq '.kinds[].waiting'", "for a program")],
    exits=(*READS, 13),
)
@_kind
@pass_ui
def detect(ui: Ui, kind: str | None) -> None:
    """Tell how many records stand in which version of their kind, and how many a migration would change."""
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.migrate import detect as look

    with opened(ui) as memory:
        found = look(memory.context, kind)
    if ui.json:
        ui.data({"kinds": found})
        return
    ui.rows(
        ("KIND", "NEWEST", "RECORDS", "WAITING"),
        [(one.kind, one.newest, _versions(one.versions), one.waiting) for one in found],
    )


@define(
    "plan",
    examples=[("gitmem migrate plan", "what `run` would do"), ("gitmem migrate plan --kind quirk", "")],
    exits=(*READS, 13),
)
@_kind
@pass_ui
def plan(ui: Ui, kind: str | None) -> None:
    """Show which records a migration would change, and which fields it would write. Changes nothing."""
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.migrate import plan as look

    with opened(ui) as memory:
        report = look(memory.context, kind)
    _show(ui, report, "would migrate")


@define(
    "run",
    examples=[
        ("gitmem migrate run", "shows how many, and asks"),
        ("gitmem migrate run --yes && gitmem sync", "and hand it on"),
        ("gitmem migrate run --dry-run", "as `plan`"),
    ],
    exits=WRITES,
)
@_kind
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@_yes
@pass_ui
def run(ui: Ui, kind: str | None, dry_run: bool, yes: bool) -> None:
    """Bring the records to the newest version: all of them in one commit, or none.

    A snapshot comes first. Whoever else migrates at the same time comes to the same bytes; what somebody has written already
    stands. Records that no key of yours opens are left to those who can read them.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.migrate import plan as look
    from gitmem.memory.upkeep.migrate import run as migrate

    with opened(ui) as memory:
        report = look(memory.context, kind)
        go = not dry_run and (bool(report.problems) or _sure(ui, report, "migrate", yes=yes))
        if go:
            report = migrate(memory.context, kind)
    _show(ui, report, "migrated" if go else "would migrate")


@define(
    "rollback",
    examples=[
        ("gitmem migrate rollback --dry-run", "what would be taken back"),
        ("gitmem migrate rollback --kind quirk --yes", "does not ask"),
    ],
    exits=WRITES,
)
@_kind
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@_yes
@pass_ui
def rollback(ui: Ui, kind: str | None, dry_run: bool, yes: bool) -> None:
    """Take back what migrations filled in: all of it in one commit, or nothing. What people wrote since stays.

    A record keeps its version number, since a merge takes the larger one. `run` fills in again what was taken back.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.migrate import rollback as take_back

    with opened(ui) as memory:
        report = take_back(memory.context, kind, dry_run=True)
        go = not dry_run and _sure(ui, report, "roll back", yes=yes)
        if go:
            report = take_back(memory.context, kind)
    _show(ui, report, "rolled back" if go else "would roll back")


def _sure(ui: Ui, report: MigrationReport, what: str, *, yes: bool) -> bool:
    return not report.records or sure(ui, f"{what} {_count(report)}", yes=yes)


def _show(ui: Ui, report: MigrationReport, did: str) -> None:
    if ui.json:
        ui.data(report)
        return
    rows = [(one.id, one.kind, one.scope, f"{one.schema} to {one.to}", " ".join(one.fields)) for one in report.records]
    if rows:
        ui.rows(("ID", "KIND", "SCOPE", "VERSION", "FIELDS"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        ui.note(f"and {len(rows) - _SHOWN:,} more: --json lists them all")
    for problem in report.problems:
        ui.warn(problem)
    if report.sealed:
        ui.note(f"{report.sealed:,} sealed to you: left to those who can read them")
    ui.note(f"{did} {_count(report)}")


def _count(report: MigrationReport) -> str:
    from gitmem.core.nearest import counted

    return counted(len(report.records), "record")


def _versions(versions: dict[int, int]) -> str:
    return ", ".join(f"{count:,} in version {version}" for version, count in versions.items()) or "none"


for _each in (detect, plan, run, rollback):
    command.add_command(_each)
