"""Refusing what the rank of whoever works in this clone does not reach to: everybody's sync would take it back.

`need_role` goes by what the clone has noted, which costs a write nothing; `need_rank` by the members that the log names.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from gitmem.core.membership.members import RECOVERY, ROLES, Member, Members, Rank
from gitmem.errors import GitmemError
from gitmem.memory.auditing import acts
from gitmem.memory.context import Context
from gitmem.memory.members.noted import FORMER, noted_role
from gitmem.memory.members.roster import my_name

_RANKS: Final = {**ROLES, FORMER: Rank.NONE}


def may_write(context: Context, rank: Rank = Rank.SERVICE, *, keyless: bool = False) -> bool:
    """Whether whoever works in this clone has the rank that a write takes, as far as it has heard (see `noted_role`)."""
    return _RANKS.get(noted_role(context, keyless=keyless), Rank.ADMIN) >= rank


def need_role(context: Context, rank: Rank = Rank.SERVICE, *, keyless: bool = False) -> None:
    """Raise GitmemError for one whose role does not reach: everybody's sync would take back what they write."""
    if may_write(context, rank, keyless=keyless):
        return
    acts.note(context, acts.REFUSED, ["write"])
    name, role = my_name(context), noted_role(context)
    if role == FORMER:
        raise GitmemError(f"you are no member any more: {name} was removed", "`gitmem join` asks to be let in again")
    what = "reads and changes nothing" if role == "reader" else "changes records and nothing else"
    raise GitmemError(f"you are {name}, a {role}, who {what}", f"an admin can let you: gitmem member role {name} member")


def need_rank(context: Context, members: Members, rank: Rank, what: str, among: Container[str] = ()) -> str:
    """Our name, if we have the rank that something takes, or are `among` those who need none.

    Raises GitmemError that names who could do it.
    """
    name = my_name(context)
    member = members.recovery if name == RECOVERY else members.by_name.get(name)
    if member is not None and (member.rank >= rank or name in among):
        return name
    acts.note(context, acts.REFUSED, [what.replace(" ", "-")])
    who = ", ".join(members.admins()) or "nobody"
    raise GitmemError(f"only an admin may {what}, and you are {_as(name, member)}", f"ask one: {who}")


def _as(name: str, member: Member | None) -> str:
    return f"{name}, who is no member" if member is None else f"{name}, a {member.role}"
