"""`gitmem sync`: share what was learned, take in what the team learned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, flush, pass_ui
from gitmem.errors import ConflictsLeft, GitmemError, UsageError

if TYPE_CHECKING:
    from gitmem.memory.memory import Memory
    from gitmem.memory.reports import SyncReport


@define(
    "sync",
    examples=[
        ("gitmem sync", ""),
        ("gitmem sync --json", "how much went each way"),
        ("gitmem sync || test $? = 3", "in a script: conflicts wait for a person, all else is done"),
        ("gitmem sync --watch", "keep this clone fresh until Ctrl-C"),
        ("gitmem sync --watch --every 300 --json >>sync.log", "one JSON document for each sync that moved something"),
    ],
    exits=(3, *WRITES, 14),
)
@click.option("--watch", is_flag=True, help="Go on syncing: after each write here, and now and then.")
@click.option(
    "--every",
    type=click.FloatRange(min=1, max=86400),
    metavar="SECONDS",
    help="With --watch: how long to wait when nothing happens here (about 60).",
)
@pass_ui
def command(ui: Ui, watch: bool, every: float | None) -> None:
    """Commit what was recorded, merge what the team has, and push.

    Counters add up and edits of different fields both stand. Where two people changed the same field, both values are kept,
    and the exit code is 3.

    With --watch it goes on until Ctrl-C or SIGTERM, which end it with 0. A remote that does not answer is tried again after
    growing pauses; a line is written for each sync that moved something.
    """
    from gitmem.cli.session import opened

    if every is not None and not watch:
        raise UsageError("--every goes with --watch", "gitmem sync --watch --every 300")
    with opened(ui, quietly=watch, reopen=True) as memory:
        if watch:
            _keep_fresh(ui, memory, every or 60.0)
            return
        report = memory.sync()
    _show(ui, report)  # the progress has taken its line away by now
    if report.conflicts:
        raise ConflictsLeft(f"{_conflicted(report.conflicts)}; everything else is in sync", "`gitmem conflicts` shows them")


def _show(ui: Ui, report: SyncReport) -> None:
    if ui.json:
        ui.data(report)
        return
    ui.line(_moved(report))
    _tell(ui, report)
    if report.remote is None:
        ui.note("there is no remote yet; everything is committed here: git remote add origin URL")


def _keep_fresh(ui: Ui, memory: Memory, every: float) -> None:
    """Sync until somebody ends it. What is cut short by that is finished by the next sync, as after any other end."""
    from gitmem.cli import interrupt

    interrupt.also_terminate()
    ui.note("watching; Ctrl-C ends it")
    try:
        for outcome in memory.watch(every):
            if isinstance(outcome, GitmemError):
                _complain(ui, outcome)
            else:
                _show_line(ui, outcome)
            flush()
    except KeyboardInterrupt:
        interrupt.ignore()
        ui.note("stopped")


def _show_line(ui: Ui, report: SyncReport) -> None:
    if ui.json:
        ui.line(ui.dumps(report))
        return
    ui.line(f"{time.strftime('%H:%M:%S')} {_moved(report)}")
    _tell(ui, report)
    if report.conflicts:
        ui.warn(f"{_conflicted(report.conflicts)}: `gitmem conflicts` shows them")


def _complain(ui: Ui, error: GitmemError) -> None:
    """A sync failed, and the watch goes on."""
    from gitmem.cli.failure import report

    report(error, ui)
    if not ui.json:
        ui.note("still watching: it is tried again, with growing pauses while a remote does not answer")


def _tell(ui: Ui, report: SyncReport) -> None:
    for problem in report.problems:
        ui.warn(problem)
    for note in report.notes:
        ui.note(note)


def _moved(report: SyncReport) -> str:
    return f"pushed {report.pushed}, pulled {report.pulled}, merged {report.merged}, conflicts {report.conflicts}"


def _conflicted(count: int) -> str:
    have = "one record has" if count == 1 else f"{count:,} records have"
    return f"{have} concurrent values"
