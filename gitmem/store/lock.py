"""The one lock of a replica: `flock` on a file that is never unlinked.

The kernel lets go when the holder dies, so that no lock is ever stale; the file is opened close-on-exec, so that no child
keeps it (Python's default, PEP 446).
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from pathlib import Path
from types import TracebackType

from gitmem.errors import Locked
from gitmem.store.files import disk_error

_FIRST_PAUSE = 0.001  # seconds between two tries, growing: many waiters must not keep the holder from the processor
_LONGEST_PAUSE = 0.02


class Lock:
    """A re-entrant lock between processes and threads; `with lock:` waits up to `timeout` seconds, then raises Locked."""

    def __init__(self, path: Path, timeout: float = 60.0) -> None:
        self.path = path
        self.timeout = timeout
        self._depth = 0
        self._descriptor = -1
        self._owner = 0
        self._thread = threading.RLock()

    def __enter__(self) -> Lock:
        self._thread.acquire()
        try:
            if self._depth == 0:
                self._acquire()
        except BaseException:
            self._thread.release()
            raise
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if self._depth == 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._thread.release()

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _acquire(self) -> None:
        self._open()
        deadline = time.monotonic() + self.timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(
                        f"the store is locked by another process ({self.path})",
                        "wait for the other gitmem command to end and try again",
                    ) from None
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that waiters do not come in step
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    def _open(self) -> None:
        if self._owner != os.getpid():
            self.close()  # a forked child shares its parent's descriptor, and so would share the lock (flock(2))
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise disk_error(error, "cannot lock the store") from error
            self._owner = os.getpid()
