"""`gitmem join`: ask to become a member."""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui


@define(
    "join",
    examples=[
        ("gitmem join", "prints a line; send it to a member"),
        ("gitmem join --name ci-runner | ssh admin@host 'cd memory && gitmem member add - && gitmem sync'", ""),
    ],
    exits=(10, 12),
)
@click.option("--name", metavar="MEMBER", help="The name to join under; from git's user.name unless given.")
@pass_ui
def command(ui: Ui, name: str | None) -> None:
    """Print a request to become a member of the store.

    The request is one line without secrets: your name, your age recipient and the key you will sign with. A member accepts it
    with `gitmem member add`, after comparing the fingerprint with you.
    """
    from gitmem.cli.joining import asked, show_request
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        wanted = asked(ui, memory, name)
    if ui.json:
        ui.data({"request": wanted.line(), "name": wanted.name, "fingerprint": wanted.fingerprint, "store": wanted.store})
    else:
        show_request(ui, wanted)
