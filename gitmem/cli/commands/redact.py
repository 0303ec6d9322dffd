"""`gitmem redact`: show what would be replaced in a text, and set what a store replaces."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import define
from gitmem.cli.inputs import TEXT_LIMIT, clean, read_text
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError, NoStore, UsageError

if TYPE_CHECKING:
    from gitmem.memory.results import Redaction


@define(
    "redact",
    examples=[
        ("gitmem redact 'psql: postgres://ada:hunter2@db.example.com failed'", ""),
        ("kubectl describe pod web 2>&1 | gitmem redact | less", "show a log to others"),
        ("gitmem redact --check - <build.log", "in CI: 1 if it holds a secret"),
        ("gitmem redact --policy", "what the store replaces"),
        ("gitmem redact --set ip=keep --set home=replace", "for everybody, from the next sync on"),
    ],
    exits=(10, 11, 12),
)
@click.argument("text", nargs=-1, metavar="[TEXT | -]")
@click.option("--check", is_flag=True, help="Print nothing; fail if there is anything to replace.")
@click.option("--policy", is_flag=True, help="Show what the store replaces and what it keeps.")
@click.option("--set", "settings", multiple=True, metavar="KIND=replace|keep", help="Set the store's policy; repeatable.")
@pass_ui
def command(ui: Ui, /, text: tuple[str, ...], check: bool, policy: bool, settings: tuple[str, ...]) -> None:
    """Replace secrets and personal data in a text, as `learn` does on the way in.

    Kinds: password, token, key, email, ip, home, user. Outside of a store all of them are replaced. A policy is part of the
    store: it is committed, signed and shared, and where two people disagree replacing wins.
    """
    if sum((bool(text) or check, policy, bool(settings))) > 1:
        raise UsageError("a text, --policy and --set are three different things", "`gitmem redact --help`")
    if policy or settings:
        _policy(ui, settings)
    else:
        _redact(ui, text, check=check)


def _redact(ui: Ui, words: tuple[str, ...], *, check: bool) -> None:
    from gitmem.memory.privacy.redaction import in_words

    done, found = _redacted(ui, _text(words))
    what = in_words(found)
    if ui.json:
        answer = {"redacted": [{"what": one.what, "count": one.count} for one in found]}
        ui.data(answer if check else {"text": done, **answer})
    elif not check:
        ui.block(done)
    if check and found:
        raise GitmemError(f"the text holds {what}", "`gitmem redact` shows it with placeholders in their place")
    ui.note(f"redacted: {what}" if what else "nothing to redact")


def _text(words: tuple[str, ...]) -> str:
    if words and words != ("-",):
        return clean(" ".join(words))
    if not words and sys.stdin.isatty():
        raise UsageError("there is no text to redact", "pipe it in: gitmem redact <build.log")
    text, dropped = read_text()
    if dropped:
        raise GitmemError(f"the input has more than {TEXT_LIMIT >> 20} MiB", "redact it in parts: `split -C 8M`")
    return text


def _redacted(ui: Ui, text: str) -> tuple[str, tuple[Redaction, ...]]:
    """By the policy of the store here, or of a new one where there is none."""
    from gitmem.cli.session import opened
    from gitmem.memory.privacy.redaction import own_names, redacted_text

    try:
        with opened(ui) as memory:
            return redacted_text(memory.context, text)
    except NoStore:
        return redacted_text(None, text, own_names(os.environ))


def _policy(ui: Ui, settings: tuple[str, ...]) -> None:
    from gitmem.cli.session import opened
    from gitmem.core.redacting.placeholder import KINDS
    from gitmem.memory.policies import redaction_policy, set_redaction

    with opened(ui) as memory:
        if settings:
            changed = set_redaction(memory.context, _pairs(settings))
            ui.note("the policy is set; `gitmem sync` shares it" if changed else "the policy said so already")
        policy = redaction_policy(memory.context)
    if ui.json:
        ui.data({"policy": policy})
    else:
        ui.rows(["kind", "policy", "what"], [(kind, policy[kind], KINDS[kind][1]) for kind in policy])


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    pairs = [clean(word).partition("=") for word in settings]
    if not all(equals for _, equals, _ in pairs):
        raise UsageError("--set needs KIND=replace or KIND=keep", "gitmem redact --set email=keep")
    return {kind: value for kind, _, value in pairs}
