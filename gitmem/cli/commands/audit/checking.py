"""`gitmem audit verify`, `pin` and `witness`: whether the log and the data are what they were."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.inputs import clean
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import InvalidRecord, NoKey, NoStore, Tampered

if TYPE_CHECKING:
    from gitmem.core.auditing.audit import Problem
    from gitmem.memory.auditing.audit import AuditReport


@define(
    "verify",
    examples=[
        ("gitmem audit verify", "offline, and without a key"),
        ("gitmem audit verify --full", "also what was verified here before"),
        ("gitmem audit verify --json | jq .problems", "for a program"),
    ],
    exits=(*READS, 15),
)
@click.option("--full", is_flag=True, help="Look at everything again, not only at what came since the last time.")
@click.option(
    "--witness",
    "witnesses",
    metavar="FILE",
    multiple=True,
    help="Also check that all is there which this witness statement says was; repeatable.",
)
@pass_ui
def verify(ui: Ui, full: bool, witnesses: tuple[str, ...]) -> None:
    """Check that nothing was changed, dropped, forged or rolled back.

    Signatures, the chain of each writer, and every changed file of the history against the entry that vouches for it.
    """
    from gitmem.cli.inputs import read_file
    from gitmem.core.nearest import counted

    report = _verdict(ui, full, [read_file(witness) for witness in witnesses])
    if ui.json:
        ui.data(report)
    else:
        _say(ui, report.problems)
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


def _verdict(ui: Ui, full: bool, statements: list[bytes]) -> AuditReport:
    """The report; for a store that does not open, too, where that is the work of whoever is to be found out."""
    from gitmem.cli.session import opened
    from gitmem.memory.auditing.closed import verify_closed
    from gitmem.memory.auditing.verifying import against_witness

    try:
        with opened(ui) as memory:
            report = memory.verify(full=full)
            for statement in statements:
                report = against_witness(memory.context, report, statement)
            return report
    except (NoStore, InvalidRecord):
        if (found := verify_closed(Path())) is None:
            raise
        return found


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
    from gitmem.memory.auditing.pins import check_against, parse_pin, pin_of, take_pin

    with opened(ui) as memory:
        made = pin_of(memory.context) if take is None else parse_pin(clean(take))
        lost = check_against(memory.context, made) if take is not None else []
        if take is not None:
            take_pin(memory.context, made)
    if ui.json:
        ui.data({"pin": made.text(), "problems": lost})
    elif take is None:
        ui.line(made.text())
    if not ui.json:
        _say(ui, lost)
    if lost:
        raise Tampered(
            "this clone lacks what the pin names", "`gitmem sync`, then `gitmem audit verify`; else ask who gave you the URL"
        )


@define(
    "witness",
    examples=[
        ("gitmem audit witness > seen.jsonl", "keep it where whoever hosts the store cannot change it"),
        ("gitmem audit witness --key ~/.ssh/id_ed25519", "signed by somebody who is no member, such as a CI job"),
        ("gitmem audit witness --remote mirror", "a second remote that only goes forward is a witness, too"),
    ],
    exits=(10, 12, 14, 15),
)
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="Sign with this Ed25519 SSH key.")
@click.option("--remote", metavar="NAME", help="Hold the store against what this remote saw, and push what is here now.")
@pass_ui
def witness(ui: Ui, key: Path | None, remote: str | None) -> None:
    """Sign for how far the log has come, so that a rollback of everything can be shown later.

    Print a statement for `gitmem audit verify --witness FILE`, or with --remote leave HEAD there under a ref of its own.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.auditing.witness import push_to, state

    with opened(ui) as memory:
        if remote is None:
            try:
                ui.line(state(memory.context, key).decode().rstrip("\n"))
            except NoKey as error:
                raise NoKey(error.message, "who is no member signs with an SSH key: gitmem audit witness --key FILE") from error
            return
        done = push_to(memory.context, clean(remote))
    if ui.json:
        ui.data(done)
    else:
        _say(ui, done.problems)
    if done.problems:
        raise Tampered(f"the store lacks what {remote} has seen", "`gitmem audit verify` tells more; nothing was pushed there")
    for note in done.notes:
        ui.warn(note)
    ui.note(f"{remote} has seen all that is here, as {done.ref}")


def _say(ui: Ui, problems: Iterable[Problem]) -> None:
    for problem in problems:
        ui.line(ui.styled(f"{problem.what}: {problem.where}: {problem.why}", "red"))
