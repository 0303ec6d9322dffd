"""`gitmem audit`: the signed log of everything that was ever changed."""

from __future__ import annotations

import click

from gitmem.cli.command import Group
from gitmem.cli.commands.audit.checking import pin, verify, witness
from gitmem.cli.commands.audit.reading import audit_log, export, show


@click.group("audit", cls=Group)
def command() -> None:
    """Read and check the signed log of every change."""


for each in (audit_log, show, verify, export, witness, pin):
    command.add_command(each)
