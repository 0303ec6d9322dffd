"""Files that a killed git has half written into the work tree: set aside, so that the next merge can bring them whole.

git writes a file in place. An unfinished one is in no commit and not among git's objects, so nobody can tell what it was to
become, and no merge dares to write over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gitmem.core.record import MAX_BYTES
from gitmem.errors import GitmemError
from gitmem.memory.context import Context
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import AUDIT, DAMAGED, EVENTS, is_record_path

_LOGS = (f"{AUDIT}/", f"{EVENTS}/")


def half_written(context: Context, paths: Iterable[str]) -> list[str]:
    """Those of the paths that hold nothing: broken record files, and any content in the log that git does not know.

    They are paths of no commit, and nothing of ours. What else lies below `memory/` is somebody's own, whatever it holds.
    """
    files = [path for path in paths if inside(context.store.root, path).is_file()]
    known = known_to_git(context, [path for path in files if path.startswith(_LOGS)])
    broken = (path for path in files if is_record_path(path) and _is_broken(context, path))
    return [*broken, *(path for path in files if path.startswith(_LOGS) and path not in known)]


def is_cut_off(context: Context, path: str) -> bool:
    """Whether a record file is empty or ends within a line, as a power loss leaves it: a quick look."""
    try:
        data = read_bounded(inside(context.store.root, path), MAX_BYTES)
    except GitmemError:
        return False
    return data is not None and not data.endswith(b"\n")


def set_aside(context: Context, path: str) -> None:
    """Move a file out of the work tree; it is never overwritten or removed."""
    keep(inside(context.store.root, path), context.store.local)


def keep(file: Path, local: Path) -> None:
    """Move a damaged file to where such files are kept in gitmem's local directory."""
    folder = local / DAMAGED
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = next(n for n in range(len(os.listdir(folder)) + 2) if not (folder / _numbered(file.name, n)).exists())  # noqa: PTH208
    file.replace(folder / _numbered(file.name, free))


def _numbered(name: str, number: int) -> str:
    return f"{name}.{number}" if number else name


def _is_broken(context: Context, path: str) -> bool:
    from gitmem.memory.soundness import is_newer, sound_or_none  # which needs what needs this

    try:
        data = read_bounded(inside(context.store.root, path), MAX_BYTES)
    except GitmemError:
        return False  # not half of anything
    return data is not None and sound_or_none(path, data) is None and not is_newer(data)


def known_to_git(context: Context, paths: list[str]) -> set[str]:
    """Those of the files of the work tree whose content is among git's objects."""
    repo = context.store.repo
    if not paths:
        return set()
    names = "".join(f"{context.store.root / path}\n" for path in paths)
    blobs = repo.run("hash-object", "--no-filters", "--stdin-paths", input=os.fsencode(names)).decode().split()
    answers = repo.run("cat-file", "--batch-check", input="".join(f"{blob}\n" for blob in blobs).encode()).decode().splitlines()
    return {path for path, answer in zip(paths, answers, strict=True) if not answer.endswith(" missing")}
