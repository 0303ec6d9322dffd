"""A guard around the real home: no test reads or writes there, neither in this process nor in one it starts."""

from __future__ import annotations

import os
import pwd
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Audit event -> the positions of its arguments that are paths, see docs.python.org/3/library/audit_events.html
_PATHS = {
    "open": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (0, 1),
    "os.listdir": (0,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.scandir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "sqlite3.connect": (0,),
}

# Where a program that mistook the real home for its own would leave a trace.
_TRACES = (
    ".gitconfig",
    ".config/git",
    ".config/age",
    ".config/gitmem",
    ".cache/gitmem",
    ".local/share/gitmem",
    ".local/state/gitmem",
    ".gitmem",
    ".ssh",
)


class HomeTouchedError(BaseException):
    """A test reached for the real home; not an `Exception`, so that no handler under test swallows it."""


class HomeGuard:
    """Refuses this process's access below the real home, and notices what its children left there."""

    def __init__(self, home: Path) -> None:
        self.home = str(home)
        self.before = self._traces()
        allowed = {ROOT, Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir())}
        allowed |= {Path(path) for path in [*sys.path, *sysconfig.get_paths().values()] if path}
        self.allowed = tuple({str(path) for path in allowed} | {str(path.resolve()) for path in allowed})

    def install(self) -> None:
        """Watch from now until the process ends (Python has no way to take an audit hook off)."""
        sys.addaudithook(self._watch)

    def changed(self) -> list[str]:
        """The places below the real home that are not as they were when the guard was made."""
        after = self._traces()
        return sorted(name for name in self.before.keys() | after.keys() if self.before.get(name) != after.get(name))

    def _watch(self, event: str, args: tuple[Any, ...]) -> None:
        for position in _PATHS.get(event, ()):
            if self._forbidden(args[position]):
                raise HomeTouchedError(f"{event} {args[position]!r}: a test may not touch the real home")

    def _forbidden(self, path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False  # a file descriptor: it was checked when it was opened
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (no link is followed, no disk is read)
        return self.home != "/" and _below(name, self.home) and not any(_below(name, place) for place in self.allowed)

    def _traces(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for name in _TRACES:
            place = Path(self.home, name)
            for path in (place, *(place.rglob("*") if place.is_dir() else ())):
                if path.exists():
                    found[str(path)] = path.stat().st_mtime_ns
        return found


def real_home() -> Path:
    """The home in the password database: unlike HOME, a parent test process cannot have moved it."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a container that runs as a number without a name
        return Path("/")


def _below(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")
