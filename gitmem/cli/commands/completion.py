"""`gitmem completion`: words that the shell completes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

_VARIABLE = "_GITMEM_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@define(
    "completion",
    examples=[
        ("gitmem completion bash > ~/.local/share/bash-completion/completions/gitmem", ""),
        ('gitmem completion zsh > "${fpath[1]}/_gitmem"', ""),
        ("gitmem completion fish > ~/.config/fish/completions/gitmem.fish", ""),
    ],
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
@pass_ui
def command(ui: Ui, ctx: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands: their options, ids and kinds, too."""
    ui.line(_engine(ctx.find_root().command, shell).source())


def complete(program: click.Command, instruction: str) -> int:
    """Answer a shell that completes a word: the script above calls `gitmem` for it with `instruction` in a variable."""
    from click.shell_completion import shell_complete

    return shell_complete(program, {}, "gitmem", _VARIABLE, instruction)


def _engine(program: click.Command, shell: str) -> ShellComplete:
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    return cast("ShellComplete", found and found(program, {}, "gitmem", _VARIABLE))
