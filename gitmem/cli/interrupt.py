"""Ctrl-C as an exception, but not in the middle of an import.

A module that is half imported turns the exception into another (Python 3.11 wraps it, a native module panics), so that there it
waits for the import to end, a hundredth of a second at a time.
"""

from __future__ import annotations

import signal
from types import FrameType

_A_MOMENT = 0.01  # seconds
_IMPORTS = "<frozen importlib._bootstrap>"


def watch() -> None:
    """Let SIGINT raise KeyboardInterrupt as soon as no import is under way."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored: a shell's background job
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGALRM, _interrupt)


def also_terminate() -> None:
    """Let SIGTERM do the same, for a command that runs until it is stopped."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
        signal.signal(signal.SIGALRM, _interrupt)


def ignore() -> None:
    """Let the interpreter end in peace: the work is done. `timeout` and some supervisors send SIGTERM twice."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if signal.getsignal(signal.SIGTERM) is _interrupt:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    if _importing(frame):
        signal.setitimer(signal.ITIMER_REAL, _A_MOMENT)
        return
    raise KeyboardInterrupt


def _importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != _IMPORTS:
        frame = frame.f_back
    return frame is not None
