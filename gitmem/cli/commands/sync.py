"""`gitmem sync`: share what was learned, take in what the team learned."""

from __future__ import annotations

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import ConflictsLeft


@define(
    "sync",
    examples=[
        ("gitmem sync", ""),
        ("gitmem sync --json", "how much went each way"),
        ("gitmem sync || test $? = 3", "in a script: conflicts wait for a person, all else is done"),
    ],
    exits=(3, *WRITES, 14),
)
@pass_ui
def command(ui: Ui) -> None:
    """Commit what was recorded, merge what the team has, and push.

    Counters add up and edits of different fields both stand. Where two people changed the same field, both values are kept,
    and the exit code is 3.
    """
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        report = memory.sync()
    if ui.json:
        ui.data(report)
    else:
        ui.line(f"pushed {report.pushed}, pulled {report.pulled}, merged {report.merged}, conflicts {report.conflicts}")
        for problem in report.problems:
            ui.warn(problem)
        if not report.attempts:
            ui.note("there is no remote yet; everything is committed here: git remote add origin URL")
    if report.conflicts:
        have = "one record has" if report.conflicts == 1 else f"{report.conflicts:,} records have"
        raise ConflictsLeft(f"{have} concurrent values; everything else is in sync", "`gitmem conflicts` shows them")
