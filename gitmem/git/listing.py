"""Trees listed and compared without a process each: only what differs, or was asked for, is read.

Trees as git writes them are understood here, and no others: what a hostile or broken one means is for git to say (`Unusual`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from gitmem.git.reader import Found

ABSENT_MODE: Final = "000000"
TREE_MODE: Final = "040000"
_SUBMODULE_MODE: Final = "160000"
_MODES: Final = {mode.lstrip("0").encode(): mode for mode in ("100644", TREE_MODE, "100755", "120000", _SUBMODULE_MODE)}
_ENTRIES: Final = {
    digits: re.compile(rb"(%b) ([^\0/]+)\0(.{%d})" % (b"|".join(_MODES), digits // 2), re.DOTALL) for digits in (40, 64)
}


class Change(NamedTuple):
    """What became of one path between two trees; `old`/`new` are None where it is absent (its mode is then 000000)."""

    path: str
    old_mode: str
    new_mode: str
    old: str | None
    new: str | None


class Entry(NamedTuple):
    """One entry of a tree: `mode` as git prints it (100644, 040000, …) and the object's id."""

    mode: str
    id: str


class Unusual(Exception):
    """A tree that git did not write so: other modes, no order, a name twice or one that is a path; or no tree at all."""


_ABSENT: Final = Entry(ABSENT_MODE, "")

Tree: TypeAlias = dict[bytes, tuple[bytes, bytes]]
"""The entries of one tree, mode and id raw as they stand there, by name; the name of a directory ends in a slash."""

Read: TypeAlias = "Callable[[Sequence[str]], Iterator[Found]]"
"""Reads several trees, by id or as `revision^{tree}`, in order. Raises GitmemError for what is not there."""


class Wanted:
    """Which paths are asked for: those that are, or lie below, one of `paths` (all without `paths`), as git's pathspecs are.

    A path that ends in a slash stands for a directory, or a submodule, alone.
    """

    def __init__(self, paths: Collection[str]) -> None:
        raw = [os.fsencode(path) for path in paths]
        self.all = not raw
        self._files = frozenset(path for path in raw if not path.endswith(b"/"))
        self._folders = frozenset(path.rstrip(b"/") + b"/" for path in raw)
        self._steps: dict[bytes, set[bytes]] = {}
        for path in self._folders:
            base = b""
            for part in path.split(b"/")[:-1]:
                self._steps.setdefault(base, set()).update((part, part + b"/"))
                base += part + b"/"

    def names(self, base: bytes) -> Set[bytes]:
        """The names in a directory that are wanted, or on the way to what is. `base` is empty or ends in a slash."""
        return self._steps.get(base, frozenset())

    def file(self, path: bytes, entry: Entry) -> bool:
        """Whether what is no directory is wanted."""
        return path in self._files or (entry.mode == _SUBMODULE_MODE and path + b"/" in self._folders)

    def folder(self, path: bytes) -> bool:
        """Whether all of a directory is wanted."""
        return path in self._folders


class Unlike(NamedTuple):
    """A path at which two trees differ, and what is no directory there in either."""

    path: bytes
    old: Entry | None
    new: Entry | None

    def change(self) -> Change:
        """The same in git's words."""
        old, new = self.old or _ABSENT, self.new or _ABSENT
        return Change(os.fsdecode(self.path), old.mode, new.mode, old.id or None, new.id or None)


class _Pair(NamedTuple):
    """Two trees to be compared: the path before their entries, their names (None: there is none), whether all is wanted."""

    base: bytes
    old: str | None
    new: str | None
    whole: bool


def compare(read: Read, old: str | None, new: str | None, wanted: Wanted) -> list[Unlike]:
    """What is no directory and differs between two trees (None: the empty one), as far as it is wanted, sorted by path.

    Raises Unusual.
    """
    found: list[Unlike] = []
    level = [_Pair(b"", old, new, wanted.all)]
    while level:
        below: list[_Pair] = []
        for pair, left, right in zip(level, *_both(read, level), strict=True):
            for name in left.keys() | right.keys() if pair.whole else wanted.names(pair.base):
                if left.get(name) != right.get(name):
                    unlike = Unlike(pair.base + name, _entry(left.get(name)), _entry(right.get(name)))
                    _take(unlike, pair, wanted, found, below)
        level = below
    return sorted(found)


def _take(unlike: Unlike, pair: _Pair, wanted: Wanted, found: list[Unlike], below: list[_Pair]) -> None:
    path, old, new = unlike
    if path.endswith(b"/"):
        below.append(_Pair(path, old and old.id, new and new.id, pair.whole or wanted.folder(path)))
    elif pair.whole or any(one and wanted.file(path, one) for one in (old, new)):
        found.append(unlike)


def list_files(read: Read, root: str, wanted: Wanted) -> list[tuple[bytes, Entry]]:
    """What is no directory below the tree `root`, as far as it is wanted, sorted by path. Raises Unusual.

    The same as to compare with the empty tree, in a third of the time.
    """
    found: list[tuple[bytes, Entry]] = []
    level = [(b"", root, wanted.all)]
    while level:
        below: list[tuple[bytes, str, bool]] = []
        for (base, _, whole), tree in zip(level, read([name for _, name, _ in level]), strict=True):
            entries = _parse(tree)
            for name in entries if whole else entries.keys() & wanted.names(base):
                path, (mode, object_id) = base + name, entries[name]
                entry = Entry(_MODES[mode], object_id.hex())
                if name.endswith(b"/"):
                    below.append((path, entry.id, whole or wanted.folder(path)))
                elif whole or wanted.file(path, entry):
                    found.append((path, entry))
        level = below
    return sorted(found)


def _both(read: Read, level: Sequence[_Pair]) -> tuple[list[Tree], list[Tree]]:
    """The trees of both sides, read together; an empty one for None."""
    names = [name for pair in level for name in (pair.old, pair.new)]
    objects = read([name for name in names if name is not None])
    trees = [{} if name is None else _parse(next(objects)) for name in names]
    return trees[::2], trees[1::2]


def _parse(tree: Found) -> Tree:
    """The entries of a tree object: `mode SP name NUL id`, the id as raw bytes, in the order of the names. Raises Unusual."""
    entries = _ENTRIES[len(tree.id)].findall(tree.data)
    found = {name + b"/" if mode == b"40000" else name: (mode, object_id) for mode, name, object_id in entries}
    understood = sum(map(len, chain.from_iterable(entries))) + 2 * len(entries)
    if tree.type != "tree" or understood != len(tree.data) or list(found) != sorted(found) or len(found) != len(entries):
        raise Unusual
    return found


def _entry(raw: tuple[bytes, bytes] | None) -> Entry | None:
    return None if raw is None else Entry(_MODES[raw[0]], raw[1].hex())
