"""`gitmem verify`: whether what commits bring may stand in the store; without a key, as in CI and at a git host, or with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.ui import Ui, pass_ui
from gitmem.core.nearest import counted
from gitmem.errors import InvalidRecord, Tampered

if TYPE_CHECKING:
    from gitmem.memory.auditing.keyless import KeylessReport


@define(
    "verify",
    examples=[
        ("gitmem verify --keyless", "in CI: all that HEAD reaches"),
        ("gitmem verify --keyless --since origin/main", "only what a branch brings"),
        ('gitmem verify --keyless --since "$old" "$new"', "in a host's pre-receive hook"),
        ("gitmem verify", "with your key: every value is opened as well"),
    ],
    exits=(10, 12, 13, 15),
)
@click.argument("commit", default="HEAD")
@click.option("--keyless", is_flag=True, help="Only what shows without a key; also in a bare repository.")
@click.option("--since", metavar="COMMIT", help="Only files that came after this commit; the log is verified whole.")
@pass_ui
def command(ui: Ui, /, commit: str, keyless: bool, since: str | None) -> None:
    """Check the files that commits bring, and the audit log.

    Every file must be canonical and in its place, every change signed by a member. In a sealed store no value may stand in the
    clear, and each must be of an epoch the store has. Without --keyless every value at COMMIT is opened, too.
    """
    from gitmem.memory.auditing.keyless import check_stores

    found = check_stores(".", commit, since)
    unopened = [] if keyless else _unopened(ui, commit)
    _show(ui, found, unopened)
    _raise(found, unopened)


def _unopened(ui: Ui, commit: str) -> list[dict[str, str]]:
    from dataclasses import asdict

    from gitmem.cli.session import opened
    from gitmem.memory.unopened import unopened

    with opened(ui) as memory:
        return [asdict(problem) for problem in unopened(memory.context, commit)]


def _show(ui: Ui, found: Sequence[KeylessReport], unopened: list[dict[str, str]]) -> None:
    from dataclasses import asdict

    problems = [asdict(problem) for report in found for problem in (*report.problems, *report.audit.problems)] + unopened
    commits, files = (sum(numbers) for numbers in zip(*((report.commits, report.files) for report in found), strict=True))
    notes = [note for report in found for note in report.notes]
    if ui.json:
        ui.data({"ok": not problems, "commits": commits, "files": files, "problems": problems, "notes": notes})
        return
    for problem in problems:
        ui.line(ui.styled(f"{problem['what']}: {problem['where']}: {problem['why']}", "red"))
    for note in notes:
        ui.note(f"note: {note}")
    if not problems:
        ui.line(f"ok: {counted(files, 'file')} in {counted(commits, 'commit')} may stand in the store")


def _raise(found: Sequence[KeylessReport], unopened: list[dict[str, str]]) -> None:
    hint = "do not merge this; `gitmem audit log` shows who wrote what"
    tampered = sum(len(report.audit.problems) for report in found) + len(unopened)
    if tampered:
        raise Tampered(f"the audit log and the data do not agree: {counted(tampered, 'problem')}", hint)
    if invalid := sum(len(report.problems) for report in found):
        raise InvalidRecord(f"{counted(invalid, 'file')} may not stand in this store", hint)
