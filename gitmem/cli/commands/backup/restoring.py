"""`gitmem backup restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import define
from gitmem.cli.commands.backup.making import where_option
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.backups.restore import RestoreReport
    from gitmem.memory.backups.restore_anew import RestoredAnew


@define(
    "restore",
    examples=[
        ("gitmem backup restore --from /media/backup notes", "a lost laptop: the newest backup, into notes/"),
        ("gitmem backup restore --at 2026-11-20T10:00 --dry-run", "what would come back of what was there then"),
        ("gitmem backup restore --at k3v9q2xa-1:12 --scope ops", "the records of ops, as of an entry of the log"),
        ("gitmem backup restore --at b-k3v9q2xa-0007 --id p-3k7q --replace", "one record, as it is in a backup"),
    ],
    exits=(*WRITES, 14, 15),
)
@click.argument("directory", metavar="[DIR]", required=False)
@where_option("--from", "Where the backups are")
@click.option("--at", metavar="TIME|WRITER:SEQ|BACKUP", help="Of when; a snapshot's name, too. The newest backup by default.")
@scope_option()
@click.option("--kind", metavar="KIND", help="Only records of this kind.")
@click.option(
    "--id", "record", metavar="ID", shell_complete=record_ids, help="Only this record; the beginning of its id will do."
)
@click.option("--replace", is_flag=True, help="Write over what is newer, and forget records that came since.")
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def restore(ui: Ui, /, directory: str | None, where: str | None, at: str | None, **how: Any) -> None:
    """Bring records back to what they were; or, with DIR, make a new clone out of backups alone.

    In a store, what was lost since that moment (forgotten records, values, tags) is written anew. What was written since
    stands, and is told of, unless --replace says otherwise. Nothing is taken out of the history: what is restored is a new,
    signed write that syncs like any other, and a snapshot is made first. What was erased stays erased.

    A time is a hint, because clocks are wrong at times: it is the moment in the log that fewest clocks are against. WRITER:SEQ
    names an entry of the log (`gitmem audit log --json`) and so the state that its writer had just signed.

    With DIR, which must be empty or absent, it takes nothing but the place of the backups and a key that opens them: yours, or
    the recovery identity.
    """
    if directory is not None:
        if where is None or any(how.values()):
            raise UsageError("a new clone is made of a whole backup: it takes --from and --at", "leave the other options out")
        _anew(ui, where, Path(directory), at)
    else:
        _here(ui, at, where, **how)


def _here(ui: Ui, at: str | None, where: str | None, **how: Any) -> None:
    from gitmem.cli.session import opened
    from gitmem.cli.sure import sure
    from gitmem.core.nearest import counted
    from gitmem.memory.backups.restore import Selection, restore

    chosen = Selection(how["scope"], how["kind"], how["record"])
    with opened(ui) as memory:
        report = restore(memory.context, at, chosen, where=where, replace=how["replace"], dry_run=True)
        changes = sum(one.changes for one in report.records)
        if not ui.json:
            _show(ui, report)
        done = not how["dry_run"] and changes > 0 and sure(ui, f"restore {counted(changes, 'record')}", yes=how["yes"])
        if done:
            report = restore(memory.context, at, chosen, where=where, replace=how["replace"])
    if ui.json:
        ui.data(report)
    elif done:
        ui.note(f"restored {counted(changes, 'record')}, after the snapshot {(report.snapshot or '').rpartition('/')[2]}")
    elif how["dry_run"]:
        ui.note(f"would restore {counted(changes, 'record')}")
    else:
        ui.note("nothing was changed" if changes else "there is nothing to restore: nothing of that moment was lost")


def _show(ui: Ui, report: RestoreReport) -> None:
    for one in report.records:
        ui.line(f"{ui.styled(one.id, 'bold')}  {one.kind}  {one.scope}  {one.what}")
        for line in one.lines:
            ui.block(line, indent="  ")


def _anew(ui: Ui, where: str, directory: Path, at: str | None) -> None:
    from gitmem.cli.progress import Progress
    from gitmem.cli.session import person
    from gitmem.memory.backups.restore_anew import restore_anew

    with Progress(shown=not ui.quiet) as progress:
        ui.before_asking = progress.stop
        done = restore_anew(where, directory, person(ui).identities, at=at, progress=progress.tell)
    if ui.json:
        ui.data(done)
    else:
        _tell_anew(ui, done)


def _tell_anew(ui: Ui, done: RestoredAnew) -> None:
    from gitmem.core.nearest import counted

    for problem in done.problems:
        ui.warn(problem)
    for note in done.notes:
        ui.warn(note)
    ui.note(f"restored {counted(done.records, 'record')} as of {done.time} ({done.backup}) into {done.root}")
    if done.erased:
        ui.note(f"{counted(len(done.erased), 'record')} of these had been erased and cannot be read")
    ui.note("`gitmem audit verify` checks its log; `git remote add origin URL` and `gitmem sync` bring what came since")
