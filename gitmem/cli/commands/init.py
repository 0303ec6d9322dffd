"""`gitmem init`: found a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.found import Founded


@define(
    "init",
    examples=[
        ("gitmem init", "a store at the top of this repository, or a new repository here"),
        ("gitmem init memory --name ada", "in a directory of its own"),
        ("gitmem init --plain", "for public knowledge: signed and merged the same way, not encrypted"),
    ],
    exits=(10, 12),
)
@click.argument("directory", metavar="[DIR]", default=".")
@click.option("--plain", is_flag=True, help="Leave values in the clear, for everybody to read.")
@click.option("--name", metavar="MEMBER", help="Your name in the store; from git's user.name unless given.")
@pass_ui
def command(ui: Ui, directory: str, plain: bool, name: str | None) -> None:
    """Found a store: a git repository that holds a team's encrypted memory.

    Your identity (an age key) is looked for, and made if there is none. A recovery identity is made with it: it opens the
    store when all other keys are lost.
    """
    from gitmem.cli.session import person
    from gitmem.memory.found import init

    founded = init(Path(directory), person(ui), plain=plain, name=name)
    if ui.json:
        ui.data(founded)
        return
    _show(ui, founded, directory)


def _show(ui: Ui, founded: Founded, directory: str) -> None:
    from gitmem.cli.present import labelled

    ui.line(ui.styled(f"a new store in {founded.root}", "bold"))
    labelled(ui, "store", founded.store)
    labelled(ui, "member", f"{founded.member} (you)")
    labelled(ui, "identity", f"{founded.identity}{'  (new)' if founded.new_identity else ''}")
    if founded.recovery:
        labelled(ui, "recovery", founded.recovery)
    for note in founded.notes:
        ui.warn(note)
    if founded.new_identity:
        ui.note("Keep a copy of the identity file: without it, or the recovery identity, nobody reads what you record.")
    if founded.recovery:
        ui.note("Move the recovery file off this machine (a password manager, paper): it opens everything.")
    inside = "" if directory == "." else f"cd {directory}, then "
    ui.note(f"Next: {inside}gitmem learn --pattern 'an error' --fix 'what helped'")
    ui.note("      git remote add origin URL && gitmem sync        shares it")
