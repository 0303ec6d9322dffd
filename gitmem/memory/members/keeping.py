"""Keys kept in order by every sync: what was done at the same time as a removal or a rotation is brought into line with it.

Three things can happen at the same time:

- Somebody writes before they have heard of a new key: whoever has the key seals that anew.
- An admin makes a key while another removes somebody. The key may be wrapped to the one who left, and be the newest: the next
  admin makes one more.
- An admin lets somebody in while another makes a key, or a member gets one more identity: the next admin passes on to them the
  keys that they lack.

Each is decided by what HEAD holds and not by who looks first. Two who do the same at once seal to the same bytes, and of two
keys either is good.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gitmem.core.membership.members import Members, Rank
from gitmem.core.nearest import counted
from gitmem.git.repo import Repo
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.memory.members.enrolment import wrapped_keys
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.roster import members
from gitmem.memory.members.rotation import older, reseal, rotate, strangers, waiting
from gitmem.store.layout import KEYS, MEMBERS, MEMORY

_NOTE = "keyed"


def keep_keys(context: Context) -> tuple[list[str], list[str]]:
    """Look at what came since the last look, and do what is to be done by us; what was done, and what could not be, in words.

    Who may do none of it does nothing: somebody else's sync will.
    """
    store, notes, problems = context.store, list[str](), list[str]()
    with store.lock:
        store.refresh()
    head = store.repo.head()
    if head is None or store.vault.plain or not _may_seal(context):
        return notes, problems
    told = json.loads(store.marks.note(_NOTE, "null"))
    if told is not None and told["head"] == head:
        return notes, problems
    footing = _footing(store.repo, store.prefix, head)
    if told is None or told["footing"] != footing or store.repo.resolve(told["head"]) is None:
        notes += _settle(context, problems)
        todo = waiting(context, [scope for scope in store.vault.scopes() if store.vault.opens(scope)])
    else:
        changes = store.repo.diff(told["head"], head, [f"{store.prefix}{MEMORY}"])
        blobs = {change.path.removeprefix(store.prefix): change.new for change in changes if change.new}
        todo = older(context, blobs)
    count, failed = reseal(context, todo)
    if count:
        notes.append(f"{counted(count, 'record')} that were sealed with an older key: sealed anew with the newest")
    _remember(context)
    return notes, problems + failed


def _settle(context: Context, problems: list[str]) -> list[str]:
    """Make new keys where somebody has the newest who may not, and pass keys on to whom they belong."""
    known, said = members_of(context), list[str]()
    for scope, names in strangers(context, known).items():
        why = f"the newest key of {scope} was wrapped to {', '.join(names)}, who may not read it"
        if not context.store.vault.opens(scope) or not _may_rotate(context, known, scope):
            problems.append(f"{why}: an admin's next sync makes a new one")
            continue
        rotate(context, [scope])
        said.append(f"{why}: there is a new one")
    extras = [extra for scope in context.store.vault.scopes() for extra in _lacking(context, known, scope)]
    if extras:
        commit(context, f"gitmem: {len(extras)} keys passed on", extras)
        said.append(f"passed the newest keys on to {', '.join(sorted({str(extra.detail['member']) for extra in extras}))}")
    return said


def _lacking(context: Context, known: Members, scope: str) -> Iterator[Extra]:
    """The newest key of a scope for those of its readers who have an older one alone (it was made while they were let in), or
    have an identity that does not open it."""
    vault = context.store.vault
    if not vault.opens(scope) or not _may_rotate(context, known, scope):
        return
    *earlier, newest = vault.epochs(scope)
    had = {name for epoch in (*earlier, newest) for name in vault.holders(scope, epoch)}
    for member in known.readers(scope):
        if member.name in had and not vault.reaches(scope, newest, member.name, member.recipients):
            yield from wrapped_keys([vault.current(scope)], member.name, member.recipients)


def _may_seal(context: Context) -> bool:
    me = next((member for member in members(context) if member.me), None)
    return me is not None and me.role != "reader"


def _may_rotate(context: Context, known: Members, scope: str) -> bool:
    me = next((member.name for member in members(context) if member.me), "")
    owners = known.scopes[scope].admins if scope in known.scopes else ()
    return me in known.by_name and (known.by_name[me].rank >= Rank.ADMIN or me in owners)


def _footing(repo: Repo, prefix: str, head: str) -> list[str]:
    """What HEAD holds of keys and members, by the ids of the trees."""
    return sorted(entry.id for entry in repo.entries(head, [f"{prefix}{KEYS}", f"{prefix}{MEMBERS}"]).values())


def _remember(context: Context) -> None:
    store = context.store
    if head := store.repo.head():
        store.marks.set_note(_NOTE, json.dumps({"head": head, "footing": _footing(store.repo, store.prefix, head)}))
