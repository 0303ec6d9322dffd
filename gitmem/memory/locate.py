"""Finding a record's file by its id, or by any unique beginning of it, as git does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gitmem.core.erasure import erased_at
from gitmem.core.ids import shard
from gitmem.errors import GitmemError, UsageError
from gitmem.memory.context import Context
from gitmem.store.layout import MEMORY, id_at, is_record_path

_SHOWN = 5


def locate(context: Context, beginning: str) -> str:
    """The path of the one record whose id begins so. Raises UsageError if several do, GitmemError if none does."""
    known = context.paths.get(beginning)
    if known is not None:
        return known
    if len(beginning) < 2 or not beginning.isascii() or not beginning.isprintable() or "/" in beginning:
        raise UsageError(f"{beginning[:60]!r} is not the beginning of a record id", "ids look like p-3k7q…: `gitmem list`")
    found = sorted(set(_matching(context, beginning)))
    if not found:
        raise _nowhere(context, beginning)
    exact = [path for path in found if id_at(path) == beginning]
    if len(found) > 1 and not exact:
        some = ", ".join(id_at(path) for path in found[:_SHOWN])
        raise UsageError(f"{beginning!r} could be any of {len(found)} records: {some}", "give more of the id")
    path = (exact or found)[0]
    context.paths[id_at(path)] = path
    return path


def gone(context: Context, path: str) -> GitmemError:
    """What to say of a record that was there and is not."""
    context.paths.pop(id_at(path), None)
    return _nowhere(context, id_at(path))


def buried(context: Context, beginning: str) -> list[str]:
    """Where the records would lie that were collected or erased and whose id begins so."""
    return [path for path in context.store.graves.places() if id_at(path).startswith(beginning)]


def _nowhere(context: Context, beginning: str) -> GitmemError:
    collected = buried(context, beginning)
    if collected:
        grave = context.store.graves.of(collected[0])
        if when := erased_at(grave):
            return GitmemError(f"{id_at(collected[0])} was erased on {when[:10]}", "`gitmem audit log` tells who did it")
        return GitmemError(
            f"{id_at(collected[0])} was forgotten, and `gitmem gc` removed what was left of it",
            "`gitmem learn` records it anew; what it said stands in git's history",
        )
    return GitmemError(
        f"there is no record {beginning!r} in this store", "`gitmem list` shows the records, `gitmem sync` fetches"
    )


def _matching(context: Context, beginning: str) -> Iterator[str]:
    root = context.store.root
    for folder in _kind_folders(root / MEMORY):
        for name in _shards(folder, beginning):
            for file in _names(folder / name):
                path = (folder / name / file).relative_to(root).as_posix()
                if file.startswith(beginning) and is_record_path(path):
                    yield path
    yield from (path for path in context.store.pending.paths() if id_at(path).startswith(beginning))


def _kind_folders(memory: Path) -> Iterator[Path]:
    """memory/<scope>/<kind>, where a scope may have two parts."""
    for scope in _names(memory):
        for name in _names(memory / scope):
            yield memory / scope / name
            yield from (memory / scope / name / kind for kind in _names(memory / scope / name) if len(kind) > 2)


def _shards(folder: Path, beginning: str) -> list[str]:
    wanted = shard(beginning)
    if len(wanted) == 2:
        return [wanted]
    return [name for name in _names(folder) if name.startswith(wanted)]


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
