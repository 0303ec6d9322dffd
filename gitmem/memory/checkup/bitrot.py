"""Files that changed without anybody having written them: a bit that flipped on the disk. They must not get into a commit."""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.core.unwritten import forgotten, unwritten
from gitmem.errors import InvalidRecord
from gitmem.git.worktree import holds
from gitmem.memory.checkup.halves import known_to_git
from gitmem.memory.context import Context
from gitmem.memory.soundness import not_genuine


def refuse_loss(context: Context, path: str, state: State, committed: State | None) -> None:
    """Raise InvalidRecord if the file at `path` says less than the last commit, and is nothing that git ever had.

    To commit it does no harm, for it is joined with what the last commit holds. To read it shows too little.
    """
    less = forgotten(state, committed) if committed else None
    if less and not known_to_git(context, [path]):
        raise InvalidRecord(f"{path} lacks {less}, which is committed: the file was damaged", "gitmem doctor --fix")


def refuse_damage(context: Context, path: str, state: State, known: list[State]) -> None:
    """Raise InvalidRecord if the record file at `path`, which holds `state`, cannot be what anybody wrote.

    `known` are the states that the last commit and the journal hold of it. What git has among its objects was somebody's, also
    where it is in no commit here: a stash, another branch.
    """
    why = not_genuine(context, path, state)
    if why is None and known:
        claim = unwritten(state, merge_all(known))
        if claim and not known_to_git(context, [path]):
            why = f"{path} claims {claim}, and holds no such write: the file was damaged"
    if why:
        raise InvalidRecord(f"{why}; `gitmem doctor --fix` puts it back as it was last known", "gitmem doctor --fix")


def silently_changed(context: Context, head: str, below: Iterable[str]) -> list[str]:
    """Files `below` some folders that hold something else than `head` has, read; git trusts the size and the time of a file.

    A disk that loses a bit changes neither. Only files that are there are looked at.
    """
    store = context.store
    listed = store.repo.diff(None, head, [store.prefix + name.rstrip("/") for name in below])
    return [
        change.path.removeprefix(store.prefix)
        for change in listed
        if change.new and not holds(store.repo, change.path, change.new) and (store.repo.root / change.path).is_file()
    ]
