"""Opening the store that belongs to a directory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.store.place import find_place, left_behind
from gitmem.store.store import Store

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


def open_store(start: Path, identities: Iterable[Identity]) -> Store:
    """Open the store at or above `start`, and take over what linked work trees left that are no more.

    Raises NoStore, InvalidRecord.
    """
    store = Store(*find_place(start), identities)
    store.refresh()
    if left := left_behind(store.repo):
        from gitmem.store.orphans import adopt

        for one in left:
            adopt(store, one)
    return store
