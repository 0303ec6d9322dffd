"""What all commands have in common: the global options on either side of the command's name, and help with examples."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from gitmem.cli.exits import exit_codes
from gitmem.cli.ui import Ui
from gitmem.errors import NoStore

Example = tuple[str, str]
"""A command line and, if it does not speak for itself, what it is for."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
GLOBAL = "-C DIR, --identity FILE, --json, --color WHEN and --quiet work with every command: see `gitmem --help`."


def _clause(line: str) -> str:
    """A line of help that click has cut to fit: up to where a clause of it ends."""
    whole = re.match(r"(.*)[:;].*\.\.\.$", line) or re.match(r"(.*),.*\.\.\.$", line)
    return f"{whole[1]}." if whole else line


class Command(click.Command):
    """A command whose help ends with examples and its exit codes."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[Example] = (),
        exits: Sequence[int] = (),
        more: Callable[[click.HelpFormatter], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **{"context_settings": SETTINGS} | options)
        self.examples = tuple(examples)
        self.more = more
        self.exits = tuple(exits)
        self.params += global_options(hidden=True)

    def get_short_help_str(self, limit: int = 45) -> str:
        """What lists of commands say of it."""
        return _clause(super().get_short_help_str(limit))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's form
        """Write the examples, the exit codes and where the global options are described."""
        if self.more:
            self.more(formatter)
        write_examples(formatter, self.examples)
        with formatter.section("Exit status"):
            formatter.write_dl(exit_codes(self.exits))
        formatter.write_paragraph()
        formatter.write_text(GLOBAL)


class Group(click.Group):
    """A collection of commands, such as `member`, that takes the global options as well."""

    command_class = Command

    def __init__(self, *args: Any, **options: Any) -> None:
        ours: dict[str, Any] = {"context_settings": SETTINGS, "subcommand_metavar": "COMMAND …", "no_args_is_help": False}
        super().__init__(*args, **(ours | options))
        self.params += global_options(hidden=True)

    def get_short_help_str(self, limit: int = 45) -> str:
        """What lists of commands say of it."""
        return _clause(super().get_short_help_str(limit))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where to read on."""
        formatter.write_paragraph()
        formatter.write_text(f"`{ctx.command_path} COMMAND --help` shows examples and exit codes. {GLOBAL}")


def write_examples(formatter: click.HelpFormatter, examples: Sequence[Example]) -> None:
    """Write an `Examples` section, each command line as it is typed."""
    if not examples:
        return
    with formatter.section("Examples"):
        for line, purpose in examples:
            if purpose:
                formatter.write(f"{'':>{formatter.current_indent}}# {purpose}\n")
            formatter.write(f"{'':>{formatter.current_indent}}$ {line}\n")


def define(
    name: str,
    *,
    examples: Sequence[Example],
    exits: Sequence[int] = (),
    more: Callable[[click.HelpFormatter], None] | None = None,
    **options: Any,
) -> Callable[[Any], Command]:
    """Make a function the command `name`: its docstring is the help, and every command shows how it is used.

    `exits` are the exit codes beside those of every command, `more` writes a further section of the help.
    """

    def made(function: Any) -> Command:
        return click.command(name, cls=Command, examples=examples, exits=exits, more=more, **options)(function)

    return made


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options that every command takes, in front of it or behind it."""

    def option(*names: str, **attributes: Any) -> click.Option:
        own = "global_" + names[-1].lstrip("-")  # no parameter of a command may have the same name
        return click.Option([*names, own], expose_value=False, is_eager=True, hidden=hidden, **attributes)

    colours = click.Choice(["auto", "always", "never"])
    return [
        option("-C", metavar="DIR", multiple=True, callback=_go_to, help="Work as if started in DIR."),
        option(
            "--identity", metavar="FILE", callback=_setting("identity", Path), help="Your key file, before any other place."
        ),
        option(
            "--json", is_flag=True, callback=_setting("json", bool), help="Write JSON; errors as JSON on stderr's last line."
        ),
        option("--color", type=colours, callback=_setting("color", str), help="When to use colour. NO_COLOR is respected."),
        option("-q", "--quiet", is_flag=True, callback=_setting("quiet", bool), help="Say nothing beside data and warnings."),
    ]


def _setting(name: str, kind: Callable[[Any], Any]) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that notes an option in the Ui when it was given; not given behind the command changes nothing."""

    def note(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        ui = ctx.find_object(Ui)
        if value and ui is not None:
            setattr(ui, name, kind(value))

    return note


def _go_to(ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> None:
    """Change to each directory in turn: each is relative to the one before, as git's are."""
    for directory in () if ctx.resilient_parsing else value:
        try:
            os.chdir(directory)
        except OSError as error:
            why = (error.strerror or "").lower()
            raise NoStore(f"cannot work in {directory}: {why}", "name a directory that is there: -C DIR") from None
