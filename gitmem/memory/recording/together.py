"""Writing many records in one commit: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gitmem.core.codec import emit
from gitmem.core.record import Json, State
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.store.files import inside, write_atomic


def commit_together(
    context: Context,
    message: str,
    op: str,
    states: Mapping[str, State],
    said: Mapping[str, dict[str, Json]] = MappingProxyType({}),
) -> str | None:
    """Commit records as they are to stand, by path; if that fails, the work tree is as before. The commit.

    `op` and what is `said` of a path go into the log. Called under the store's lock.
    """
    head = context.store.repo.head()
    before = contents_at(context, head, list(states))
    extras = [Extra(path, emit(state), op, dict(said.get(path, {}))) for path, state in states.items()]
    try:
        made = commit(context, message, extras)
    except BaseException:
        if context.store.repo.head() == head:
            for path in states:
                file = inside(context.store.root, path)
                if path in before:
                    write_atomic(file, before[path])
                else:
                    file.unlink(missing_ok=True)
        raise
    return made.commit if made else None
