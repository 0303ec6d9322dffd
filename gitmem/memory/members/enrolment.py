"""The file and the log entry that make somebody a member."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitmem.core.auditing.audit import ENROL
from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import element_key
from gitmem.core.membership.members import Member, elements_of, enrol_detail
from gitmem.core.record import State
from gitmem.memory.committing.commit import Extra
from gitmem.memory.context import Context
from gitmem.memory.members.roster import KIND, read_member
from gitmem.store.layout import STORE_SCOPE, key_path, member_path

if TYPE_CHECKING:
    from gitmem.crypto.keys import EpochKey


def member_file(  # noqa: PLR0913, PLR0917 - what makes a member
    context: Context, name: str, recipients: list[str], keys: list[str], role: str, invitation: str | None = None
) -> Extra:
    """The record of a member with these recipients and signing keys added, and the entry that enrols them.

    `invitation` is the number of the one that this answers.
    """
    store = context.store
    path = member_path(name)
    state = read_member(context, name) or State(KIND, 1, STORE_SCOPE, f"m-{name}")
    with store.lock:
        store.refresh()
        pen = Pen(state, store.writer_for(path, state))
    if not state.alive:  # who was removed comes back with what they have now
        _empty(pen)
    if "role" not in pen.state.fields:
        pen.set("role", unsealed(role))
    id_key = store.vault.id_key(STORE_SCOPE)
    for field, values in (("recipients", recipients), ("keys", keys)):
        for value in values:
            pen.add(field, element_key(id_key, f"{state.id}/{field}", value), unsealed(value))
    pen.live()
    detail = enrol_detail(name, recipients, keys, role)
    return Extra(path, emit(pen.state), ENROL, detail | {"invitation": invitation} if invitation else detail)


def wrapped_keys(keys: Iterable[EpochKey], name: str, recipients: Iterable[str]) -> list[Extra]:
    """The files by which somebody's recipients open keys."""
    from gitmem.crypto.keys import wrap

    to = sorted(recipients)
    return [
        Extra(key_path(key.scope, key.epoch, name), wrap(key, *to), "key", {"member": name, "commitment": key.commitment})
        for key in keys
    ]


def picture(context: Context, name: str, member: Member | None, state: State | None) -> State | None:
    """What a member's file must hold to show what was signed; None where there is nothing to be shown, and no file."""
    store, path = context.store, member_path(name)
    if state is None and member is None:
        return None
    pen = Pen(state or State(KIND, 1, STORE_SCOPE, f"m-{name}"), store.writer_for(path, state))
    if member is None:
        pen.die()
        return pen.state
    if set(map(str, pen.state.fields.get("role", {}).values())) != {member.role}:
        pen.set("role", unsealed(member.role))
    for field, signed in (("recipients", member.recipients), ("keys", member.keys)):
        _show(context, pen, field, signed)
    if not pen.state.alive or pen.state == state:
        pen.live()
    return pen.state


def _show(context: Context, pen: Pen, field: str, signed: set[str]) -> None:
    """Bring a set to what was signed."""
    for key, register in list(pen.state.sets.get(field, {}).items()):
        if not {str(value) for value in register.values()} <= signed:
            pen.drop(field, key)
    id_key = context.store.vault.id_key(STORE_SCOPE)
    for value in sorted(signed - elements_of(pen.state, field)):
        pen.add(field, element_key(id_key, f"{pen.state.id}/{field}", value), unsealed(value))


def _empty(pen: Pen) -> None:
    pen.unset("role")
    for field in ("recipients", "keys"):
        for key in list(pen.state.sets.get(field, {})):
            pen.drop(field, key)
