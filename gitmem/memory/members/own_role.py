"""The role of whoever works in this clone, noted at each sync, so that a command can refuse what others would take back."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gitmem.core.membership.members import ROLES, Rank
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.auditing import acts
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here
from gitmem.memory.members.roster import members, my_name, own_key

_ROLE: Final = "role"
_FORMER: Final = "former"
"""What stands in the place of the role of somebody who was removed."""
_RANKS: Final = {**ROLES, _FORMER: Rank.NONE}


def note_role(context: Context) -> None:
    """Note the role of whoever works in this clone: what each write asks for, at no cost."""
    me = None
    with suppress(InvalidRecord):  # see `my_name`
        me = next((member for member in members(context) if member.me), None)
    noted = context.store.marks.note(_ROLE)
    role = me.role if me is not None else _FORMER if noted and _was_removed(context) else noted
    if role != noted:
        context.store.marks.set_note(_ROLE, role)


def _was_removed(context: Context) -> bool:
    """Whether the log says so: that no member's file has our key may be a revert, which a sync heals."""
    who = standing_here(context)
    return who.holder(own_key(context) or "") in who.removed


def may_write(context: Context, rank: Rank = Rank.SERVICE) -> bool:
    """Whether whoever works in this clone has the rank that a write takes, as far as it has heard."""
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
