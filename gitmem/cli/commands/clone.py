"""`gitmem clone`: a clone of the team's store, ready to work in."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui


@define(
    "clone",
    examples=[
        ("gitmem clone git@example.org:team/memory.git", ""),
        ("gitmem clone /srv/git/memory.git notes --name ada", "into notes/, and join as ada"),
        ("gitmem clone git@example.org:team/app.git notes --branch gitmem", "a store beside code, without the code"),
    ],
    exits=(*READS, 14),
)
@click.argument("url")
@click.argument("directory", metavar="[DIR]", required=False)
@click.option("--branch", metavar="NAME", help="Clone this branch alone, which is the store's own.")
@click.option("--name", metavar="MEMBER", help="The name to join under; from git's user.name unless given.")
@pass_ui
def command(ui: Ui, url: str, directory: str | None, branch: str | None, name: str | None) -> None:
    """Clone a store, with git set up to merge its records. It may lie in a sub-directory of what is cloned.

    If your identity does not open it, a request to join is printed on stdout: one line without secrets for a member to accept.
    """
    from gitmem.cli.joining import join_clone
    from gitmem.memory.founding.cloning import clone

    made = clone(url, directory, branch)
    for note in made.notes:
        ui.warn(note)
    join_clone(ui, made, name)
