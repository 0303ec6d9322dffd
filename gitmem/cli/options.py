"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gitmem.cli.complete import scopes

ONLY = "Only records of this scope."


def scope_option(what: str = ONLY) -> Callable[[Any], Any]:
    """`--scope`: the part of the store that a command reads or writes."""
    return click.option("--scope", metavar="SCOPE", shell_complete=scopes, help=what)
