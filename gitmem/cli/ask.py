"""Asking a person. Python's `input` can miss a Ctrl-C that comes just as it begins to wait; this cannot."""

from __future__ import annotations

import os
import select
import signal
import sys

from gitmem.errors import UsageError


def yes(question: str) -> bool:
    """Whether the answer is yes; anything else is no. Raises UsageError when there is no answer to come."""
    return _answer(f"{question} [y/N]: ").lower() in {"y", "yes"}


def number(question: str, upto: int) -> int:
    """A number from 1 to `upto`; asked again until it is one. Raises UsageError when there is no answer to come."""
    while True:
        answer = _answer(f"{question} (1-{upto}): ")
        if answer.isdecimal() and 1 <= int(answer) <= upto:
            return int(answer)


def _answer(prompt: str) -> str:
    sys.stdout.flush()
    sys.stderr.write(prompt)
    sys.stderr.flush()
    _wait_for_input()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise UsageError("the question was not answered", "give the answer as an option: --help shows them")
    return line.strip()


def _wait_for_input() -> None:
    """Return when stdin has a line. A signal writes to a pipe that is waited for, too, so that none comes unseen."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        while sys.stdin not in select.select([sys.stdin, reader], [], [])[0]:
            os.read(reader, 1)  # the handler has run by now: a signal that should end us has
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
