"""Where tests work: a disk in memory, if there is a roomy one. To wait for a real one proves nothing and is most of a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_ROOM = 2 << 30  # bytes: containers often have 64 MB there
_CANDIDATES = ("/dev/shm",)


def _serves(place: str) -> bool:
    """Whether tests can work there: write much, and start the hooks of their repositories."""
    if not Path(place).is_dir() or not os.access(place, os.W_OK):
        return False
    return not os.statvfs(place).f_flag & os.ST_NOEXEC and shutil.disk_usage(place).free > _ROOM


MEMORY_DISK = next((place for place in _CANDIDATES if _serves(place)), None)
"""A directory on such a disk; None makes `tempfile` use its own."""
