"""`gitmem backup create` and `list`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gitmem.cli.command import define
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError


def where_option(name: str, what: str) -> Callable[[Any], Any]:
    """`--to` or `--from`: where backups are."""
    return click.option(name, "where", metavar="DIR|URL", help=f"{what}; unless given the place that this clone remembers.")


@define(
    "create",
    examples=[
        ("gitmem backup create --to /media/backup", "the first one is a full one; the place is remembered in this clone"),
        ("gitmem backup create", "what changed since, at the same place"),
        (
            "gitmem backup create --to s3://team-backups/memory",
            "whatever fsspec reaches: pip install 'gitmem-store[remote]' s3fs",
        ),
    ],
    exits=(*WRITES, 14, 15),
)
@click.option("--full", is_flag=True, help="Everything, whatever is there already.")
@click.option("--incremental", is_flag=True, help="Only what changed since the last one; fail if that cannot be.")
@where_option("--to", "Where to put it")
@click.option("--unsealed", is_flag=True, help="Of an open store: leave the bundle as it is, not sealed by age.")
@pass_ui
def create(ui: Ui, full: bool, incremental: bool, where: str | None, unsealed: bool) -> None:
    """Back up everything recorded so far.

    A backup is a git bundle, sealed by age to all members and the recovery identity, with a signed manifest that names the one
    before it. It is on the disk, or with whoever keeps it, when the command returns.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted

    if full and incremental:
        raise UsageError("a backup is full or incremental, not both", "leave both out: gitmem backup create")
    if where is not None and where.startswith("memory://"):
        raise UsageError(
            f"what is put at {where} is gone when this command ends", "name a directory or a URL: --to /media/backup"
        )
    with opened(ui) as memory:
        made = memory.backup(where, full=True if full else False if incremental else None, sealed=not unsealed)
    if ui.json:
        ui.data(made)
    elif made.created:
        ui.line(made.id)
        ui.note(f"{made.type} backup of {counted(made.records, 'record')}, {made.bytes:,} bytes, at {made.to}")
    else:
        ui.line(made.id)
        ui.note(f"nothing was recorded since; {made.id} at {made.to} holds all there is")


@define(
    "list",
    examples=[
        ("gitmem backup list", ""),
        ("gitmem backup list --from s3://team-backups/memory --json | jq -r '.backups[-1].id'", "the newest one"),
    ],
    exits=(*READS, 14, 15),
)
@where_option("--from", "Where they are")
@pass_ui
def list_(ui: Ui, where: str | None) -> None:
    """List the backups of this store, oldest first.

    The columns are name, time, type, size in bytes and how many records it holds.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.backups.create import backups

    with opened(ui) as memory:
        found = backups(memory.context, where)
    if ui.json:
        ui.data({"backups": found})
        return
    if not found:
        ui.note("there are no backups of this store there")
    rows = [(one.id, one.time, one.type, f"{one.bytes:,}", f"{one.records:,}") for one in found]
    ui.rows(("BACKUP", "TIME", "TYPE", "BYTES", "RECORDS"), rows)
