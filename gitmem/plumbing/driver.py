"""`gitmem-merge-driver %O %A %B %L %P`: the merge driver behind `merge=gitmem` in .gitattributes.

git starts it once for each file that both sides changed, where the merge strategy is not in use (`git stash pop`, a clone
without it). Of the five arguments it reads two: the base is not needed, markers are not made, and the path is only shown.

git takes whatever stands in %A when the driver ends with 0, be it empty, and leaves %A in place without any marker when it
does not. So %A is replaced in one step by a file that was read back and parsed, or not at all.
"""

from __future__ import annotations

import os
import sys

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from gitmem.errors import GitmemError

_MERGED = 0
_CONFLICT = 1


def run() -> int:
    """Merge %B into %A."""
    if len(sys.argv) != 6:
        sys.stderr.write("usage: gitmem-merge-driver %O %A %B %L %P (git starts it: see `gitmem hooks install`)\n")
        return _CONFLICT
    _, ours, theirs, _, path = sys.argv[1:]
    try:
        _replace(ours, emit(merge(parse(_read(ours), "ours"), parse(_read(theirs), "theirs"))))
    except (GitmemError, OSError) as error:
        sys.stderr.write(f"gitmem: {path[:300]!a} is left in conflict: {error}\n")
        return _CONFLICT
    return _MERGED


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 (pathlib costs as much as all else here)
        return file.read()


def _replace(path: str, data: bytes) -> None:
    temporary = f"{path}.gitmem"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)  # some disks tell only now that they are full
        parse(_read(temporary), "the merged record")
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise
