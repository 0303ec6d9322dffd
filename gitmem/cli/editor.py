"""A person's editor on a text that is secret: a private file in memory where there is such a place, wiped afterwards."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from gitmem.errors import GitmemError, UsageError

_MEMORY: Final = ("/dev/shm",)  # noqa: S108 - a private directory is made in it
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_KEYBOARD: Final = (signal.SIGINT, signal.SIGQUIT)


def edited(text: str) -> bytes:
    """What the person's editor leaves of `text`. The text is nowhere when this returns or raises.

    Raises UsageError without an editor, GitmemError if the editor fails or takes the file away, KeyboardInterrupt if it is
    interrupted.
    """
    words = _editor()
    with _ending_as_exceptions(), _private_folder() as folder:
        file = folder / "record.yaml"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(text.encode())
        _run([*words, str(file)])
        try:
            return file.read_bytes()
        except OSError:
            raise GitmemError("the editor left no file behind; nothing was changed", "run it again") from None


def _editor() -> list[str]:
    """The words of $VISUAL or $EDITOR; vi where a person sits at a terminal."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(name, ""))
        except ValueError as error:
            raise UsageError(f"{name} is no command line: {str(error).lower()}", f"set {name} to your editor") from None
        if words:
            return words
    if sys.stdin.isatty():
        return ["vi"]
    raise UsageError(
        "there is no terminal for an editor", "say what to change: --set FIELD=VALUE, or --file FILE; or set EDITOR"
    )


def _run(words: list[str]) -> None:
    """Run the editor to its end; the keys that would interrupt us are its own until then."""
    env = {name: value for name, value in os.environ.items() if name != "GITMEM_IDENTITY"}
    before = {number: signal.signal(number, _do_nothing) for number in _KEYBOARD}
    try:
        code = subprocess.run(words, env=env, check=False).returncode
    except OSError as error:
        raise GitmemError(
            f"the editor cannot be started: {(error.strerror or '').lower()}", "set EDITOR to one that is there"
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code in (-signal.SIGINT, 128 + signal.SIGINT):
        raise KeyboardInterrupt
    if code:
        raise GitmemError(f"the editor ended with exit code {code}; nothing was changed", "run it again")


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: the editor would inherit that, and could not be interrupted itself."""


@contextmanager
def _ending_as_exceptions() -> Iterator[None]:
    """Let a request to end unwind the stack, so that the text is wiped."""
    before = {number: signal.signal(number, _end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A new directory of our own, in memory if possible, wiped at the end with whatever the editor left in it."""
    folder = Path(tempfile.mkdtemp(prefix="gitmem-", dir=_place()))
    try:
        yield folder
    finally:
        _wipe(folder)


def _place() -> str | None:
    places = (*_MEMORY, os.environ.get("XDG_RUNTIME_DIR", ""))
    return next((place for place in places if place and Path(place).is_dir() and os.access(place, os.W_OK)), None)


def _wipe(folder: Path) -> None:
    """Overwrite, sync and remove each file, then the directories."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _wipe_file(Path(parent, name))
        for name in folders:
            Path(parent, name).rmdir()
    folder.rmdir()


def _wipe_file(file: Path) -> None:
    if not file.is_symlink():
        with file.open("r+b") as stream:
            stream.write(b"\0" * file.stat().st_size)
            stream.flush()
            os.fsync(stream.fileno())
    file.unlink()
