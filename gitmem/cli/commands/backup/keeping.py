"""`gitmem backup rotate` and `keep`: how long backups and snapshots stay."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.commands.backup.making import where_option
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.store.config import MOST

_COUNT = click.IntRange(0, MOST)


@define(
    "rotate",
    examples=[
        ("gitmem backup rotate --dry-run", "what would go, by the store's policy"),
        ("gitmem backup rotate --last 4 --days 90 --yes", "the newest four sets, and whatever is younger than 90 days"),
    ],
    exits=(*READS, 14, 15),
)
@where_option("--from", "Where they are")
@click.option("--last", type=_COUNT, metavar="N", help="Keep the newest N sets: a full backup with its increments is one.")
@click.option("--days", type=_COUNT, metavar="N", help="Keep sets with a backup of the last N days.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def rotate(ui: Ui, /, where: str | None, dry_run: bool, yes: bool, **kept: int | None) -> None:
    """Let old backups go: whole sets, oldest first, never the newest.

    A signed entry in the chain says so first, so that what was let go is not taken for missing. Without --last and --days
    the store's policy holds: see `gitmem backup keep`.
    """
    from gitmem.cli.session import opened
    from gitmem.cli.sure import sure
    from gitmem.core.nearest import counted
    from gitmem.memory.backups.rotate import rotate as rotate_backups

    with opened(ui) as memory:
        report = rotate_backups(memory.context, where, last=kept["last"], days=kept["days"], dry_run=True)
        what = counted(len(report.removed), "backup")
        done = not dry_run and (not report.removed or sure(ui, f"remove {what} for good", yes=yes))
        if done:
            report = rotate_backups(memory.context, where, last=kept["last"], days=kept["days"])
    if ui.json:
        ui.data(report)
        return
    rows = [(one.id, one.time, one.type, f"{one.bytes:,}") for one in report.removed]
    ui.rows(("REMOVED", "TIME", "TYPE", "BYTES"), rows) if rows else None
    ui.note(f"{'removed' if done else 'would remove'} {what}, {report.kept:,} stay")


@define(
    "keep",
    examples=[
        ("gitmem backup keep", "the policy"),
        ("gitmem backup keep --last 4 --days 90", "of backups"),
        ("gitmem backup keep --snapshots-last 20", "of the snapshots that each clone makes by itself"),
    ],
    exits=WRITES,
)
@click.option("--last", type=_COUNT, metavar="N", help="Backups: the newest N sets.")
@click.option("--days", type=_COUNT, metavar="N", help="Backups: sets with one of the last N days.")
@click.option("--snapshots-last", type=_COUNT, metavar="N", help="Snapshots: the newest N.")
@click.option("--snapshots-days", type=_COUNT, metavar="N", help="Snapshots: the newest of each of the last N days.")
@pass_ui
def keep(ui: Ui, last: int | None, days: int | None, snapshots_last: int | None, snapshots_days: int | None) -> None:
    """Show or set for how long backups and snapshots are kept: a part of the store, signed for, which holds in every clone."""
    from gitmem.cli.session import opened
    from gitmem.git import snapshots as git_snapshots
    from gitmem.memory.backups import rotate as backup_rotate
    from gitmem.memory.backups import snapshots
    from gitmem.memory.policies import set_numbers

    defaults = {
        backup_rotate.LAST: backup_rotate.KEEP_LAST,
        backup_rotate.DAYS: backup_rotate.KEEP_DAYS,
        snapshots.LAST: git_snapshots.KEEP_LAST,
        snapshots.DAYS: git_snapshots.KEEP_DAYS,
    }
    given = dict(zip(defaults, (last, days, snapshots_last, snapshots_days), strict=True))
    with opened(ui) as memory:
        set_numbers(memory.context, {name: value for name, value in given.items() if value is not None})
        kept = {name: memory.context.store.config.number(name, default) for name, default in defaults.items()}
    if ui.json:
        ui.data({"keep": kept})
    else:
        ui.rows(("WHAT", "NUMBER"), list(kept.items()))
