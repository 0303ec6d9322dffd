"""What went wrong, as the user is told: one `error:` line, one `hint:` line, and the exit code that goes with them."""

from __future__ import annotations

import errno
import os
import re
import select
import sys
from typing import TYPE_CHECKING

import click

from gitmem.cli.text import one_line, safe_text
from gitmem.core.nearest import nearest
from gitmem.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, GitmemError

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui

# What the machine refuses is no bug, wherever it strikes.
_MACHINE = {
    errno.ENOSPC: "free some space and run the command again",
    errno.EDQUOT: "your disk quota is used up: free some space and run the command again",
    errno.EFBIG: "the limit on file sizes is reached: `ulimit -f` shows it",
    errno.EROFS: "the disk is mounted read-only: remount it, or work in another clone",
    errno.EACCES: "check who owns the files: `gitmem doctor`",
    errno.EPERM: "check who owns the files: `gitmem doctor`",
    errno.EMFILE: "too many open files: `ulimit -n` shows the limit",
    errno.EIO: "the disk does not answer as it should; look after it before anything else",
}
_EXTRA = re.compile(r"^(got unexpected extra arguments?) .*", re.DOTALL)
_ISSUES = "https://github.com/gitmem/gitmem/issues"


def report(error: BaseException, ui: Ui) -> int:
    """Tell the user about `error` and return the exit code it ends with."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError) and stdout_is_gone():
        return EXIT_OK
    return _report_failure(error, ui)


def _report_failure(error: BaseException, ui: Ui) -> int:
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        return _interrupted(ui)
    if isinstance(error, GitmemError):
        return _tell(ui, error.message, error.hint, error.exit_code)
    if isinstance(error, click.UsageError):
        return _tell(ui, *_usage(error), 2)
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return _tell(ui, _machine(error), _MACHINE[error.errno], 1)
    return _interrupted(ui) if _was_interrupted(error) else _bug(error, ui)


def stdout_is_gone() -> bool:
    """Whether whoever read our standard output has closed it."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _tell(ui: Ui, message: str, hint: str, code: int) -> int:
    """Say it in words, or with --json as the last line on stderr."""
    if ui.json:
        _write(ui.dumps({"error": message, "hint": hint, "exit_code": code}) + "\n")
        return code
    said = ui.styled_error("error:", "red") + f" {safe_text(message)}\n"
    if hint:
        said += ui.styled_error("hint:", "cyan") + f" {safe_text(hint)}\n"
    _write(said)
    return code


def _interrupted(ui: Ui) -> int:
    if not ui.json and sys.stderr.isatty():
        _write("\n")  # the terminal has drawn ^C
    return _tell(ui, "interrupted", "", EXIT_INTERRUPTED)


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error, such as one in cleaning up after it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _usage(error: click.UsageError) -> tuple[str, str]:
    """Click's complaint in our form; what was typed by mistake may be secret, so that a surplus word is not repeated."""
    if isinstance(error, click.NoSuchOption):  # click compares the dashes, too: `--dot` would be like `--forget`
        near = nearest(error.option_name.lstrip("-"), [one.lstrip("-") for one in error.possibilities or ()])
        error = click.NoSuchOption(error.option_name, ctx=error.ctx, possibilities=near and [f"--{near}"])
    message = one_line(error.format_message()).rstrip(".")
    message = _EXTRA.sub(r"\1", message[:1].lower() + message[1:])
    command = error.ctx.command_path if error.ctx else "gitmem"
    return message, f"`{command} --help` shows how it is used"


def _machine(error: OSError) -> str:
    where = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{where}{(error.strerror or str(error)).lower()}"


def _bug(error: BaseException, ui: Ui) -> int:
    """A bug: where it happened, without the values of local variables, and how to report it."""
    import traceback

    from gitmem import __version__

    _write(safe_text("".join(traceback.format_exception(error))))
    message = f"gitmem {__version__} failed in a way it should not: {type(error).__name__}"
    return _tell(ui, message, f"please report it with the lines above, read through for private text: {_ISSUES}", EXIT_BUG)


def _write(text: str) -> None:
    """Write to stderr; where nobody listens there is nobody to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
