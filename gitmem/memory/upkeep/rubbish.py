"""What is of no use to anybody: records that say nothing, and those that say just what another says.

They are let go as a pruning is: reversibly, with the reason in the log, and so that a write or a try elsewhere keeps them. Of
records that say the same the one with the smallest id stays, whoever looks, so that two who tidy up at once leave one.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitmem.core.auditing.audit import PRUNE
from gitmem.core.record import Json, State
from gitmem.core.retention import KEPT, pruned
from gitmem.errors import GitmemError
from gitmem.memory.backups import snapshots
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context
from gitmem.memory.recording.together import commit_together

EMPTY, DUPLICATE = "empty", "duplicate"


def rubbish(context: Context) -> dict[str, tuple[str, State]]:
    """The records that may go, by path, with the reason and what they are. Sealed and disputed ones stay."""
    index = current_index(context)
    found = dict.fromkeys(index.duplicates(), DUPLICATE) | dict.fromkeys(index.empty(), EMPTY)
    states = ((path, reason, _standing(context, path)) for path, reason in sorted(found.items()))
    return {path: (reason, state) for path, reason, state in states if state is not None}


def let_go(context: Context, some: Mapping[str, tuple[str, State]]) -> str | None:
    """Let them go in one commit, after a snapshot; the commit. Called under the store's lock."""
    snapshots.before(context, "gc")
    states = {path: pruned(state) for path, (_, state) in some.items()}
    said: dict[str, dict[str, Json]] = {path: {"reason": reason} for path, (reason, _) in some.items()}
    return commit_together(context, f"gitmem: let go {len(states):,} empty or duplicate", PRUNE, states, said)


def _standing(context: Context, path: str) -> State | None:
    try:
        state = context.store.read(path)
    except GitmemError:
        return None
    if state is None or not state.alive or not state.life or state.contested or KEPT in state.last:
        return None  # somebody wants it, or it is none of ours to say
    return state
