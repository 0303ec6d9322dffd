"""`gitmem resolve`: settle concurrent values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.inputs import assignments, clean
from gitmem.cli.redacting import as_json, redact_option, tell
from gitmem.cli.text import one_line
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError, UsageError

if TYPE_CHECKING:
    from gitmem.memory.memory import Memory
    from gitmem.memory.results import Record


@define(
    "resolve",
    examples=[
        ("gitmem resolve p-3k7q", "asks which value is right"),
        ("gitmem resolve p-3k7q fix --pick k3v9q2ab-1.4", "takes the value that `gitmem conflicts` shows with this dot"),
        ("gitmem resolve p-3k7q fix --value 'Restart the agent'", "takes neither"),
        ("gitmem resolve p-3k7q --keep", "one deleted it, another edited it: it stands"),
    ],
    exits=WRITES,
)
@click.argument("id", shell_complete=record_ids)
@click.argument("field", required=False)
@click.option("--pick", metavar="DOT", help="Take the value written as DOT.")
@click.option("--value", metavar="VALUE", help="Take this value instead (JSON for what is no text).")
@click.option(
    "--keep/--forget", default=None, help="A record that one person deleted while another edited it: it stands, or it goes."
)
@redact_option
@pass_ui
def command(ui: Ui, /, id: str, field: str | None, keep: bool | None, **answers: str | None) -> None:  # noqa: A002
    """Settle what two people changed at once.

    FIELD may be left out where only one is in conflict. Without an option a person is asked.
    """
    from gitmem.cli.session import opened

    if sum(answer is not None for answer in (keep, *answers.values())) > 1:
        raise UsageError("these are several answers", "give one of --pick, --value, --keep and --forget")
    with opened(ui) as memory:
        record = memory.get(id)
        if keep is not None or (record.contested and not record.conflicts):
            what, settled = "the deletion", _settled(ui, memory, record, keep)
        else:
            what = _field(record, clean(field) if field is not None else None)
            choice = _given(memory, record, what, answers) or {"pick": _asked(ui, record, what)}
            settled = memory.resolve(record.id, what, **choice)
    if ui.json:
        ui.data(settled.as_json() | {"redacted": as_json(settled.redacted)})
        return
    tell(ui, settled.redacted)
    left = f"; still in conflict: {', '.join(settled.conflicts)}" if settled.conflicts else ""
    ui.note(f"settled {what} of {settled.id}{left}")


def _settled(ui: Ui, memory: Memory, record: Record, keep: bool | None) -> Record:
    """The record after its contested deletion was settled."""
    if not record.contested:
        raise GitmemError(f"nobody's deletion of {record.id} waits for a choice", "`gitmem conflicts` lists what does")
    if keep is None:
        if not ui.person:
            raise UsageError("nobody is there to ask whether it stands", "say so: --keep or --forget")
        keep = ui.confirm(f"{record.id} was deleted by one and edited by another. Does it stand?")
    return memory.keep(record.id) if keep else memory.forget(record.id)


def _field(record: Record, field: str | None) -> str:
    names = ", ".join(record.conflicts)
    if not record.conflicts:
        raise GitmemError(f"{record.id} has nothing in conflict", "`gitmem conflicts` lists what has")
    if field is None and len(record.conflicts) > 1:
        raise UsageError(
            f"several fields of {record.id} are in conflict: {names}", f"name one: gitmem resolve {record.id} FIELD"
        )
    if field is not None and field not in record.conflicts:
        raise UsageError(f"{one_line(field)!r} of {record.id} is not in conflict", f"in conflict: {names}")
    return field or next(iter(record.conflicts))


def _given(memory: Memory, record: Record, name: str, answers: dict[str, str | None]) -> dict[str, Any]:
    """The choice that the options make, if they do."""
    pick, value = answers["pick"], answers["value"]
    if pick is not None:
        return {"pick": clean(pick)}
    if value is None:
        return {}
    from gitmem.memory.context import kind_of

    return {"value": assignments([f"{name}={value}"], kind_of(memory.context, record))[name]}


def _asked(ui: Ui, record: Record, name: str) -> str:
    from gitmem.cli.present import as_text

    if not ui.person:
        raise UsageError("nobody is there to ask which value is right", "say so: --pick DOT or --value VALUE")
    values = record.conflicts[name]
    ui.note(f"{record.id}: {name}")
    for number, value in enumerate(values, 1):
        by = f"{value.by}, {value.at}" if value.by else "not committed yet"
        ui.note(f"  {number}  ({by})\n     " + as_text(value.value).rstrip().replace("\n", "\n     "))
    return values[ui.choose("which one is right", len(values)) - 1].dot
