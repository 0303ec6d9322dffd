"""Redaction in the commands that write: the option that keeps what was typed, and saying what was replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.ui import Ui

if TYPE_CHECKING:
    from gitmem.memory.results import Redaction


def redact_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--no-redact`, which the Ui takes note of."""
    words = "Record secrets and personal data as they are."
    return click.option("--no-redact", is_flag=True, expose_value=False, callback=_note, help=words)(function)


def tell(ui: Ui, found: Iterable[Redaction]) -> None:
    """Say what was replaced, never what it was."""
    from gitmem.memory.privacy.redaction import in_words

    if words := in_words(found):
        ui.note(f"redacted: {words} (kept with --no-redact)")


def as_json(found: Iterable[Redaction]) -> list[dict[str, Any]]:
    """The field `redacted` of an answer."""
    return [asdict(one) for one in found]


def _note(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ui = ctx.find_object(Ui)
    if ui is not None:
        ui.redact = not value
