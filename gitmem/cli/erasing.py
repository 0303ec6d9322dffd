"""What an erasure is about, and what came of it, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.memory.privacy.erase import EraseReport
    from gitmem.memory.privacy.erase_history import HistoryReport
    from gitmem.memory.privacy.remains import Remaining


def described(report: EraseReport) -> Iterable[str]:
    """A line for each record that is to be erased."""
    from gitmem.core.nearest import counted

    for one in report.erased:
        where = f" in {', '.join(one.registers)}" if one.registers else ""
        yield f"{one.id} ({one.kind}, {one.scope}): {counted(one.values, 'value')}{where}"


def show_erased(ui: Ui, report: EraseReport) -> None:
    """Write what was erased, and where copies may remain."""
    from gitmem.core.nearest import counted

    if report.erased:
        rows = [(one.id, one.kind, one.scope, one.values, " ".join(one.registers)) for one in report.erased]
        ui.rows(("ERASED", "KIND", "SCOPE", "VALUES", "ONLY"), rows)
    for problem in (*report.problems, *report.notes):
        ui.warn(problem)
    ui.note(f"{'would erase' if report.dry_run else 'erased'} {counted(len(report.erased), 'record')}")
    _remaining(ui, report.remains if report.erased else ())


def show_history(ui: Ui, report: HistoryReport) -> None:
    """Write what was taken out of history, and where copies may remain."""
    for problem in report.problems:
        ui.warn(problem)
    ui.note(f"{'would take' if report.dry_run else 'took'} {rewriting(report)}")
    if report.backup:
        ui.note(f"the history as it was is in {report.backup}: it holds what was erased, remove it soon")
    _remaining(ui, report.remains)


def rewriting(report: HistoryReport) -> str:
    """What `erase --history` is about, in words."""
    from gitmem.core.nearest import counted

    versions = f"{counted(report.versions, 'version')} of {counted(report.records, 'record')}"
    return f"{versions} out of history, which gives {counted(report.commits, 'commit')} a new name"


def _remaining(ui: Ui, places: Iterable[Remaining]) -> None:
    for number, place in enumerate(places):
        if number == 0:
            ui.note("copies may remain:")
        ui.note(f"  {place.what}: {place.where}; {place.until}")
