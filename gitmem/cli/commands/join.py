"""`gitmem join`: ask to become a member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext

import click

from gitmem.cli.command import define
from gitmem.cli.inputs import read_line
from gitmem.cli.ui import Ui, pass_ui


@define(
    "join",
    examples=[
        ("gitmem join gitmem-invite:WyJbMSwi… git@example.org:team/memory.git", "clones, checks, and asks"),
        ("gitmem join bob.invitation", "in a clone that is there already"),
        ("gitmem join --name ci-runner | ssh admin@host 'cd memory && gitmem member add - && gitmem sync'", "uninvited"),
    ],
    exits=(10, 12, 14, 15),
)
@click.argument("invitation", metavar="[INVITATION|FILE|-]", required=False)
@click.argument("url", metavar="[URL]", required=False)
@click.argument("directory", metavar="[DIR]", required=False)
@click.option("--name", metavar="MEMBER", help="Without an invitation: the name to join under; else from git's user.name.")
@pass_ui
def command(ui: Ui, invitation: str | None, url: str | None, directory: str | None, name: str | None) -> None:
    """Ask to become a member of a store: print a request, one line without secrets, for an admin to accept.

    With an INVITATION the clone (made here, if a URL is given) is first held against what the inviter had seen: another store,
    or one that has lost something since, is refused. An admin accepts the request with `gitmem member add`; compare the
    fingerprint with them.
    """
    from gitmem.cli.joining import asked, invited, show_request
    from gitmem.cli.session import opened
    from gitmem.memory.members.inviting import PREFIX, parse_invitation

    invited_by = (
        None if invitation is None else parse_invitation(read_line(invitation, PREFIX, "an invitation", "`gitmem join --help`"))
    )
    with _cloned(ui, url, directory) if url else nullcontext(), opened(ui) as memory:
        wanted = asked(ui, memory, name) if invited_by is None else invited(ui, memory, invited_by, name)
    if ui.json:
        ui.data({"request": wanted.line(), "name": wanted.name, "fingerprint": wanted.fingerprint, "store": wanted.store})
    else:
        show_request(ui, wanted)


@contextmanager
def _cloned(ui: Ui, url: str, directory: str | None) -> Iterator[None]:
    """In a clone, which is taken away again where what is done in it fails: it may be no store to be used."""
    from gitmem.memory.founding.cloning import cloned

    with cloned(url, directory) as made, chdir(made.root):
        for note in made.notes:
            ui.warn(note)
        yield
    ui.note(f"cloned {made.store} into {made.root}")
