"""The command `gitmem` itself: which commands there are. Each is imported when it is called, and no other with it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

from gitmem.cli.command import SETTINGS, global_options, write_examples
from gitmem.cli.exits import MEANINGS
from gitmem.cli.ui import Ui

SECTIONS: Final = {
    "The main job": ("match", "used", "learn", "search", "list", "show"),
    "Records": ("edit", "forget", "diff", "log", "conflicts", "resolve"),
    "The team": ("sync", "commit", "status", "clone", "join", "member", "scope", "key"),
    "The store": ("init", "audit", "redact", "verify", "erase", "export", "privacy", "hooks"),
    "Upkeep": ("doctor", "backup", "migrate", "prune", "gc", "maintenance", "config"),
    "Programs and people": ("mcp", "completion", "demo"),
}
_COMMANDS: Final = {name for names in SECTIONS.values() for name in names}
_EXAMPLES: Final = (
    ("cargo build 2>&1 | gitmem match", "what fixed this error before?"),
    ("gitmem used p-3k7q --fixed", "it worked: the team will know"),
    ("gitmem learn --pattern 'No space left on device' --fix 'docker system prune'", ""),
    ("gitmem sync", "share what was learned, take in what the team learned"),
)


class Root(click.Group):
    """Looks up commands by the name of their module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """The commands in the order of the help."""
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"gitmem.cli.commands.{cmd_name}").command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The same, with the nearest name for one that is none."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            from gitmem.core.nearest import meant, shown

            ctx.fail(f"there is no command {shown(args[0])}{meant(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups, by what they are for."""
        widest = max(map(len, _COMMANDS))
        room = formatter.width - widest - 4
        for title, names in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                for name, found in commands:
                    formatter.write(f"  {name:<{widest}}  {found.get_short_help_str(room) if found else ''}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write examples and every exit code."""
        write_examples(formatter, _EXAMPLES)
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])


@click.group("gitmem", cls=Root, context_settings=SETTINGS, subcommand_metavar="COMMAND …", invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, help="Show the version and exit.")
@click.pass_context
def gitmem(ctx: click.Context, version: bool) -> None:
    """Shared, encrypted memory for a team and its coding agents, kept in git.

    Learn the fix of an error once, find it when anybody hits the error again, and know how often it worked.
    """
    if version:
        _show_version(ctx.find_object(Ui) or Ui())
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _show_version(ui: Ui) -> None:
    from gitmem import __version__

    ui.data({"version": __version__}) if ui.json else ui.line(f"gitmem {__version__}")


def _with_global_options(group: Any) -> None:
    group.params += global_options(hidden=False)


_with_global_options(gitmem)
