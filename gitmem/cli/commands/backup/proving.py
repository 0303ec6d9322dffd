"""`gitmem backup verify` and `drill`: do the backups hold?"""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.commands.backup.making import where_option
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import Tampered


@define(
    "verify",
    examples=[
        ("gitmem backup verify", "reads every byte"),
        ("gitmem backup verify --deep", "rebuilds all of them in a temporary directory, once a month"),
    ],
    exits=(*READS, 14, 15),
)
@click.option("--deep", is_flag=True, help="Rebuild them, with `git fsck --strict` and a look at the audit log they hold.")
@where_option("--from", "Where they are")
@pass_ui
def verify(ui: Ui, deep: bool, where: str | None) -> None:
    """Verify the backups of this store: manifests, signatures, chain, and every byte of every bundle.

    A backup that was deleted, altered, moved or put back from another time is named. What this clone has seen there, and what
    the store's log tells of, must be there.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.backups.verify import verify as verify_backups

    with opened(ui) as memory:
        report = verify_backups(memory.context, where, deep=deep)
    if ui.json:
        ui.data(report)
    else:
        for problem in report.problems:
            ui.line(ui.styled(f"{problem.what}: {problem.where}: {problem.why}", "red"))
        for note in report.notes:
            ui.note(note)
        if report.ok:
            ui.note(f"ok: {counted(report.backups, 'backup')} at {report.where}, {report.bytes:,} bytes read")
    if not report.ok:
        raise Tampered(
            f"{counted(len(report.problems), 'problem')} at {report.where}", "make a full backup at another place: --to"
        )


@define(
    "drill",
    examples=[
        ("gitmem backup drill", "could the newest one be restored? once a week, by a timer"),
        ("gitmem backup drill --at b-k3v9q2xa-0007", ""),
    ],
    exits=(*READS, 14, 15),
)
@where_option("--from", "Where they are")
@click.option("--at", metavar="BACKUP", help="Which one; the newest unless given.")
@pass_ui
def drill(ui: Ui, where: str | None, at: str | None) -> None:
    """Restore a backup in a temporary directory, open each record and hold it to its schema.

    The drill is put to the test as well: a flipped bit, an altered value and an invalid one are slipped in, and it fails if it
    does not notice each of them.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.backups.drill import drill as drill_backup

    with opened(ui) as memory:
        report = drill_backup(memory.context, where, at=at)
    if ui.json:
        ui.data(report)
    else:
        for problem in report.problems:
            ui.line(ui.styled(f"{problem.what}: {problem.where}: {problem.why}", "red"))
        sealed = f", {counted(report.sealed, 'record')} sealed to you" if report.sealed else ""
        ui.note(f"{report.backup}: {counted(report.opened, 'record')} opened and valid{sealed}")
        ui.note(f"noticed, as it must be: {'; '.join(report.canaries)}")
    if not report.ok:
        raise Tampered(
            f"{report.backup} could not be restored as it should be", "gitmem backup create --full --to ANOTHER-PLACE"
        )
