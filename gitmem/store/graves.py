"""What is known of records that were collected or erased: see `core.collected` and `core.erasure`.

The lists lie in the work tree, and history may go back behind them: a reset, another branch, a checkout of old files. What was
erased must not be read then either, so this clone keeps the graves of erased records beside the repository's own, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gitmem.core.codec import emit, parse
from gitmem.core.collected import FOLDER, bury, empty_list, grave_in, is_list, list_of, place_of, places_in, with_graves
from gitmem.core.erasure import erased_in
from gitmem.core.merge import merge, normalise
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import InvalidRecord
from gitmem.store.files import inside, read_bounded, write_atomic

_Signature = tuple[int, int, int]
_WRITER: Final = "erased-1"  # of the lists beside the repository, which nobody else ever merges


class Graves:
    """The lists of collected records in the work tree at `root` and of erased ones in `local`, read again when they change."""

    def __init__(self, root: Path, local: Path | None = None) -> None:
        self.root = root
        self.local = local
        self._lists: dict[tuple[Path, str], tuple[_Signature, State | None]] = {}

    def of(self, path: str) -> State | None:
        """The grave of the record whose file belongs at `path`; None for a record that was not collected."""
        graves = [
            grave
            for folder in self._folders()
            if (found := self._list(folder, list_of(path))) and (grave := grave_in(found, path))
        ]
        return None if not graves else graves[0] if len(graves) == 1 else merge(*graves)

    def bury(self, path: str, state: State | None) -> State | None:
        """What is left of a state of the record at `path`, None for nothing; all of it for a record that was not collected."""
        grave = None if state is None else self.of(path)
        return state if state is None or grave is None else bury(state, grave)

    def lists(self) -> dict[str, State]:
        """Every list there is in the work tree, by its path; what is no list is passed over."""
        return self._all(self.root)

    def places(self) -> list[str]:
        """Where the files of all records belong that have a grave."""
        return sorted({path for folder in self._folders() for found in self._all(folder).values() for path in places_in(found)})

    def news(self) -> dict[str, State]:
        """The graves of erased records that the work tree's lists hold and this clone has not noted yet, by path."""
        found = {path: grave for listing in self.lists().values() for path, grave in erased_in(listing).items()}
        return {path: grave for path, grave in found.items() if not self.is_noted(path, grave)}

    def note(self, graves: Iterable[State]) -> None:
        """Keep the graves of erased records, durably, whatever becomes of the work tree."""
        assert self.local is not None  # noqa: S101 (of an open store)
        by_list: dict[str, list[State]] = {}
        for grave in graves:
            by_list.setdefault(list_of(place_of(grave)), []).append(grave)
        for path, some in by_list.items():
            listing = self._list(self.local, path) or empty_list(path)
            file = self.local / path
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(file, emit(with_graves(listing, _WRITER, some)), mode=0o600, durable=True)

    def noted(self) -> dict[str, State]:
        """The graves of erased records that this clone keeps beside the repository, by the path of the record's file."""
        lists = {} if self.local is None else self._all(self.local)
        return {path: grave for listing in lists.values() for path, grave in erased_in(listing).items()}

    def is_noted(self, path: str, grave: State) -> bool:
        """Whether this clone keeps the grave of an erased record beside the repository already."""
        noted = None if self.local is None else self._list(self.local, list_of(path))
        known = None if noted is None else grave_in(noted, path)
        return known is not None and merge(known, grave) == known

    def _folders(self) -> list[Path]:
        return [self.root] if self.local is None else [self.root, self.local]

    def _all(self, folder: Path) -> dict[str, State]:
        paths = sorted(f"{FOLDER}/{file.name}" for file in (folder / FOLDER).glob("*.yaml"))
        return {path: found for path in paths if (found := self._list(folder, path)) is not None}

    def _list(self, folder: Path, path: str) -> State | None:
        try:
            info = os.lstat(f"{folder}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        signature = (info.st_mtime_ns, info.st_size, info.st_ino)
        known = self._lists.get((folder, path))
        if known is None or known[0] != signature:
            known = self._lists[folder, path] = signature, _read(folder, path)
        return known[1]


def _read(folder: Path, path: str) -> State | None:
    """The list, None for a damaged one: the audit and doctor tell of it, and no record is lost for want of a list."""
    try:
        data = read_bounded(inside(folder, path), MAX_BYTES)
        state = None if data is None else normalise(parse(data, path))
    except InvalidRecord:
        return None
    return state if state is not None and is_list(path, state) else None
