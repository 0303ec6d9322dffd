"""`gitmem erase`: take records out for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.redacting import redact_option, tell
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmem.memory.memory import Memory
    from gitmem.memory.privacy.erase import EraseReport


@define(
    "erase",
    examples=[
        ("gitmem erase p-3k7q --dry-run", "what would go, and where copies may remain"),
        ("gitmem erase p-3k7q --basis 'request 4711'", "asks, and says in the log on what grounds"),
        ("gitmem erase --subject 'Bo Lind' --subject bo@example.org --redact", "keeps the lesson, takes out the person"),
        ("gitmem erase --history", "takes all that was erased out of git's history as well"),
    ],
    exits=(*WRITES, 14, 15),
)
@click.argument("ids", metavar="[ID...]", nargs=-1, shell_complete=record_ids)
@click.option(
    "--subject",
    metavar="NAME",
    multiple=True,
    help="Every record that mentions this person; repeat it for each name and address.",
)
@click.option("--redact", is_flag=True, help="With --subject: put a placeholder for the mention, and keep the record.")
@click.option("--history", is_flag=True, help="Rewrite git's history without what was erased; all clones follow.")
@click.option("--basis", metavar="TEXT", help="On what grounds; it stands in the log, in the clear.")
@redact_option
@click.option("--keep-backup", is_flag=True, help="With --history: keep the bundle of the history as it was.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go, and where copies may remain.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def command(ui: Ui, /, ids: tuple[str, ...], **how: Any) -> None:
    """Erase records: at once, and for good.

    Unlike `forget` and `gc` it waits for nobody. The record is gone from HEAD, and from what this clone keeps beside it; at
    their next sync from everybody else's. No old clone, backup or restore brings it back. The log keeps who erased it and
    hashes as evidence. Where copies may remain is listed.

    git's history keeps what it said until an administrator runs this with --history: commits get new names, the remote's
    branch is replaced, and the other clones follow a signed notice at their next sync.
    """
    from gitmem.cli.session import opened

    _check(ids, **how)
    with opened(ui) as memory:
        if how["history"]:
            _history(ui, memory, **how)
        else:
            _records(ui, _erasing(memory, ids, **how), **how)


def _check(ids: tuple[str, ...], **how: Any) -> None:
    """Refuse what does not go together: nobody may lose a record by an option that was taken for something else."""
    if sum(map(bool, (ids, how["subject"], how["history"]))) != 1:
        raise UsageError("say what to erase: records by their ids, --subject or --history", "gitmem erase p-3k7q --dry-run")
    if how["redact"] and not how["subject"]:
        raise UsageError("--redact goes with --subject", "gitmem erase --subject 'Bo Lind' --redact --dry-run")
    if how["keep_backup"] and not how["history"]:
        raise UsageError("--keep-backup goes with --history", "gitmem erase --history --keep-backup --dry-run")
    if how["history"] and how["basis"] is not None:
        raise UsageError("--history takes no --basis", "it is given where records are erased: gitmem erase p-3k7q --basis TEXT")


def _erasing(memory: Memory, ids: tuple[str, ...], **how: Any) -> Callable[[bool], EraseReport]:
    """The erasure that is asked for; called with whether it is a dry run."""
    from gitmem.memory.privacy.erase import erase
    from gitmem.memory.privacy.erase_subject import erase_subject

    if how["subject"]:
        return lambda dry: erase_subject(memory.context, how["subject"], redact=how["redact"], basis=how["basis"], dry_run=dry)
    return lambda dry: erase(memory.context, ids, basis=how["basis"], dry_run=dry)


def _records(ui: Ui, erasing: Callable[[bool], EraseReport], **how: Any) -> None:
    from gitmem.cli.erasing import described, show_erased
    from gitmem.cli.sure import sure
    from gitmem.core.nearest import counted

    report = erasing(True)
    what = f"{'redact' if how['redact'] else 'erase'} {counted(len(report.erased), 'record')} for good"
    done = not how["dry_run"] and bool(report.erased) and sure(ui, what, yes=how["yes"], about=described(report))
    if done:
        report = erasing(False)
    if not ui.json:
        tell(ui, report.redacted)
    if ui.json:
        ui.data(report)
    elif done or how["dry_run"] or not report.erased:
        show_erased(ui, report)
    else:
        ui.note("nothing was changed")


def _history(ui: Ui, memory: Memory, **how: Any) -> None:
    from gitmem.cli.erasing import rewriting, show_history
    from gitmem.cli.sure import sure
    from gitmem.memory.privacy.erase_history import erase_history

    report = erase_history(memory.context, dry_run=True)
    done = not how["dry_run"] and report.versions > 0 and sure(ui, f"take {rewriting(report)}", yes=how["yes"])
    if done or not (how["dry_run"] or report.versions):  # one that was cut short may not be shared yet
        report = erase_history(memory.context, keep_backup=how["keep_backup"])
    if ui.json:
        ui.data(report)
    elif done or how["dry_run"]:
        show_history(ui, report)
    else:
        ui.note("nothing was changed" if report.versions else "git's history holds nothing of what was erased")
