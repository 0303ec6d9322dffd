"""`gitmem backup`: the store in a second place, and back."""

from __future__ import annotations

import click

from gitmem.cli.command import Group
from gitmem.cli.commands.backup.keeping import keep, rotate
from gitmem.cli.commands.backup.making import create, list_
from gitmem.cli.commands.backup.proving import drill, verify
from gitmem.cli.commands.backup.restoring import restore


@click.group("backup", cls=Group)
def command() -> None:
    """Back up the store and restore it; prove that the backups hold."""


for each in (create, list_, verify, drill, restore, rotate, keep):
    command.add_command(each)
