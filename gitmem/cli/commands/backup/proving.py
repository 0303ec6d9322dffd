"""`gitmem backup verify`: do the backups hold?"""

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
    from gitmem.cli.present import counted
    from gitmem.cli.session import opened
    from gitmem.memory.backup_verify import verify as verify_backups

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
