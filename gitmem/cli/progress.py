"""Progress of long work, for a person: nothing in the first second, nothing where stderr is no terminal, or a dumb one."""

from __future__ import annotations

import os
import sys
import threading
import time
from itertools import cycle
from types import TracebackType

_PATIENCE = 1.0  # seconds before anything is shown
_BEAT = 0.1
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """Draws one line on stderr while the work goes on, and takes it away at the end.

    A thread draws it, because the work may wait for a network or a disk without saying anything.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._told: tuple[str, int, int] = ("working", 0, 0)
        self._done = threading.Event()
        self._started = time.monotonic()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._shown:
            self._thread = threading.Thread(target=self._draw, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Draw no more; called before a person is asked something."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def tell(self, what: str, done: int, of: int) -> None:
        """Take note of how far the work is."""
        self._told = (what, done, of)

    def _draw(self) -> None:
        if self._done.wait(_PATIENCE):
            return
        for spoke in cycle(_WHEEL):
            sys.stderr.write(f"\r{spoke} {self._words()}\x1b[K")
            sys.stderr.flush()
            if self._done.wait(_BEAT):
                break
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    def _words(self) -> str:
        what, done, of = self._told
        seconds = time.monotonic() - self._started
        share = f" {done:,} of {of:,}" if of > 1 else ""
        return f"{what}{share} ({seconds:.0f} s)"
