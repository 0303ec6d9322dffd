"""Entries of the audit log, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.memory.auditing.audit import LogEntry
    from gitmem.memory.context import Context


def headlines(context: Context, entries: Iterable[LogEntry]) -> dict[str, str]:
    """What the records of `entries` are about now, by path; nothing for those that cannot be opened."""
    from gitmem.memory.headline import headline
    from gitmem.memory.showing import those_at_hand

    ids = {entry.object: entry.record for entry in entries if entry.record}
    records = those_at_hand(context, dict.fromkeys(ids.values()))
    found = {path: records[one] for path, one in ids.items() if one in records}
    return {path: headline(context, record.kind, record.fields) for path, record in found.items()}


def show_entries(ui: Ui, entries: list[LogEntry], titles: dict[str, str]) -> None:
    """Write entries: when, who, what, and what it is about."""
    if ui.json:
        ui.data({"entries": entries})
        return
    if not entries:
        ui.note("the log says nothing about this; what was not committed yet is not in it")
        return
    rows = [(_when(entry.time), entry.member, entry.words, titles.get(entry.object, "")) for entry in entries]
    with ui.paged():
        ui.rows(("WHEN (UTC)", "WHO", "WHAT", "ABOUT"), rows)


def show_diffs(ui: Ui, entries: list[LogEntry], diffs: list[list[str]]) -> None:
    """Write entries, each with the lines that it changed below it."""
    if ui.json:
        ui.data({"entries": [asdict(entry) | {"diff": lines} for entry, lines in zip(entries, diffs, strict=True)]})
        return
    colours = {"-": "red", "+": "green", "!": "yellow"}
    with ui.paged():
        for entry, lines in zip(entries, diffs, strict=True):
            ui.line(ui.styled(entry.line, "bold"))
            for line in lines:
                ui.line(f"    {ui.styled(line, colours.get(line[:1], 'dim'))}")


def _when(time: str) -> str:
    return f"{time[:10]} {time[11:16]}"
