"""`gitmem key`: the keys of the store, and where your own is kept."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS
from gitmem.cli.ui import Ui, pass_ui

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmem.crypto.identity import Identity
    from gitmem.memory.keys import Epoch, KeyStatus

_DAY = 86_400


@click.group("key", cls=Group)
def command() -> None:
    """Show who holds which key of the store, and keep your own in the OS keychain."""


@define(
    "status",
    examples=[
        ("gitmem key status", "each epoch of each scope: since when, and who holds its key"),
        ("gitmem key status --json | jq -r '.scopes[] | select(.missing != []) | .scope'", "scopes that somebody lacks"),
    ],
    exits=(*READS, 15),
)
@pass_ui
def status(ui: Ui) -> None:
    """Show the keys: epochs and their ages, who holds them, and what is missing.

    The columns are scope, epoch, the day it was made and how long ago that is, whether your key opens it, and who holds it.
    Ages come from the signed log.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.keys import key_status

    with opened(ui) as memory:
        found = key_status(memory.context)
        now = memory.context.clock()
    if ui.json:
        ui.data(found)
        return
    ui.rows(("SCOPE", "EPOCH", "SINCE", "AGE", "OPENS", "HELD BY"), _rows(found, now))
    ui.note(f"your key is from {found.identity}" if found.identity else _nowhere(found))
    for keys in found.scopes:
        for name in keys.missing:
            ui.warn(f"{name} belongs to {keys.scope} and lacks its key: `gitmem scope grant {keys.scope} {name}`")
        for name in keys.strangers:
            ui.warn(f"{name} holds the key of {keys.scope} and does not belong to it: `gitmem audit verify`")


def _rows(found: KeyStatus, now: datetime) -> Iterator[tuple[str, ...]]:
    for keys in found.scopes:
        for epoch in keys.epochs:
            since = epoch.since[:10] if epoch.since else "not in the log"
            opens = "yes" if epoch.opened else "no"
            yield keys.scope, epoch.epoch, since, _age(epoch, now), opens, ", ".join(epoch.holders)


def _age(epoch: Epoch, now: datetime) -> str:
    from gitmem.cli.present import counted

    if epoch.since is None:
        return "-"
    return counted(max(0, int((now - datetime.fromisoformat(epoch.since)).total_seconds() // _DAY)), "day")


def _nowhere(found: KeyStatus) -> str:
    tried = ", ".join(f"{each.place} ({each.why})" for each in found.tried)
    return f"none of your keys opens the store; tried: {tried or 'what is there opens nothing'}"


@define(
    "cache",
    examples=[
        ("gitmem --identity ~/.ssh/id_ed25519 key cache", "no passphrase from then on"),
        ("gitmem key cache --forget", "takes it out again"),
    ],
    exits=(12,),
)
@click.option("--forget", is_flag=True, help="Take your key out of the keychain.")
@pass_ui
def cache(ui: Ui, forget: bool) -> None:
    """Keep your key in the OS keychain, where it is found from then on.

    In a store it is the key that opens the store, elsewhere the first that is found. A key with a passphrase is kept
    without it: the keychain guards it instead.
    """
    from gitmem.crypto import keychain

    if forget:
        gone = keychain.drop(os.environ, Path.home())
        ui.data({"forgotten": gone}) if ui.json else ui.note(_forgotten(gone))
        return
    identity = _in_use(ui)
    name = keychain.keep(identity, os.environ, Path.home())
    if ui.json:
        ui.data({"keychain": name, "recipient": identity.recipient, "from": identity.source})
    else:
        ui.note(f"{name} keeps the key from {identity.source}; it is {identity.recipient}")


def _forgotten(gone: bool) -> str:
    return "the keychain keeps no key for gitmem any more" if gone else "the keychain held no key for gitmem"


def _in_use(ui: Ui) -> Identity:
    """The identity that opens the store here, or where there is none the first that is found. Raises NoKey."""
    from gitmem.cli.session import opened, person
    from gitmem.errors import NoKey, NoStore

    try:
        with opened(ui) as memory:
            return memory.context.store.vault.identity
    except NoStore:
        found = next(iter(person(ui).identities), None)
    if found is None:
        raise NoKey("no key of yours is found", "name its file: gitmem --identity FILE key cache")
    return found


command.add_command(status)
command.add_command(cache)
