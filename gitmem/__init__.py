"""gitmem: shared memory for a team and its coding agents, kept in git.

The promised names are imported on first use: `import gitmem` itself costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitmem.errors import GitmemError
    from gitmem.memory.memory import Memory
    from gitmem.memory.reports import SyncReport
    from gitmem.memory.results import Hit, Match, Record

__version__ = "0.1.0"
__all__ = ["GitmemError", "Hit", "Match", "Memory", "Record", "SyncReport", "__version__"]

_HOMES = {
    "GitmemError": "gitmem.errors",
    "Hit": "gitmem.memory.results",
    "Match": "gitmem.memory.results",
    "Memory": "gitmem.memory.memory",
    "Record": "gitmem.memory.results",
    "SyncReport": "gitmem.memory.reports",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'gitmem' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
