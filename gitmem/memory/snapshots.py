"""A snapshot before whatever could take something away, and how long snapshots are kept.

`git.snapshots` makes them. How many stay is the store's policy: `snapshots.last` and `snapshots.days` in its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gitmem.git import snapshots
from gitmem.memory.context import Context

LAST: Final = "snapshots.last"
DAYS: Final = "snapshots.days"


def before(context: Context, operation: str, without: Iterable[str] = ()) -> snapshots.Snapshot:
    """Make a snapshot before an operation, named in a word or two, and drop those that the policy keeps no longer.

    What is to leave no copy behind (files `without`, by their paths in the store) is not in it. Called under the store's lock,
    or before it is taken. Neither index nor work tree is touched.
    """
    repo, config, now = context.store.repo, context.store.config, context.clock()
    prefix = context.store.prefix
    made = snapshots.create(repo, operation, now, prefix, [prefix + path for path in without])
    last = config.number(LAST, snapshots.KEEP_LAST)
    snapshots.prune(repo, now, keep_last=last, keep_days=config.number(DAYS, snapshots.KEEP_DAYS))
    return made
