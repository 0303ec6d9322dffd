"""The role of whoever works in this clone, noted at each sync, so that a command can refuse what others would take back.

Several may work in one clone, such as a person and an agent with a key of its own: what is noted of one is not the other's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gitmem.core.membership.members import ROLES, Rank
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.auditing import acts
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here
from gitmem.memory.members.roster import members, my_name, own_key
from gitmem.memory.privacy.consent import take_note

_ROLE: Final = "role"
_WHOSE: Final = "role of"
_FORMER: Final = "former"
"""What stands in the place of the role of somebody who was removed."""
_RANKS: Final = {**ROLES, _FORMER: Rank.NONE}


def note_role(context: Context) -> None:
    """Note the role of whoever works in this clone: what each write asks for, at no cost."""
    marks, own = context.store.marks, own_key(context)
    others = own is not None and marks.note(_WHOSE) not in ("", own)
    me = None
    with suppress(InvalidRecord):  # see `my_name`
        me = next((member for member in members(context) if member.me), None)
    noted = "" if others else marks.note(_ROLE)
    role = me.role if me is not None else _FORMER if noted and _was_removed(context) else noted
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


def may_write(context: Context, rank: Rank = Rank.SERVICE) -> bool:
    """Whether whoever works in this clone has the rank that a write takes, as far as it has heard."""
    attend(context)
    return _RANKS.get(context.store.marks.note(_ROLE), Rank.ADMIN) >= rank


def need_role(context: Context, rank: Rank = Rank.SERVICE) -> None:
    """Raise GitmemError for one whose role does not reach: everybody's sync would take back what they write."""
    if may_write(context, rank):
        return
    acts.note(context, acts.REFUSED, ["write"])
    name, role = my_name(context), context.store.marks.note(_ROLE)
    if role == _FORMER:
        raise GitmemError(f"you are no member any more: {name} was removed", "`gitmem join` asks to be let in again")
    what = "reads and changes nothing" if role == "reader" else "changes records and nothing else"
    raise GitmemError(f"you are {name}, a {role}, who {what}", f"an admin can let you: gitmem member role {name} member")
