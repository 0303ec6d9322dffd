"""What the work tree says of records that were collected: see `core.collected`."""

from __future__ import annotations

import os
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.core.collected import FOLDER, bury, grave_in, is_list, list_of
from gitmem.core.merge import normalise
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import InvalidRecord
from gitmem.store.files import inside, read_bounded


class Graves:
    """The lists of collected records in the work tree at `root`, each read again when it has changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lists: dict[str, tuple[tuple[int, int, int], State | None]] = {}

    def of(self, path: str) -> State | None:
        """The grave of the record whose file belongs at `path`; None for a record that was not collected."""
        listing = self._list(list_of(path))
        return None if listing is None else grave_in(listing, path)

    def bury(self, path: str, state: State | None) -> State | None:
        """What is left of a state of the record at `path`, None for nothing; all of it for a record that was not collected."""
        grave = None if state is None else self.of(path)
        return state if state is None or grave is None else bury(state, grave)

    def lists(self) -> dict[str, State]:
        """Every list there is, by its path; what is no list is passed over."""
        paths = sorted(f"{FOLDER}/{file.name}" for file in (self.root / FOLDER).glob("*.yaml"))
        return {path: found for path in paths if (found := self._list(path)) is not None}

    def _list(self, path: str) -> State | None:
        try:
            info = os.lstat(f"{self.root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        signature = (info.st_mtime_ns, info.st_size, info.st_ino)
        known = self._lists.get(path)
        if known is None or known[0] != signature:
            known = self._lists[path] = signature, self._read(path)
        return known[1]

    def _read(self, path: str) -> State | None:
        """The list, None for a damaged one: the audit and doctor tell of it, and no record is lost for want of a list."""
        try:
            data = read_bounded(inside(self.root, path), MAX_BYTES)
            state = None if data is None else normalise(parse(data, path))
        except InvalidRecord:
            return None
        return state if state is not None and is_list(path, state) else None
