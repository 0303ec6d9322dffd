"""`gitmem status`: how the store stands on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from gitmem.memory.reports import Status


@define(
    "status",
    examples=[
        ("gitmem status", ""),
        ("gitmem status --json | jq .pending", "how many records wait for a commit"),
    ],
    exits=READS,
)
@pass_ui
def command(ui: Ui) -> None:
    """Show the store: who you are in it, what waits for a commit, a sync or a person."""
    from gitmem.cli.present import labelled
    from gitmem.cli.session import opened

    with opened(ui) as memory:
        status = memory.status()
    if ui.json:
        ui.data(status)
        return
    ui.line(f"{ui.styled(status.root, 'bold')}  {status.store}{'  (plain: nothing is encrypted)' if status.plain else ''}")
    labelled(ui, "member", status.member or "not enrolled yet: `gitmem join` makes a request")
    labelled(ui, "records", _records(status))
    labelled(ui, "pending", f"{status.pending:,} to commit" if status.pending else "nothing to commit")
    labelled(ui, "conflicts", _conflicts(status.conflicts))
    labelled(ui, "branch", status.branch or "none: HEAD is detached")
    labelled(ui, "remote", _remote(status.remote, status.ahead, status.behind))
    sealed = {*status.sealed_scopes}
    labelled(ui, "scopes", ", ".join(f"{name} (sealed: no key)" if name in sealed else name for name in status.scopes))
    labelled(ui, "replica", status.replica)


def _records(status: Status) -> str:
    if status.records is None:
        return "unknown: no key of yours opens the store"
    return f"{status.records:,}{f', {status.sealed:,} of them sealed' if status.sealed else ''}"


def _conflicts(count: int | None) -> str:
    if count is None:
        return "unknown"
    return f"{count:,}: `gitmem conflicts`" if count else "none"


def _remote(remote: str | None, ahead: int, behind: int) -> str:
    from gitmem.core.nearest import counted

    if remote is None:
        return "none: git remote add origin URL"
    drift = [f"{counted(ahead, 'commit')} to push" if ahead else "", f"{behind:,} to take in" if behind else ""]
    words = ", ".join(filter(None, drift))
    return f"{remote}: {words}; `gitmem sync`" if words else f"{remote}: as of the last sync, nothing to do"
