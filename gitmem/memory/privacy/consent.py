"""What members have agreed to have logged of them: each says so for themselves, in their own record, signed.

Counters of records are not among it: they are kept for each clone, and are what the store finds the best fix by.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from gitmem.core.ids import element_key
from gitmem.core.record import Json, State
from gitmem.errors import UsageError
from gitmem.memory.context import Context
from gitmem.store.layout import STORE_SCOPE, member_path
from gitmem.store.marks import Marks

USAGE: Final = "usage"
"""When a record was tried, whether it helped, and how long that took."""
READS: Final = "reads"
"""What was looked up."""
CHOICES: Final = (USAGE, READS)

_SET: Final = "opted_out"
_NOTE: Final = "opted out"


def allows(context: Context, what: str) -> bool:
    """Whether whoever works in this clone lets it log `what`, as far as it has heard."""
    return allowed_by(context.store.marks, what)


def allowed_by(marks: Marks, what: str) -> bool:
    """The same, by the marks of the clone. Raises GitmemError where they cannot be read."""
    return what not in marks.note(_NOTE).split()


def take_note(context: Context) -> None:
    """Note what the member whose clone this is has chosen, here or in another clone of theirs."""
    from gitmem.memory.members.roster import my_name, read_member

    state = read_member(context, my_name(context))
    chosen = " ".join(sorted(opted_out(state)))
    if chosen != context.store.marks.note(_NOTE):
        context.store.marks.set_note(_NOTE, chosen)


def opted_out(state: State | None) -> set[str]:
    """What a member does not want to have logged."""
    registers = {} if state is None else state.sets.get(_SET, {})
    return {str(value) for register in registers.values() for value in register.values()}.intersection(CHOICES)


def choose(context: Context, what: str, *, allowed: bool) -> None:
    """Opt in to, or out of, having `what` logged of oneself. One commit, unless it was so already.

    Raises UsageError for who is no member, NoKey without the identity that signs.
    """
    from gitmem.core.codec import emit
    from gitmem.core.edit import Pen
    from gitmem.memory.commit import Extra, commit
    from gitmem.memory.members.roster import my_name, read_member

    store, name = context.store, my_name(context)
    path = member_path(name)
    with store.lock:
        store.refresh()
        state = read_member(context, name)
        if state is None:
            raise UsageError(f"{name} is no member of this store", "`gitmem join`")
        pen, key = Pen(state, store.writer_for(path, state)), _key(context, state, what)
        if allowed and key in state.sets.get(_SET, {}):
            pen.drop(_SET, key)
        elif not allowed:
            pen.add(_SET, key, partial(_in_the_clear, what))
        if pen.state != state:
            pen.live()
            told: dict[str, Json] = {_SET: [*sorted(opted_out(pen.state))]}
            commit(context, "gitmem: housekeeping", [Extra(path, emit(pen.state), "consent", told)])
        take_note(context)


def _key(context: Context, state: State, what: str) -> str:
    return element_key(context.store.vault.id_key(STORE_SCOPE), f"{state.id}/{_SET}", what)


def _in_the_clear(value: Json, _path: str, _dot: str) -> Json:
    return value
