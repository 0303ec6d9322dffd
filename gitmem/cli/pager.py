"""Long output on a terminal goes through $PAGER or less, as git's does. It is piped there, never put into a file."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TextIO


@contextmanager
def paged() -> Iterator[None]:
    """Send what is written to stdout inside through the pager. A reader who leaves it early has seen enough."""
    words = _words()
    if not words or words == ["cat"] or shutil.which(words[0]) is None:
        yield
        return
    env = {"LESS": "FRX"} | {name: value for name, value in os.environ.items() if name != "GITMEM_IDENTITY"}
    sys.stdout.flush()
    with subprocess.Popen(words, stdin=subprocess.PIPE, env=env) as pager:
        assert pager.stdin  # noqa: S101 (a pipe was asked for)
        screen, sys.stdout = sys.stdout, TextIOWrapper(pager.stdin, "utf-8", "backslashreplace")
        try:
            with suppress(BrokenPipeError):
                yield
        finally:
            _end(pager, screen)


def _words() -> list[str]:
    """The words of $PAGER, or less; none where they cannot be told apart."""
    try:
        return shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:
        return []


def _end(pager: subprocess.Popen[bytes], screen: TextIO) -> None:
    """Close the pager's input and wait for the reader, whose Ctrl-C is the pager's own business."""
    with suppress(BrokenPipeError):
        sys.stdout.close()
    sys.stdout = screen
    while pager.poll() is None:
        with suppress(KeyboardInterrupt):
            pager.wait()
