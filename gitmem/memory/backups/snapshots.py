"""A snapshot before whatever could take something away, and how long snapshots are kept.

`git.snapshots` makes them. How many stay is the store's policy: `snapshots.last` and `snapshots.days` in its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gitmem.git import snapshots
from gitmem.memory.configuration import number
from gitmem.memory.context import Context

LAST: Final = "snapshots.last"
DAYS: Final = "snapshots.days"


def before(context: Context, operation: str, without: Iterable[str] = ()) -> snapshots.Snapshot:
    """Make a snapshot before an operation, named in a word or two, and drop those that the policy keeps no longer.

    What is to leave no copy behind (files `without`, by their paths in the store) is not in it. Called under the store's lock,
    or before it is taken. Neither index nor work tree is touched.
    """
    repo, now = context.store.repo, context.clock()
    prefix = context.store.prefix
    made = snapshots.create(repo, operation, now, prefix, [prefix + path for path in without])
    tidy(context)
    return made


def tidy(context: Context) -> list[snapshots.Snapshot]:
    """Drop the snapshots that the policy keeps no longer, and return them."""
    last, days = number(context, LAST), number(context, DAYS)
    return snapshots.prune(context.store.repo, context.clock(), keep_last=last, keep_days=days)
