"""Asking before something is done that takes something away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui


def sure(ui: Ui, what: str, *, yes: bool, about: Iterable[str] = ()) -> bool:
    """Whether to go on with `what` ("prune 3 records"): `yes` says so, else a person is asked, who is shown `about` first.

    Raises UsageError where nobody is there to ask.
    """
    if yes:
        return True
    if not ui.person:
        raise UsageError(f"nobody is there to ask whether to {what}", "say so: --yes; or look first: --dry-run")
    for line in about:
        ui.note(line)
    return ui.confirm(f"{what}?")
