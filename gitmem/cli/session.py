"""Opening the store for a command, and whoever calls it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmem.cli.progress import Progress

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.crypto.identity import Ask
    from gitmem.memory.members.person import Person
    from gitmem.memory.memory import Memory


@contextmanager
def opened(ui: Ui, *, quietly: bool = False, reopen: bool = False) -> Iterator[Memory]:
    """The store at or above the current directory, with warnings and, unless `quietly`, progress going to stderr.

    `reopen` is for commands that heal: it puts back what a store is opened with, where a `git revert` took it.
    Raises NoStore, InvalidRecord; keys are looked for only when one is needed.
    """
    from gitmem.memory.memory import Memory

    shown = not (ui.quiet or quietly)
    with Memory.open(".", identity=ui.identity, ask=_ask(ui), reopen=reopen) as memory, Progress(shown=shown) as progress:
        memory.context.warn = ui.warn
        memory.context.redact = ui.redact
        memory.context.progress = progress.tell
        ui.before_asking = progress.stop
        yield memory


def _ask(ui: Ui) -> Ask | None:
    """How to ask for a passphrase: not at all where nobody is there."""
    return ui.secret if ui.person else None


def person(ui: Ui) -> Person:
    """Whoever calls: where their identity is looked for, and where a new one goes."""
    from gitmem.crypto.lookup import find_identities, own_home
    from gitmem.memory.members.person import Person

    home = own_home()
    return Person(find_identities(ui.identity, env=os.environ, home=home, ask=_ask(ui)), os.environ, home)
