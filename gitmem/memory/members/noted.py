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
from gitmem.memory.privacy.consent import allowed_by, take_note

_ROLE: Final = "role"
_WHOSE: Final = "role of"
FORMER: Final = "former"
"""What stands in the place of the role of somebody who was removed."""


def note_role(context: Context) -> None:
    """Note the role of whoever works in this clone: what each write asks for, at no cost."""
    marks, own = context.store.marks, own_key(context)
    others = own is not None and marks.note(_WHOSE) not in ("", own)
    me = None
    with suppress(InvalidRecord):  # see `my_name`
        me = next((member for member in members(context) if member.me), None)
    noted = "" if others else marks.note(_ROLE)
    role = me.role if me is not None else FORMER if noted and _was_removed(context) else noted
    if others or role != noted:
        marks.set_note(_ROLE, role)
    if own is not None and marks.note(_WHOSE) != own:
        marks.set_note(_WHOSE, own)
        take_note(context)


def attend(context: Context) -> None:
    """Note anew what is asked of whoever works here, where it was noted of somebody else. In a plain store a sync does that: to
    ask whose key it is would have people type a passphrase for nothing."""
    own = None if context.store.vault.plain else own_key(context)
    if own is not None and context.store.marks.note(_WHOSE) not in ("", own):
        with suppress(GitmemError):  # where nothing can be noted, nothing can be written
            note_role(context)


def _was_removed(context: Context) -> bool:
    """Whether the log says so: that no member's file has our key may be a revert, which a sync heals."""
    who = standing_here(context)
    return who.holder(own_key(context) or "") in who.removed


def noted_role(context: Context) -> str:
    """The role of whoever works in this clone, as far as it has heard; empty where none is known."""
    attend(context)
    return context.store.marks.note(_ROLE)


def allows(context: Context, what: str) -> bool:
    """Whether whoever works in this clone lets it log `what`, as far as it has heard."""
    attend(context)
    return allowed_by(context.store.marks, what)
