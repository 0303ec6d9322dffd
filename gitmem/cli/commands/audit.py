"""`gitmem audit`: the signed log of everything that was ever changed."""

from __future__ import annotations

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS
from gitmem.cli.inputs import clean
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import Tampered


@click.group("audit", cls=Group)
def command() -> None:
    """Read and check the signed log of every change."""


@define(
    "log",
    examples=[
        ("gitmem audit log", ""),
        ("gitmem audit log --member ada --since 2026-11-20", ""),
        ("gitmem audit log --op enrol --json", "who let whom in"),
    ],
    exits=(10, 15),
)
@click.option("--member", metavar="NAME", help="Only what this member did.")
@click.option("--op", metavar="OP", help="Only changes of this sort: learn, edit, use, forget, merge, enrol, key …")
@click.option("--since", metavar="TIME", help="From this UTC time or day on, such as 2026-11-20.")
@click.option("--until", metavar="TIME", help="Up to this UTC time or day.")
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="At most so many entries.")
@pass_ui
def audit_log(ui: Ui, /, limit: int, **filters: str | None) -> None:
    """Show every logged change in words, newest first: records, members, keys and settings.

    It needs no key and checks no signature: `gitmem audit verify` does.
    """
    from gitmem.cli.logs import show_entries
    from gitmem.cli.session import opened
    from gitmem.memory.audit import log

    wanted = {name: clean(value) if value else None for name, value in filters.items()}
    with opened(ui) as memory:
        entries = log(memory.context.store.root, limit=limit, **wanted)
    show_entries(ui, entries, {})


@define(
    "verify",
    examples=[
        ("gitmem audit verify", "offline, and without a key"),
        ("gitmem audit verify --json | jq .problems", "for a program"),
    ],
    exits=(*READS, 15),
)
@pass_ui
def verify(ui: Ui) -> None:
    """Check that nothing was changed, dropped, forged or rolled back.

    Signatures, the chain of each writer, and every changed file of the history against the entry that vouches for it.
    """
    from gitmem.cli.present import counted
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        report = memory.verify()
    if ui.json:
        ui.data(report)
    else:
        for problem in report.problems:
            ui.line(ui.styled(f"{problem.what}: {problem.where}: {problem.why}", "red"))
        for note in report.notes:
            ui.note(f"note: {note}")
        if report.ok:
            entries = "one entry" if report.entries == 1 else f"{report.entries:,} entries"
            ui.line(f"ok: {entries} by {counted(report.writers, 'writer')} vouch for every change")
    if not report.ok:
        found = counted(len(report.problems), "problem")
        raise Tampered(
            f"the audit log and the data do not agree: {found}",
            "`gitmem audit log` shows who wrote what; ask them before you sync",
        )


@define(
    "pin",
    examples=[
        ("gitmem audit pin", "one line to give to somebody who makes a clone"),
        ("gitmem audit pin --take LINE", "hold this clone against what somebody else knew of the store"),
    ],
    exits=(10, 15),
)
@click.option("--take", metavar="PIN", help="Keep a pin; every sync and verification names what is missing of it.")
@pass_ui
def pin(ui: Ui, take: str | None) -> None:
    """Print how far the log has come, so that others can tell when it has lost something; or take such a line.

    A pin names the key of the store's founder and the ends of chains. It holds no secret, but it must come from somebody you
    trust, and not by way of the repository itself.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.pins import check_against, parse_pin, pin_of, take_pin

    with opened(ui) as memory:
        made = pin_of(memory.context) if take is None else parse_pin(clean(take))
        lost = check_against(memory.context, made) if take is not None else []
        if take is not None:
            take_pin(memory.context, made)
    if ui.json:
        ui.data({"pin": made.text(), "problems": lost})
    elif take is None:
        ui.line(made.text())
    for problem in lost if not ui.json else ():
        ui.line(ui.styled(f"{problem.what}: {problem.where}: {problem.why}", "red"))
    if lost:
        raise Tampered(
            "this clone lacks what the pin names", "`gitmem sync`, then `gitmem audit verify`; else ask who gave you the URL"
        )


command.add_command(audit_log)
command.add_command(pin)
command.add_command(verify)
