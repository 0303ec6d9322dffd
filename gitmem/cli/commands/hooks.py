"""`gitmem hooks`: the checks that git runs before it commits."""

from __future__ import annotations

import click

from gitmem.cli.command import Group, define
from gitmem.cli.ui import Ui, pass_ui


@click.group("hooks", cls=Group)
def command() -> None:
    """Install and run the checks before a git commit."""


@define("install", examples=[("gitmem hooks install", "keeps the hooks that are there, and runs them first")], exits=(10,))
@pass_ui
def install(ui: Ui) -> None:
    """Install gitmem's hooks in this clone, and set git up to merge records.

    `gitmem init` and `gitmem clone` do it; a clone made with plain git needs it once.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.founding.found import prepare_clone

    with opened(ui) as memory:
        store = memory.context.store
        notes = prepare_clone(store.repo, store.root)
    if ui.json:
        ui.data({"notes": notes})
        return
    for note in notes:
        ui.warn(note)
    if not notes:
        ui.note("installed: pre-commit, pre-merge-commit")


@define("uninstall", examples=[("gitmem hooks uninstall", "brings back the hooks that were there before")], exits=(10,))
@pass_ui
def uninstall(ui: Ui) -> None:
    """Remove gitmem's hooks from this clone, and bring back those that were there before."""
    from gitmem.cli.session import opened
    from gitmem.git.hooks import uninstall_hooks

    with opened(ui) as memory:
        removed = uninstall_hooks(memory.context.store.repo)
    if ui.json:
        ui.data({"removed": removed})
        return
    ui.note(f"removed: {', '.join(removed)}" if removed else "there was no hook of gitmem's here")


@define(
    "run",
    examples=[("gitmem hooks run pre-commit", "from a hook manager's own pre-commit hook")],
    exits=(10, 12, 13),
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
)
@click.argument("name")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(name: str, args: tuple[str, ...]) -> int:  # noqa: ARG001 - git passes some to hooks that need none of them
    """Run the check that belongs to a git hook; the exit code tells git whether to go on."""
    from gitmem.plumbing.hooks import run as run_hook

    return run_hook(name)


command.add_command(install)
command.add_command(uninstall)
command.add_command(run)
