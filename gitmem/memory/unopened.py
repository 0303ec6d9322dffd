"""Opening every value of a commit: each authenticates its store, record, field and write."""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.core.auditing.audit import Problem
from gitmem.core.codec import parse
from gitmem.errors import GitmemError, InvalidRecord, NoKey
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.store.layout import MEMORY, is_record_path
from gitmem.store.opened import open_state


def unopened(context: Context, commit: str) -> Iterator[Problem]:
    """The records of a commit that hold a value which does not open. Those of scopes without a key of ours are passed over.

    Raises NoKey where no key of the store is at hand.
    """
    store = context.store
    if not store.config.plain:
        _ = store.vault.identity
    tree = store.repo.ls_tree(commit, [store.prefix + MEMORY])
    paths = [path.removeprefix(store.prefix) for path in tree]
    for path, data in contents_at(context, commit, [path for path in paths if is_record_path(path)]).items():
        try:
            open_state(store.vault, parse(data, path))
        except (NoKey, InvalidRecord):
            continue  # what is no record is named without a key
        except GitmemError as error:
            yield Problem("value does not open", path, error.message)
