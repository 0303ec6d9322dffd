"""What `member remove` and `scope revoke` tell: what was done, and what the leaver takes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gitmem.cli.ui import Ui
from gitmem.core.nearest import counted

if TYPE_CHECKING:
    from gitmem.memory.members.granting import Revoked
    from gitmem.memory.members.removal import Removed


def tell(ui: Ui, found: Removed | Revoked, would: str, did: str, *, asked: bool) -> None:
    """Say what was done (`did`), or what a dry run `would` do, with what is left to do; that nothing was, where it was `asked`
    about and declined."""
    if found.dry_run and asked:
        ui.note("nothing was changed")
        return
    for problem in found.problems:
        ui.warn(problem)
    ui.note(f"would {would}" if found.dry_run else did)
    _tell_secrets(ui, found.secrets)


def _tell_secrets(ui: Ui, secrets: Mapping[str, Sequence[str]]) -> None:
    """Say what must be changed at its source: the fields that hold what looks like a secret, by record, never the values."""
    for record, fields in secrets.items():
        ui.warn(f"{record} holds what looks like a secret ({', '.join(fields)}): change it at its source")
    others = "whatever else" if secrets else "whatever"
    known = f"{counted(len(secrets), 'record')} with secrets; " if secrets else ""
    ui.note(f"{known}change at its source {others} these records open elsewhere: what was read cannot be taken back")
