"""Opting in to, and out of, having something logged of oneself: a write of one's own, signed."""

from __future__ import annotations

from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import element_key
from gitmem.core.record import Json, State
from gitmem.errors import UsageError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.memory.members.noted import attend
from gitmem.memory.members.roster import my_name, read_member
from gitmem.memory.privacy.consent import OPTED_OUT, opted_out, take_note
from gitmem.store.layout import STORE_SCOPE, member_path


def choose(context: Context, what: str, *, allowed: bool) -> None:
    """Opt in to, or out of, having `what` logged of oneself. One commit, unless it was so already.

    Raises UsageError for who is no member, NoKey without the identity that signs.
    """
    attend(context)
    store, name = context.store, my_name(context)
    path = member_path(name)
    with store.lock:
        store.refresh()
        state = read_member(context, name)
        if state is None:
            raise UsageError(f"{name} is no member of this store", "`gitmem join`")
        pen, key = Pen(state, store.writer_for(path, state)), _key(context, state, what)
        if allowed and key in state.sets.get(OPTED_OUT, {}):
            pen.drop(OPTED_OUT, key)
        elif not allowed:
            pen.add(OPTED_OUT, key, unsealed(what))
        if pen.state != state:
            pen.live()
            told: dict[str, Json] = {OPTED_OUT: [*sorted(opted_out(pen.state))]}
            commit(context, "gitmem: housekeeping", [Extra(path, emit(pen.state), "consent", told)])
        take_note(context)


def _key(context: Context, state: State, what: str) -> str:
    return element_key(context.store.vault.id_key(STORE_SCOPE), f"{state.id}/{OPTED_OUT}", what)
