"""What a command writes: data on stdout, everything else on stderr; colour, tables and progress on a terminal only."""

from __future__ import annotations

import json as jsons
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from gitmem.cli.text import json_text, one_line, safe_text
from gitmem.errors import GitmemError


@dataclass(slots=True)
class Ui:
    """The global options of a call, and how to write by them. Each text is made safe here; nothing else writes to stdout."""

    identity: Path | None = None
    json: bool = False
    color: str = "auto"
    quiet: bool = False
    redact: bool = True
    """Whether what is recorded is redacted first."""
    terminal: bool = field(default_factory=lambda: sys.stdout.isatty())  # noqa: PLW0108 - the stdout of then
    """Whether a person reads stdout (through a pager, too)."""
    before_asking: Callable[[], None] = lambda: None
    """Called before the terminal is handed to a person."""

    @property
    def person(self) -> bool:
        """Whether there is somebody to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def data(self, value: Any) -> None:
        """Write a JSON document: indented for a person, on one line for a program."""
        _write(self.dumps(value, indent=2 if self.terminal else None) + "\n")

    def dumps(self, value: Any, indent: int | None = None) -> str:
        """`value` (frozen results included) as JSON without a character that acts on a terminal, or that stdout cannot take."""
        return json_text(jsons.dumps(value, ensure_ascii=not _takes_all(sys.stdout), indent=indent, default=_plain))

    def line(self, text: str = "") -> None:
        """Write a line that holds nothing but our own words and what `text`, `styled` or `brief` returned."""
        _write(f"{text}\n")

    def block(self, text: Any, indent: str = "") -> None:
        """Write text from a store, line by line, with `indent` before each."""
        for part in safe_text(text).rstrip("\n").split("\n"):
            self.line(f"{indent}{part}".rstrip())

    def note(self, text: str) -> None:
        """Say something beside the data, unless asked to be quiet."""
        if not self.quiet:
            self._say(safe_text(text))

    def warn(self, text: str) -> None:
        """Say what the user must know beside the data."""
        self._say(self.styled_error("warning:", "yellow") + f" {safe_text(text)}")

    def rows(self, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a table: drawn for a person, tab-separated lines without a header for a program."""
        if self.terminal:
            from gitmem.cli.table import draw

            _write(draw(names, rows, colour=self._coloured(self.terminal)))
            return
        for row in rows:
            self.line("\t".join(one_line("" if cell is None else cell) for cell in row))

    def styled(self, text: Any, *style: str) -> str:
        """`text` made safe, in colours and weights such as `bold`, `green`, where stdout shows them."""
        return _styled(safe_text(text), style, self._coloured(self.terminal))

    def styled_error(self, text: Any, *style: str) -> str:
        """The same for stderr."""
        return _styled(safe_text(text), style, self._coloured(sys.stderr.isatty()))

    def confirm(self, question: str) -> bool:
        """Ask a person; nothing is taken for yes but yes."""
        from gitmem.cli import ask

        self.before_asking()
        return ask.yes(safe_text(question))

    def secret(self, question: str) -> str:
        """Ask a person for something that must not be seen."""
        from getpass import getpass

        self.before_asking()
        return getpass(safe_text(question), stream=sys.stderr)

    def choose(self, question: str, upto: int) -> int:
        """Ask a person for a number from 1 to `upto`."""
        from gitmem.cli import ask

        self.before_asking()
        return ask.number(safe_text(question), upto)

    def paged(self) -> AbstractContextManager[None]:
        """Show what is written inside page by page if it is long and a person reads it."""
        if not self.terminal or self.json:
            return nullcontext()
        from gitmem.cli.pager import paged

        return paged()

    def _coloured(self, terminal: bool) -> bool:
        if self.color != "auto":
            return self.color == "always"
        return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _say(self, text: str) -> None:
        flush()  # so that both streams on one terminal keep their order
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def flush() -> None:
    """Send off what was written to stdout. Raises BrokenPipeError where nobody reads it, GitmemError where it does not fit."""
    _write("", to_the_end=True)


def _write(text: str, *, to_the_end: bool = False) -> None:
    try:
        sys.stdout.write(text)
        if to_the_end:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise GitmemError(f"the output could not be written: {reason}", "free some space, or send it somewhere else") from error


pass_ui = click.make_pass_decorator(Ui)


def _takes_all(stream: TextIO) -> bool:
    """Whether a stream's encoding has every character: Python's own escapes, such as `\\xfc`, are none of JSON's."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _styled(text: str, style: tuple[str, ...], coloured: bool) -> str:
    if not coloured or not style:
        return text
    weights = {name: True for name in style if name in ("bold", "dim")}
    colour = next((name for name in style if name not in weights), None)
    return click.style(text, fg=colour, **weights)
