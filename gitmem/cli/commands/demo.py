"""`gitmem demo`: two members, one remote, real errors."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui


@define(
    "demo",
    examples=[
        ("gitmem demo", "in a temporary directory, under a minute"),
        ("gitmem demo --keep", "leaves it there to look around"),
    ],
)
@click.option("--keep", is_flag=True, help="Keep the directory, and say where it is.")
@pass_ui
def command(ui: Ui, keep: bool) -> int:
    """Run the main job before your eyes: two clones learn, match, use, disagree and sync.

    Every step is checked; the exit code is 1 if one does not do what it claims.
    """
    from gitmem.cli.demo import run

    return run(keep=keep, json=ui.json)
