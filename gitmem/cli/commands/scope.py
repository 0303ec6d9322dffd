"""`gitmem scope`: the parts of the store, and who can read which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Group, define
from gitmem.cli.complete import members, scopes
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.inputs import clean, names
from gitmem.cli.leaving import tell
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.members.granting import Granted


@click.group("scope", cls=Group)
def command() -> None:
    """Keep parts of the store to some of its members: a team, one agent, one person."""


@define(
    "add",
    examples=[
        ("gitmem scope add ops --members ada,bob", "for the two of them, and for you"),
        ("gitmem scope add agents/ci --members ci", "what the agent ci records by itself"),
    ],
    exits=WRITES,
)
@click.argument("name", metavar="NAME")
@click.option(
    "--members", "readers", multiple=True, metavar="MEMBER,…", shell_complete=members, help="Who can read it; repeatable."
)
@pass_ui
def add(ui: Ui, name: str, readers: tuple[str, ...]) -> None:
    """Make a scope with a key of its own, for the members that are named and for you.

    NAME is a word, or two: agents/ci. Everybody else sees that records are there, merges and syncs them, but never sees what
    they say. You decide who belongs to it, and so do the store's admins who belong to it themselves.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.members.granting import add_scope

    with opened(ui) as memory:
        made = add_scope(memory.context, clean(name), names(readers))
    _report(ui, made, f"{made.scope} is there for {', '.join(made.members)}")


@define(
    "list",
    examples=[("gitmem scope list", ""), ("gitmem scope list --json | jq -r '.scopes[].scope'", "for a program")],
    exits=(*READS, 15),
)
@pass_ui
def list_scopes(ui: Ui) -> None:
    """List the scopes: how many records stand in each, whether you can read them, and who can."""
    from gitmem.cli.session import opened
    from gitmem.memory.members.scopes import scopes as found_in

    with opened(ui) as memory:
        found = found_in(memory.context)
    if ui.json:
        ui.data({"scopes": found})
        return
    rows = [
        (one.scope, "unknown" if one.records is None else one.records, "yes" if one.opened else "no", ", ".join(one.members))
        for one in found
    ]
    ui.rows(("SCOPE", "RECORDS", "OPENS", "MEMBERS"), rows)


@define(
    "grant",
    examples=[("gitmem scope grant ops cyd", "cyd can read all of ops after the next sync, what is old as well")],
    exits=WRITES,
)
@click.argument("scope", metavar="NAME", shell_complete=scopes)
@click.argument("member", metavar="MEMBER", shell_complete=members)
@pass_ui
def grant(ui: Ui, scope: str, member: str) -> None:
    """Let a member into a scope: to what was recorded there before as well."""
    from gitmem.cli.session import opened
    from gitmem.memory.members.granting import grant as let_in

    with opened(ui) as memory:
        made = let_in(memory.context, clean(scope), clean(member))
    _report(ui, made, f"{clean(member)} can read {made.scope} now")


@define(
    "revoke",
    examples=[
        ("gitmem scope revoke ops cyd --dry-run", "what cyd could read"),
        ("gitmem scope revoke ops cyd --yes", "a new key for the others; cyd opens nothing that is written from then on"),
    ],
    exits=WRITES,
)
@click.argument("scope", metavar="NAME", shell_complete=scopes)
@click.argument("member", metavar="MEMBER", shell_complete=members)
@click.option("--dry-run", is_flag=True, help="Only tell what they could read.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def revoke(ui: Ui, scope: str, member: str, dry_run: bool, yes: bool) -> None:
    """Take a member out of a scope.

    The others get a new key, and the scope's records are sealed with it. What was read stays read, and every copy of the
    history keeps it: change at its source what opens something elsewhere.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.members import granting

    scope, member = clean(scope), clean(member)
    with opened(ui) as memory:
        shown = granting.taken_from(memory.context, scope, member)
        what = f"take {member}, who could read {counted(len(shown.read[scope]), 'record')}, out of {scope}"
        go = not dry_run and sure(ui, what, yes=yes)
        done = granting.revoke(memory.context, scope, member, dry_run=not go, shown=shown)
    if ui.json:
        ui.data(done)
        return
    sealed = counted(done.resealed, "record")
    did = f"{member} is out of {scope}; {sealed} sealed with a new key; `gitmem sync` passes it on"
    tell(ui, done, what, did, asked=not dry_run)


def _report(ui: Ui, made: Granted, said: str) -> None:
    if ui.json:
        ui.data(made)
    else:
        ui.note(f"{said}; `gitmem sync` passes the keys on")


command.add_command(add)
command.add_command(list_scopes)
command.add_command(grant)
command.add_command(revoke)
