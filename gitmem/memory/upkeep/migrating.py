"""One record and the versions of its kind: what is worked out when it is written, and whether it fits a newer version."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gitmem.core.migrations import migrate, open_steps, steps_of
from gitmem.errors import InvalidRecord
from gitmem.store.opened import open_state

if TYPE_CHECKING:
    from gitmem.core.kinds.schema import Kind
    from gitmem.core.record import State
    from gitmem.memory.context import Context


def worked_out(context: Context, state: State, *, again: bool = False) -> State:
    """`state` with the fields that are worked out of others; itself where there is nothing to do.

    Raises NoKey where there is, and no key at hand opens the record.
    """
    steps = steps_of(state.kind)
    if not open_steps(state, steps, again=again):
        return state
    vault = context.store.vault

    seal = vault.sealing_alike(state.scope, state.kind, state.id)
    return migrate(state, steps, partial(vault.open, state), seal, again=again)


def upgraded(context: Context, state: State) -> State:
    """`state` as a record of the newest version of its kind; itself where that does not take what it says."""
    try:
        return brought_to(context, state, context.kinds.get(state.kind))
    except InvalidRecord:
        return state


def brought_to(context: Context, state: State, newest: Kind, *, again: bool = False) -> State:
    """The same, strictly. Raises InvalidRecord where the version does not take what the record says, NoKey without its key."""
    if state.schema > newest.version:
        return state
    new = worked_out(context, state, again=again)
    if state.schema < newest.version:
        new = new.copy()
        new.schema = newest.version
    if new is not state:
        opened = open_state(context.store.vault, new)
        values = newest.join(opened.fields, opened.sets)
        newest.validate({name: value for name, value in values.items() if name in newest.schema["properties"]})
    return new
