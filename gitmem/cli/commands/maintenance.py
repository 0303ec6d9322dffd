"""`gitmem maintenance`: what a store needs once a day, and having the system do it."""

from __future__ import annotations

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError


@click.group("maintenance", cls=Group)
def command() -> None:
    """Keep the store small, backed up and sound: once a day is enough, and one clone of the team."""


@define(
    "run",
    examples=[
        ("gitmem maintenance run --dry-run", "what each step would do"),
        ("gitmem maintenance run --yes --json", "as a timer does"),
    ],
    exits=WRITES,
)
@click.option("--dry-run", is_flag=True, help="Only tell what each step would do.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def run(ui: Ui, dry_run: bool, yes: bool) -> None:
    """Take a snapshot, back up, prune, archive, collect, verify, bring the index up to date, and let git clean up.

    A step that fails does not stop the others; the exit code is 1 then. A backup is made where `gitmem backup create` has made
    one before. What is pruned comes back with `gitmem prune --undo`. Nothing is pushed: the next `gitmem sync` does that.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.maintenance import FAILED, maintain

    with opened(ui) as memory:
        if not dry_run and not sure(ui, "run all steps of maintenance, pruning included", yes=yes):
            ui.note("nothing was changed")
            return
        steps = maintain(memory.context, dry_run=dry_run)
    failed = [step.name for step in steps if step.result == FAILED]
    if ui.json:
        ui.data({"ok": not failed, "dry_run": dry_run, "steps": steps})
    else:
        ui.rows(("STEP", "RESULT", "SECONDS", ""), [(s.name, s.result, f"{s.seconds:.1f}", s.said) for s in steps])
    if failed:
        raise GitmemError(f"failed: {', '.join(failed)}", "`gitmem doctor` tells more")


@define(
    "install",
    examples=[
        ("gitmem maintenance install", "daily, by what this system has"),
        ("gitmem maintenance install --dry-run", "prints what would be written"),
        ("gitmem maintenance install --with cron", ""),
    ],
    exits=READS,
)
@click.option(
    "--with", "way", type=click.Choice(["systemd", "launchd", "cron"]), help="Which of them; left out, what is there."
)
@click.option("--dry-run", is_flag=True, help="Only print what would be written.")
@pass_ui
def install(ui: Ui, way: str | None, dry_run: bool) -> None:
    """Have the system run maintenance of this clone once a day, as you: a systemd user timer, a launchd agent or a cron job.

    Your key must be found without asking: in its file under ~/.config/gitmem, say. A second time changes nothing.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.timers import install as put

    with opened(ui) as memory:
        report = put(memory.context, way, dry_run=dry_run)
    if ui.json:
        ui.data(report)
        return
    for path, text in report.files.items():
        if dry_run:
            ui.block(f"# {path}\n{text}")
        else:
            ui.note(f"{'wrote' if report.changed else 'is there already:'} {path}")
    for note in report.notes:
        ui.warn(note)


@define(
    "uninstall", examples=[("gitmem maintenance uninstall", ""), ("gitmem maintenance uninstall --dry-run", "")], exits=READS
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@pass_ui
def uninstall(ui: Ui, dry_run: bool) -> None:
    """Take out what `install` put in place for this clone."""
    from gitmem.cli.session import opened
    from gitmem.memory.upkeep.timers import uninstall as take_out

    with opened(ui) as memory:
        reports = take_out(memory.context, dry_run=dry_run)
    if ui.json:
        ui.data({"removed": reports})
        return
    for report in reports:
        for path in report.files:
            ui.note(f"{'would take out' if dry_run else 'took out'} {path}")
        for note in report.notes:
            ui.warn(note)
    if not reports:
        ui.note("nothing was in place for this clone")


for _each in (run, install, uninstall):
    command.add_command(_each)
