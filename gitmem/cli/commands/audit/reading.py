"""`gitmem audit log`, `show` and `export`: what the log says, to a person, a program or a third party."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import define
from gitmem.cli.inputs import clean
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.auditing.log import LogEntry
    from gitmem.memory.auditing.show import Shown


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose entries."""
    options = (
        click.option("--member", metavar="NAME", help="Only what this member did."),
        click.option("--agent", metavar="NAME", help="Only what this agent did: a member, a replica, or scope agents/NAME."),
        click.option("--op", metavar="OP", help="Only changes of this sort: learn, edit, use, forget, merge, enrol, key …"),
        click.option("--record", metavar="ID", help="Only changes of this record; any unique beginning of its id."),
        click.option("--kind", metavar="KIND", help="Only changes of records of this kind."),
        click.option("--since", metavar="TIME", help="From this day or time on (UTC, or with an offset), such as 2026-11-20."),
        click.option("--until", metavar="TIME", help="Up to this day or time."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _wanted(filters: dict[str, str | None]) -> dict[str, str | None]:
    wanted = {name: None if value is None else clean(value) for name, value in filters.items()}
    return {"target" if name == "record" else name: value for name, value in wanted.items()}


def _one_record(entries: list[LogEntry], record: str | None) -> None:
    """Raise UsageError where the beginning of an id fits several records: one is meant."""
    several = sorted({entry.record for entry in entries if entry.record})
    if record is not None and len(several) > 1:
        raise UsageError(f"{record!r} is the beginning of {len(several)} ids: {', '.join(several[:3])}", "give more of it")


@define(
    "log",
    examples=[
        ("gitmem audit log", ""),
        ("gitmem audit log --member ada --since 2026-11-20", ""),
        ("gitmem audit log --record p-3k7q --diff", "what became of its values, for who has the key"),
        ("gitmem audit log --op enrol --json", "who let whom in"),
    ],
    exits=(10, 15),
)
@_filters
@click.option("--diff", is_flag=True, help="Show how the values of records changed.")
@click.option("--acts", is_flag=True, help="Show what changed nothing instead: reads, refusals, exports, keys put to use.")
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="At most so many entries.")
@pass_ui
def audit_log(ui: Ui, /, limit: int, diff: bool, acts: bool, **filters: str | None) -> None:
    """Show every logged change in words, newest first: records, members, keys and settings.

    Only --diff and --acts need a key. It checks no signature: `gitmem audit verify` does. Acts appear once a commit holds
    them; equal ones of one day are shown as one, with their number.
    """
    from gitmem.cli.logs import show_diffs, show_entries
    from gitmem.cli.session import opened
    from gitmem.memory.auditing.asked import check_asked
    from gitmem.memory.auditing.changes import entry_diffs
    from gitmem.memory.auditing.log import log
    from gitmem.memory.auditing.told import told_acts

    with opened(ui) as memory:
        wanted = _wanted(filters)
        entries = told_acts(memory.context, **wanted)[:limit] if acts else log(memory.context.store.root, limit=limit, **wanted)
        check_asked(memory.context, entries, acts=acts, **wanted)
        _one_record(entries, filters["record"])
        diffs = entry_diffs(memory.context, entries) if diff else []
    if diff:
        show_diffs(ui, entries, diffs)
    else:
        show_entries(ui, entries, {})


@define(
    "show",
    examples=[
        ("gitmem audit show k3v9q2xa-1:12", "the twelfth entry of a writer"),
        ("gitmem audit show 5d41402abc4b --json", "by its hash, with the proof that a checkpoint covers it"),
    ],
    exits=(10, 15),
)
@click.argument("entry", metavar="WRITER:SEQ|HASH")
@pass_ui
def show(ui: Ui, entry: str) -> None:
    """Show one entry of the log whole: every field, its signature, and the entries beside it."""
    from gitmem.cli.session import opened
    from gitmem.memory.auditing.show import show as show_entry

    with opened(ui) as memory:
        found = show_entry(memory.context, clean(entry))
    if ui.json:
        ui.data(found)
    else:
        _write(ui, found)


def _write(ui: Ui, found: Shown) -> None:
    from gitmem.cli.present import as_text, labelled

    with ui.paged():
        ui.line(ui.styled(found.words, "bold"))
        for name, value in found.entry.items():
            labelled(ui, name, "" if value is None else as_text(value))
        labelled(ui, "signature", f"{found.signature}, by {found.key}")
        labelled(ui, "file", f"{found.file}:{found.line}")
        for name, entry in (("previous", found.before), ("next", found.after)):
            labelled(ui, name, f"{entry.writer}:{entry.seq}  {entry.line}" if entry else "none")
        proof = f"{len(found.proof.path)} hashes lead to {found.proof.checkpoint}" if found.proof else "none covers it yet"
        labelled(ui, "checkpoint", proof)


@define(
    "export",
    examples=[
        ("gitmem audit export --since 2026-11-01 > november.jsonl", ""),
        ("gitmem audit export --format csv --member ada", "for a spreadsheet"),
        ("gitmem audit export --proof evidence", "a directory that anybody can check without gitmem, key or network"),
    ],
    exits=(10, 12, 15),
)
@_filters
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="How to write.")
@click.option(
    "--proof", metavar="DIR|FILE.tar.gz", type=click.Path(path_type=Path), help="Write a proof of the whole log there."
)
@pass_ui
def export(ui: Ui, /, form: str, proof: Path | None, **filters: str | None) -> None:
    """Write the log for other programs, oldest entry first, or as a proof for a third party.

    A proof holds all segments as they were signed, a statement of where each chain ends, and a small program that checks them
    with nothing but Python's standard library and `ssh-keygen`. It holds no value of any record in the clear.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.auditing import acts
    from gitmem.memory.auditing.asked import check_asked
    from gitmem.memory.auditing.log import log
    from gitmem.memory.auditing.proof import write_proof

    if proof is not None and any(value is not None for value in filters.values()):
        raise UsageError("a proof holds the whole log", "leave the filters out, or export without --proof")
    with opened(ui) as memory:
        if proof is not None:
            names = write_proof(memory.context, proof)
            ui.data({"path": str(proof), "files": names}) if ui.json else ui.note(f"{len(names)} files are in {proof}")
            return
        wanted = _wanted(filters)
        entries = log(memory.context.store.root, limit=None, **wanted)
        check_asked(memory.context, entries, acts=False, **wanted)
        _one_record(entries, filters["record"])
        acts.note(memory.context, acts.EXPORT, [f"audit.{form}"])
    entries.reverse()
    if form == "csv":
        _write_rows(ui, entries)
    else:
        for entry in entries:
            ui.line(ui.dumps(entry))


def _write_rows(ui: Ui, entries: list[LogEntry]) -> None:
    import csv
    import io

    names = ("time", "member", "op", "object", "record", "kind", "scope", "writer", "seq", "hash", "before", "after", "words")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(getattr(entry, name)) for name in names] for entry in entries)
    ui.line(text.getvalue().rstrip("\n"))


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
