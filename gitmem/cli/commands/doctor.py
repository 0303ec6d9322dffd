"""`gitmem doctor`: what is wrong here, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError, NoStore

if TYPE_CHECKING:
    from gitmem.memory.checkup.doctor import Check


@define(
    "doctor",
    examples=[
        ("gitmem doctor", "looks, and changes nothing"),
        ("gitmem doctor --fix", "mends what can be mended safely"),
    ],
    exits=WRITES,
)
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@pass_ui
def command(ui: Ui, fix: bool) -> None:
    """Check the store on this machine, by name; the exit code is 1 if something is wrong."""
    checks = _checks(ui, fix)
    failed = [check for check in checks if not check.ok]
    if ui.json:
        ui.data({"ok": not failed, "checks": checks})
    else:
        for check in checks:
            word = ui.styled("ok  ", "green") if check.ok else ui.styled("FAIL", "red", "bold")
            ui.line(f"{word}  {check.name:<18} {ui.styled(check.why)}")
            if check.fix and not check.ok:
                ui.line(f"{'':24} fix: {ui.styled(check.fix)}")
    if failed:
        names = ", ".join(check.name for check in failed)
        raise GitmemError(f"not in order: {names}", "" if fix else "`gitmem doctor --fix` mends what can be mended safely")


def _checks(ui: Ui, fix: bool) -> list[Check]:
    """What the checks say; that the store does not even open is one thing that was found."""
    from gitmem.cli.session import opened
    from gitmem.memory.checkup.doctor import Check, doctor
    from gitmem.memory.syncing.reopening import make_way

    try:
        if fix:
            make_way(Path.cwd())
        with opened(ui, reopen=fix) as memory:
            return doctor(memory.context, fix=fix)
    except NoStore:
        raise
    except GitmemError as error:
        if fix:
            raise
        return [Check("store", False, error.message, error.hint)]
