"""`gitmem match`: what fixed this error before?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.exits import READS
from gitmem.cli.inputs import TEXT_LIMIT, clean, read_text
from gitmem.cli.options import scope_option
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.context import Context
    from gitmem.memory.results import Match

_SHOWN_FIRST = ("meaning", "fix", "commands")


@define(
    "match",
    examples=[
        ("cargo build 2>&1 | gitmem match", "pipe the output of what failed"),
        ("gitmem match 'fatal: The current branch main has no upstream branch.'", ""),
        ("gitmem match --json --context tool=git < build.log", "for a program"),
    ],
    exits=READS,
)
@click.argument("text", nargs=-1)
@click.option("--limit", "-n", type=click.IntRange(1, 1000), default=5, show_default=True, help="At most so many answers.")
@click.option("--context", "details", multiple=True, metavar="KEY=VALUE", help="Where it happened: tool=git, os=debian.")
@scope_option()
@pass_ui
def command(ui: Ui, text: tuple[str, ...], limit: int, details: tuple[str, ...], scope: str | None) -> None:
    """Find the fix that worked for an error.

    TEXT is the error as it was printed, a line or a whole log; without it, or with -, standard input is read. The answer that
    worked most often comes first, with the reasons why it is one. What is not known gets an empty answer.
    """
    from gitmem.cli.session import opened

    where = _details(details)
    error = _error_text(ui, text)
    with opened(ui) as memory:
        matches = memory.match(error, limit, where, scope)
        if ui.json:
            ui.data({"matches": matches})
        elif matches:
            _show(ui, memory.context, matches)
        else:
            ui.note("nothing is known about this; once it is fixed: gitmem learn --pattern '…' --fix '…'")


def _error_text(ui: Ui, words: tuple[str, ...]) -> str:
    if words and words != ("-",):
        return clean(" ".join(words))
    if not words and sys.stdin.isatty():
        raise UsageError("there is no error text to look for", "pipe it in: cargo build 2>&1 | gitmem match")
    text, dropped = read_text()
    if dropped:
        ui.warn(f"the input has more than {TEXT_LIMIT >> 20} MiB: {dropped:,} bytes in its middle were not looked at")
    return text


def _details(words: tuple[str, ...]) -> dict[str, str]:
    pairs = [clean(word).partition("=") for word in words]
    if not all(name and equals for name, equals, _ in pairs):
        raise UsageError("--context needs KEY=VALUE", "such as --context tool=git")
    return {name: value for name, _, value in pairs}


def _show(ui: Ui, context: Context, matches: list[Match]) -> None:
    """The best answer in full, the others by their headlines."""
    from gitmem.memory.headline import headline

    best = matches[0]
    ui.line(ui.styled(headline(context, best.kind, best.fields), "bold"))
    _show_fields(ui, best)
    ui.line()
    ui.line(f"  {ui.styled(f'gitmem used {best.id} --fixed', 'green')}   (or --failed)")
    if matches[1:]:
        ui.line()
        ui.line(ui.styled("other answers", "dim"))
    for match in matches[1:]:
        tried = match.usage.fixed + match.usage.failed
        worked = f"{match.usage.fixed}/{tried}" if tried else "-"
        disputed = ui.styled("  (disputed)", "yellow") if match.conflicts else ""
        ui.line(f"  {match.id}  {worked:>5}  {ui.styled(headline(context, match.kind, match.fields))}{disputed}")


def _show_fields(ui: Ui, best: Match) -> None:
    from gitmem.cli.present import fields, labelled, usage_words

    known = {name: best.fields[name] for name in _SHOWN_FIRST if best.fields.get(name)}
    fields(ui, known or best.fields)
    labelled(ui, "why", "; ".join(best.why))
    if best.conflicts:
        labelled(ui, "disputed", f"people wrote different things at once: gitmem show {best.id}")
    tried = best.usage.fixed + best.usage.failed
    labelled(ui, "use", usage_words(best.usage) + (f" (confidence {best.confidence:.0%})" if tried else ""))
    labelled(ui, "id", best.id)
