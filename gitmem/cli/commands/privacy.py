"""`gitmem privacy`: what is logged of whom, and what commits say."""

from __future__ import annotations

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.ui import Ui, pass_ui

_WHAT = click.Choice(["usage", "reads"])


@click.group("privacy", cls=Group)
def command() -> None:
    """Show and choose what is logged of whom.

    Each member chooses for themselves; nobody can for another.
    """


@define("status", examples=[("gitmem privacy status", "")], exits=READS)
@pass_ui
def _status(ui: Ui) -> None:
    """Show what the store logs of its members, and how commits name them."""
    from gitmem.cli.session import opened
    from gitmem.memory.privacy.overview import status

    with opened(ui) as memory:
        found = status(memory.context)
    if ui.json:
        ui.data(found)
        return
    rows = [(name, *("yes" if agreed else "no" for agreed in choices.values())) for name, choices in found.consent.items()]
    ui.rows(("MEMBER", "USAGE IS LOGGED", "READS ARE LOGGED"), rows)
    ui.note(f"commits are by {found.commits_as}")
    ui.note("the log names who changed what, for good; counters of records are kept for each clone")
    for name, value in found.redaction.items():
        ui.note(f"{name}: {value}")


@define("opt-out", examples=[("gitmem privacy opt-out reads", "what I look up is nobody's business")], exits=WRITES)
@click.argument("what", type=_WHAT)
@pass_ui
def _opt_out(ui: Ui, what: str) -> None:
    """Choose that something is not logged of you from here on.

    Without `usage` no event says when you tried a record; without `reads` what you look up is neither logged nor counted.
    """
    _choose(ui, what, allowed=False)


@define("opt-in", examples=[("gitmem privacy opt-in usage", "")], exits=WRITES)
@click.argument("what", type=_WHAT)
@pass_ui
def _opt_in(ui: Ui, what: str) -> None:
    """Choose that something is logged of you again."""
    _choose(ui, what, allowed=True)


def _choose(ui: Ui, what: str, *, allowed: bool) -> None:
    from gitmem.cli.session import opened
    from gitmem.memory.privacy.choosing import choose

    with opened(ui) as memory:
        choose(memory.context, what, allowed=allowed)
    if ui.json:
        ui.data({what: allowed})
    else:
        ui.note(f"your {what} {'are' if what == 'reads' else 'is'} {'' if allowed else 'not '}logged from here on")


@define(
    "pseudonyms",
    examples=[("gitmem privacy pseudonyms on", "commits name nobody from here on")],
    exits=WRITES,
)
@click.argument("value", type=click.Choice(["on", "off"]))
@pass_ui
def _pseudonyms(ui: Ui, value: str) -> None:
    """Have commits name nobody: each member a pseudonym, the same one each time, and no e-mail address.

    It holds for the commits that gitmem makes, in every clone. A `git commit` by hand carries what git is told; the hook warns.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.privacy.overview import set_pseudonyms, status

    with opened(ui) as memory:
        set_pseudonyms(memory.context, on=value == "on")
        found = status(memory.context)
    if ui.json:
        ui.data({"pseudonyms": found.pseudonyms, "commits_as": found.commits_as})
    else:
        ui.note(f"commits are by {found.commits_as}")


for sub in (_status, _opt_out, _opt_in, _pseudonyms):
    command.add_command(sub)
