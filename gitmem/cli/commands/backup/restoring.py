"""`gitmem backup restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.commands.backup.making import where_option
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.restore_anew import RestoredAnew


@define(
    "restore",
    examples=[("gitmem backup restore --from /media/backup notes", "a lost laptop: the newest backup, into notes/")],
    exits=(*WRITES, 14, 15),
)
@click.argument("directory", metavar="[DIR]", required=False)
@where_option("--from", "Where the backups are")
@click.option("--at", metavar="BACKUP", help="Which one; the newest unless given.")
@pass_ui
def restore(ui: Ui, directory: str | None, where: str | None, at: str | None) -> None:
    """Restore a store from its backups into DIR, which must be empty or absent.

    It takes nothing but the place where they are, and a key that opens them: yours, or the recovery identity.
    """
    if directory is None or where is None:
        raise UsageError("say from where and into which directory", "gitmem backup restore --from /media/backup notes")
    _anew(ui, where, Path(directory), at)


def _anew(ui: Ui, where: str, directory: Path, at: str | None) -> None:
    from gitmem.cli.progress import Progress
    from gitmem.cli.session import person
    from gitmem.memory.restore_anew import restore_anew

    with Progress(shown=not ui.quiet) as progress:
        ui.before_asking = progress.stop
        done = restore_anew(where, directory, person(ui).identities, at=at, progress=progress.tell)
    if ui.json:
        ui.data(done)
    else:
        _tell_anew(ui, done)


def _tell_anew(ui: Ui, done: RestoredAnew) -> None:
    from gitmem.cli.present import counted

    for problem in done.problems:
        ui.warn(problem)
    for note in done.notes:
        ui.warn(note)
    ui.note(f"restored {counted(done.records, 'record')} as of {done.time} ({done.backup}) into {done.root}")
    if done.erased:
        ui.note(f"{counted(len(done.erased), 'record')} of these had been erased and cannot be read")
    ui.note("`gitmem audit verify` checks its log; `git remote add origin URL` and `gitmem sync` bring what came since")
