"""`gitmem init`: found a store."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.founding.found import Founded


@define(
    "init",
    examples=[
        ("gitmem init", "a store at the top of this repository, or a new repository here"),
        ("gitmem init memory --name ada", "in a directory of its own"),
        ("gitmem init --branch gitmem", "beside the code of this repository, on a branch that holds nothing else"),
        ("gitmem init --plain", "for public knowledge: signed and merged the same way, not encrypted"),
    ],
    exits=(10, 12, 14),
)
@click.argument("directory", metavar="[DIR]", required=False)
@click.option("--branch", metavar="NAME", help="Keep the store on a branch of its own beside the code; DIR is its work tree.")
@click.option("--plain", is_flag=True, help="Leave values in the clear, for everybody to read.")
@click.option("--name", metavar="MEMBER", help="Your name in the store; from git's user.name unless given.")
@pass_ui
def command(ui: Ui, directory: str | None, branch: str | None, plain: bool, name: str | None) -> None:
    """Found a store: a git repository that holds a team's encrypted memory, or a part of one.

    In a repository that is there already the store lies at its top, in the directory DIR, or with --branch on a branch of its
    own, which touches neither the code's branches nor its work tree. If that branch is there already, here or on the remote,
    its store is taken up; the same command brings back its work tree if it was removed.

    Your identity (an age key) is looked for, and made if there is none. A recovery identity is made with it: it opens the
    store when all other keys are lost.
    """
    from gitmem.cli.session import person
    from gitmem.memory.founding.branching import init_branch
    from gitmem.memory.founding.found import init

    place = Path(directory) if directory else None
    if branch is not None:
        founded = init_branch(Path(), branch, person(ui), place=place, plain=plain, name=name)
    else:
        founded = init(place or Path(), person(ui), plain=plain, name=name)
    if ui.json:
        ui.data(founded)
    elif founded.taken_up:
        _show_taken_up(ui, founded)
    else:
        _show(ui, founded, directory)


def _show_taken_up(ui: Ui, founded: Founded) -> None:
    from gitmem.cli.joining import own_name
    from gitmem.cli.session import opened

    with chdir(founded.root), opened(ui) as memory:
        member = own_name(memory)
    ui.line(ui.styled(f"the branch {founded.branch} is a store already; its work tree is {founded.root}", "bold"))
    for note in founded.notes:
        ui.warn(note)
    if member:
        ui.note(f"you are {member}; every gitmem command in this repository finds it")
    else:
        ui.note("your identity does not open it yet: `gitmem join` asks the team")


def _show(ui: Ui, founded: Founded, directory: str | None) -> None:
    from gitmem.cli.present import labelled

    ui.line(ui.styled(f"a new store in {founded.root}", "bold"))
    labelled(ui, "store", founded.store)
    if founded.branch:
        labelled(ui, "branch", founded.branch)
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
    inside = "" if founded.branch or directory in (None, ".") else f"cd {directory}, then "
    ui.note(f"Next: {inside}gitmem learn --pattern 'an error' --fix 'what helped'")
    remote = "" if founded.shared else "git remote add origin URL && "
    ui.note(f"      {remote}gitmem sync        shares it")
    if founded.branch:
        ui.note(f"Your colleagues run, in their clones: gitmem init --branch {founded.branch}")
