"""What this clone has noted of whoever works in it: their role, and what they let it log.

Several may work in one clone, such as a person and an agent with a key of its own: what is noted of one is not the other's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here
from gitmem.memory.members.roster import members, own_key
from gitmem.memory.privacy.consent import CHOSEN, is_allowed, take_note

_ROLE: Final = "role"
_WHOSE: Final = "role of"
_SHARED: Final = "several work here"
FORMER: Final = "former"
"""What stands in the place of the role of somebody who was removed."""


def note_role(context: Context) -> None:
    """Note the role of whoever works in this clone: what each write asks for, at no cost."""
    marks, own = context.store.marks, own_key(context)
    earlier = marks.notes(_ROLE, _WHOSE)
    others = own is not None and earlier[_WHOSE] not in ("", own)
    me = None
    with suppress(InvalidRecord):  # see `my_name`
        me = next((member for member in members(context) if member.me), None)
    known = "" if others else earlier[_ROLE]
    role = me.role if me is not None else FORMER if known and _was_removed(context) else known
    if others or role != known:
        marks.set_note(_ROLE, role)
    if own is not None and earlier[_WHOSE] != own:
        marks.set_notes({_WHOSE: own} | ({_SHARED: "yes"} if others else {}))
        take_note(context)


def attend(context: Context) -> None:
    """Note anew what is asked of whoever works here, where it was noted of somebody else."""
    _note(context, _ROLE)


def noted_role(context: Context, *, keyless: bool = False) -> str:
    """The role of whoever works in this clone, as far as it has heard; empty where none is known.

    What is done without a key (`keyless`) asks for none to tell who that is, as long as one alone was seen to work here: for a
    key a command may have to be run, or a person to type a passphrase.
    """
    return _note(context, _ROLE, keyless=keyless)


def allows(context: Context, what: str, *, keyless: bool = False) -> bool:
    """Whether whoever works in this clone lets it log `what`, as far as it has heard; `keyless` as for `noted_role`."""
    return is_allowed(_note(context, CHOSEN, keyless=keyless), what)


def _note(context: Context, key: str, *, keyless: bool = False) -> str:
    store, marks = context.store, context.store.marks
    found = marks.notes(key, _WHOSE, _SHARED)
    # In a plain store most is done without a key: there it is left to a sync to see who works.
    unasked = store.vault.plain or (keyless and not store.vault.in_use and not found[_SHARED])
    if unasked or not _is_of_another(context, found[_WHOSE]):
        return found[key]
    with suppress(GitmemError):  # where nothing can be noted, nothing can be written
        note_role(context)
    return marks.note(key)


def _is_of_another(context: Context, whose: str) -> bool:
    own = own_key(context)
    return own is not None and whose not in ("", own)


def _was_removed(context: Context) -> bool:
    """Whether the log says so: that no member's file has our key may be a revert, which a sync heals."""
    who = standing_here(context)
    return who.holder(own_key(context) or "") in who.removed
