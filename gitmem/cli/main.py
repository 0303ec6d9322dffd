"""The entry point of `gitmem`: runs a command line, and turns whatever happens into output and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gitmem.cli import interrupt
from gitmem.errors import EXIT_INTERRUPTED, EXIT_OK

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui


def run(words: list[str] | None = None) -> int:
    """Run `gitmem WORDS…` (those of the process by default) and return the exit code. Raises nothing."""
    words = sys.argv[1:] if words is None else words
    try:
        interrupt.watch()
        _mend_streams()
        return _run(words)
    except KeyboardInterrupt:  # before there was anything to interrupt, or while an earlier one was being reported
        sys.stderr.write("error: interrupted\n")
        return EXIT_INTERRUPTED
    finally:
        interrupt.ignore()


def _run(words: list[str]) -> int:
    try:
        if words[:2] == ["hooks", "run"] and words[2:] and not words[2].startswith("-"):
            from gitmem.plumbing.hooks import run as run_hook

            return run_hook(words[2])  # git waits for it at each commit: nothing that reads command lines is loaded for that
    except BaseException as error:
        from gitmem.cli.ui import Ui

        return _failed(error, Ui(json="--json" in words))
    return _run_command(words)


def _run_command(words: list[str]) -> int:
    from gitmem.cli.ui import Ui, flush

    ui = Ui(json="--json" in words)  # until the words have been read, so that a mistake in them is reported as asked
    try:
        code = _dispatch(words, ui)
        flush()
    except BaseException as error:
        return _failed(error, ui)
    return code


def _failed(error: BaseException, ui: Ui) -> int:
    """The one place where everything ends that went wrong."""
    from gitmem.cli.failure import report

    return _without_output_that_fails(report(error, ui))


def _dispatch(words: list[str], ui: Ui) -> int:
    from gitmem.cli.root import gitmem

    if "_GITMEM_COMPLETE" in os.environ:
        from gitmem.cli.commands.completion import complete

        return complete(gitmem, os.environ["_GITMEM_COMPLETE"])
    with gitmem.make_context("gitmem", list(words), obj=ui) as context:
        code = gitmem.invoke(context)
    return code if isinstance(code, int) else EXIT_OK


def _mend_streams() -> None:
    """Make the standard streams safe to write to: they may be closed, or of an encoding that lacks a character."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif name != "stdin":
            stream.reconfigure(errors="backslashreplace")


def _without_output_that_fails(code: int) -> int:
    """`code`; what stdout refuses to take is dropped, so that the interpreter does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
