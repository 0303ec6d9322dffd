"""What commits hold of the store's files, and which of them the work tree has changed."""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.core.codec import parse
from gitmem.core.collected import is_list_path
from gitmem.core.merge import normalise
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, NoRoom
from gitmem.memory.context import Context
from gitmem.store.files import is_abandoned
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG, EVENTS, KEYS, MEMBERS, OWN_PREFIXES, SCHEMAS, is_record_path

_UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})  # git-status(1)


class Unmerged(GitmemError):
    """Files of the store are in conflict in git's index."""


def contents_at(context: Context, revision: str | None, paths: list[str]) -> dict[str, bytes]:
    """The content of those of `paths` (below the store's root) that a revision holds."""
    if revision is None or not paths:
        return {}
    prefix = context.store.prefix
    found = context.store.repo.read_paths(revision, [prefix + path for path in paths])
    return {path.removeprefix(prefix): data for path, data in found.items()}


def own_changes(context: Context, *, merged: bool = False) -> Iterator[str]:
    """The store's own paths that differ between the work tree and HEAD, as paths below the store's root.

    What the repository's .gitignore names (`log/`, `*.yaml`) is looked at as well where the store keeps its files.
    Where all are to be `merged`, raises Unmerged for one that git has left in conflict.
    """
    store = context.store
    prefix = store.prefix
    wanted = [f"{prefix}{name}" for name in (*OWN_PREFIXES, ATTRIBUTES)]
    words = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--no-renames", "--", *wanted)
    try:
        listing = store.repo.run(*words)
    except NoRoom:  # for what git has seen and would write down in its index
        listing = store.repo.run("--no-optional-locks", *words)
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        path = entry[3:].removeprefix(prefix)
        if merged and entry[:2] in _UNMERGED:
            raise Unmerged(f"git left {path} in conflict", "`gitmem sync` settles it, and `gitmem doctor --fix`")
        if entry and (not entry.startswith("!!") or _is_own(path)):
            yield path


def _is_own(path: str) -> bool:
    """Whether an ignored file is the store's, and not an editor's or the desktop's."""
    mine = path.startswith((f"{AUDIT}/", f"{EVENTS}/", f"{MEMBERS}/", f"{KEYS}/", f"{SCHEMAS}/"))
    return mine or path == CONFIG or is_list_path(path) or is_record_path(path) or is_abandoned(path.rpartition("/")[2])


def parse_or_none(data: bytes | None, path: str) -> State | None:
    """The record in a file's bytes, hand edits turned into writes; None for what is none, and for no file."""
    if data is None:
        return None
    try:
        return normalise(parse(data, path))
    except InvalidRecord:
        return None
