"""The files that git keeps for itself, read only where each is a regular file.

Whoever opens a pipe that lies in the place of one waits for ever, and so does git.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError

_DEEP: Final = ("refs", "logs", "info", "objects/info", "objects/pack", "rebase-merge", "rebase-apply", "sequencer")
_LOOSE: Final = "objects/[0-9a-f][0-9a-f]"


def read_file(path: Path) -> bytes | None:
    """The content of a file, None where there is none. Raises GitmemError for a pipe or the like."""
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.readall()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        if error.errno != errno.ENXIO:  # what a socket says
            raise
    raise no_file(path)


def read_text(path: Path) -> str | None:
    """The same as text, stripped; what is not UTF-8 comes as surrogates."""
    data = read_file(path)
    return None if data is None else data.decode("utf-8", "surrogateescape").strip()


def no_file(path: Path) -> GitmemError:
    """What to say of something in the place of a file."""
    return GitmemError(f"{path} is no regular file", "gitmem doctor --fix")


def pipes(git_dirs: Iterable[Path], *, loose: bool = False) -> Iterator[Path]:
    """Pipes and devices where git reads its own files; with `loose` also among objects, in 256 directories."""
    for top in {*git_dirs}:
        yield from _pipes_in(str(top), below=False)
        for name in _DEEP:
            yield from _pipes_in(f"{top}/{name}")
        for place in top.glob(_LOOSE) if loose else ():
            yield from _pipes_in(str(place))


def is_pipe(path: Path) -> bool:
    """Whether a pipe or a device lies there, or what a link there leads to is one."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def attribute_files(root: Path, prefix: str) -> list[Path]:
    """The files of attributes that git reads for what lies at `prefix`: its own, and one in each directory above."""
    parts = prefix.split("/")
    return [root.joinpath(*parts[:depth], ".gitattributes") for depth in range(len(parts))]


def _pipes_in(folder: str, *, below: bool = True) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            odd = [entry for entry in entries if not entry.is_file(follow_symlinks=False)]
    except OSError:
        return
    for entry in odd:
        if entry.is_dir(follow_symlinks=False):
            yield from _pipes_in(entry.path) if below else ()
        elif is_pipe(Path(entry.path)):
            yield Path(entry.path)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
