"""How the store stands on this replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.errors import NoKey
from gitmem.memory.catchup import current_index
from gitmem.memory.committing.held import own_changes
from gitmem.memory.context import Context
from gitmem.memory.members.roster import members
from gitmem.memory.members.scopes import opens, scope_names
from gitmem.memory.reports import Status
from gitmem.memory.syncing.sync import drift

if TYPE_CHECKING:
    from gitmem.store.index import Index


def status(context: Context) -> Status:
    """Count what is there, what waits for a commit, and how far branch and remote have drifted since the last fetch."""
    store = context.store
    index = _index(context)
    names = scope_names(context)
    branch = store.repo.branch()
    remote, ahead, behind = drift(context, branch)
    return Status(
        store=store.id,
        root=str(store.root),
        member=next((member.name for member in members(context) if member.me), None),
        replica=store.replica.name,
        plain=store.config.plain,
        records=index.count() if index else None,
        pending=len(set(store.pending.paths()) | set(own_changes(context))),
        conflicts=len(index.conflicted()) if index else None,
        ahead=ahead,
        behind=behind,
        branch=branch,
        remote=remote,
        scopes=names,
        sealed=index.count_sealed() if index else None,
        sealed_scopes=[name for name in names if not opens(context, name)],
    )


def _index(context: Context) -> Index | None:
    """The index; None where no key opens it, as in the clone of somebody who is not a member yet."""
    try:
        return current_index(context)
    except NoKey:
        return None
