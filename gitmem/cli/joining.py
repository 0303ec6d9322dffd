"""Requests to join, as a person meets them after `gitmem clone` and with `gitmem join`."""

from __future__ import annotations

import os
from contextlib import chdir, suppress
from typing import TYPE_CHECKING

from gitmem.errors import GitmemError, NoKey, UsageError

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.crypto.identity import Identity
    from gitmem.memory.founding.cloning import Cloned
    from gitmem.memory.members.inviting import Invitation
    from gitmem.memory.members.requesting import Request
    from gitmem.memory.memory import Memory


def asked(ui: Ui, memory: Memory, name: str | None) -> Request:
    """The request of whoever calls; an identity is made if there is none. Raises GitmemError for one who is a member."""
    from gitmem.memory.founding.found import default_name
    from gitmem.memory.members.requesting import enrolled_as, request

    _refuse_member(memory)
    identity = _identity(ui, memory)
    former = enrolled_as(memory.context, identity)
    if former and name not in (None, former):
        raise UsageError(f"your key is {former}'s, who was a member before, and no other name can have it", "leave --name out")
    return request(memory.context, identity, former or name or default_name(memory.context.store.repo, os.environ))


def invited(ui: Ui, memory: Memory, invitation: Invitation, name: str | None) -> Request:
    """The request of whoever was invited. Raises GitmemError for one who is a member, or an invitation that does not hold."""
    from gitmem.memory.members.inviting import accept

    if name is not None and name != invitation.name:
        raise UsageError(f"this invitation is for {invitation.name}", "leave --name out")
    _refuse_member(memory)
    identity = _identity(ui, memory)
    return accept(memory.context, invitation, identity)


def _refuse_member(memory: Memory) -> None:
    if (own := own_name(memory)) is not None:
        raise GitmemError(
            f"you are a member of this store already, as {own}", "`gitmem status` in a clone of it; `gitmem clone` makes one"
        )


def _identity(ui: Ui, memory: Memory) -> Identity:
    """The first identity that is found (the store has read it, so that its passphrase is asked once), or a new one."""
    from gitmem.cli.session import person
    from gitmem.memory.members.person import first_of

    if found := first_of(memory.context.store.vault.identities):
        return found
    identity, _ = person(ui).identity()
    ui.note(f"made your identity: {identity.source}; keep a copy of it")
    return identity


def own_name(memory: Memory) -> str | None:
    """The name of the member that the caller's identity belongs to, None if it is nobody's or there is none."""
    with suppress(NoKey):
        return next((member.name for member in memory.members() if member.me), None)
    return None


def show_request(ui: Ui, wanted: Request) -> None:
    """The request on stdout, what to do with it on stderr."""
    ui.line(wanted.line())
    ui.note("Send this line to a member of the team; it holds no secret. They run: gitmem member add LINE")
    ui.note(f"Compare the fingerprint with them: {wanted.fingerprint}")
    ui.note("Once they have run `gitmem sync`, you run it too.")


def join_clone(ui: Ui, made: Cloned, name: str | None) -> None:
    """Say whether the clone opens to whoever made it; if not, how to become a member."""
    from gitmem.cli.session import opened

    with chdir(made.root), opened(ui) as memory:
        member = own_name(memory)
        wanted = asked(ui, memory, name) if member is None else None
    if ui.json:
        line = wanted.line() if wanted else None
        ui.data({"root": made.root, "store": made.store, "member": member, "request": line, "notes": made.notes})
        return
    ui.note(f"cloned {made.store} into {made.root}")
    if wanted is None:
        ui.note(f"you are {member}; gitmem match is ready")
    else:
        ui.note("your identity does not open it yet")
        show_request(ui, wanted)
