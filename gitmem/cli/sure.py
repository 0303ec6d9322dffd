"""Asking before something is done that takes something away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui


def sure(ui: Ui, what: str, *, yes: bool) -> bool:
    """Whether to go on with `what` ("prune 3 records"). Raises UsageError where it was not said and nobody is there to ask."""
    if yes:
        return True
    if not ui.person:
        raise UsageError(f"nobody is there to ask whether to {what}", "say so: --yes; or look first: --dry-run")
    return ui.confirm(f"{what}?")
