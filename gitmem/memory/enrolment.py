"""The file and the log entry that make somebody a member."""

from __future__ import annotations

from functools import partial

from gitmem.core.audit import ENROL
from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.ids import element_key
from gitmem.core.members import enrol_detail
from gitmem.core.record import Json, State
from gitmem.memory.commit import Extra
from gitmem.memory.context import Context
from gitmem.memory.roster import KIND, read_member
from gitmem.store.layout import STORE_SCOPE, member_path


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
        pen.set("role", lambda _path, _dot: role)
    id_key = store.vault.id_key(STORE_SCOPE)
    for field, values in (("recipients", recipients), ("keys", keys)):
        for value in values:
            pen.add(field, element_key(id_key, f"{state.id}/{field}", value), partial(_in_the_clear, value))
    pen.live()
    detail = enrol_detail(name, recipients, keys, role)
    return Extra(path, emit(pen.state), ENROL, detail | {"invitation": invitation} if invitation else detail)


def _empty(pen: Pen) -> None:
    pen.unset("role")
    for field in ("recipients", "keys"):
        for key in list(pen.state.sets.get(field, {})):
            pen.drop(field, key)


def _in_the_clear(value: Json, _path: str, _dot: str) -> Json:
    return value
