"""`gitmem key`: the keys of the store, and where your own is kept."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import Tampered, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmem.crypto.identity import Identity
    from gitmem.memory.members.keys import Epoch, KeyStatus

_DAY = 86_400


@click.group("key", cls=Group)
def command() -> None:
    """Show who holds which key of the store, make new ones, and keep your own in the OS keychain."""


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
    from gitmem.memory.members.keys import key_status

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
    from gitmem.core.nearest import counted

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
    from gitmem.crypto.lookup import own_home

    if forget:
        gone = keychain.drop(os.environ, own_home())
        ui.data({"forgotten": gone}) if ui.json else ui.note(_forgotten(gone))
        return
    identity = _in_use(ui)
    name = keychain.keep(identity, os.environ, own_home())
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


@define(
    "rotate",
    examples=[
        ("gitmem key rotate", "new keys for all scopes"),
        ("gitmem key rotate --scope ops", ""),
    ],
    exits=WRITES,
)
@click.option("--scope", metavar="SCOPE", help="Only this scope's key.")
@pass_ui
def rotate(ui: Ui, scope: str | None) -> None:
    """Make a new key for what is written from here on, and seal the records there are with it.

    Everybody who holds the key now holds the new one, which opens the ones before it. Run it again if it was cut short.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.members import rotation
    from gitmem.memory.members.scopes import known_scope

    with opened(ui) as memory:
        done = rotation.rotate(memory.context, [known_scope(memory.context, scope)] if scope else [])
    if ui.json:
        ui.data(done)
        return
    for problem in done.problems:
        ui.warn(problem)
    for name, epoch in done.epochs.items():
        ui.note(f"{name} has a new key, {epoch}")
    ui.note(f"{counted(done.resealed, 'record')} sealed anew; `gitmem sync` passes the keys on")


@define(
    "drill",
    examples=[("gitmem key drill --identity /media/safe/recovery.txt", "proves that the file still opens the store")],
    exits=(*READS, 15),
)
@pass_ui
def drill(ui: Ui) -> None:
    """Prove that the recovery identity works, without changing anything.

    It must open the keys of every scope and sign as the store's beginning says. Name its file with --identity.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.members import recovery

    with opened(ui) as memory:
        found = recovery.drill(memory.context, recovery.read_identity(_named(ui)))
    if ui.json:
        ui.data({"ok": found.ok, "signs": found.signs, "opens": found.opens, "problems": found.problems})
    elif found.ok:
        ui.note(f"it opens {', '.join(found.opens)} and signs for the store: put it back where it was")
    if not found.ok:
        raise Tampered("the store could not be recovered with it: " + "; ".join(found.problems), "look for the right file")


@define(
    "recover",
    examples=[
        ("gitmem key recover --identity /media/safe/recovery.txt", "you lost your key and have a new one"),
        ("gitmem key recover --identity /media/safe/recovery.txt --name bob", "under which name"),
    ],
    exits=WRITES,
)
@click.option("--name", metavar="MEMBER", help="Who you are in the store; from git's user.name unless given.")
@pass_ui
def recover(ui: Ui, name: str | None) -> None:
    """Come back in with the recovery identity, when you have lost your key.

    What the team has is taken in first. Then your own key (a new one, if none is found) is enrolled: for the member of that
    name, with the keys of all their scopes, or where there is none for a new admin. The log says that the recovery identity did
    it. What was recorded here and not committed yet is signed by it as well.

    A key that you had before stays enrolled beside the new one. If somebody else may have it, let it go first:
    `gitmem --identity FILE member remove NAME`.
    """
    from gitmem.cli.session import opened, person
    from gitmem.memory.founding.found import default_name
    from gitmem.memory.members import recovery
    from gitmem.memory.members.requesting import request_of

    identity, ui.identity = recovery.read_identity(_named(ui)), None
    mine, fresh = person(ui).identity()
    with opened(ui) as memory:
        who = name or default_name(memory.context.store.repo, os.environ)
        signs = recovery.vault_key(memory.context.store.vault, mine)
        members = recovery.recover(memory.context, identity, request_of(memory.context.store.id, who, mine.recipient, signs))
    if ui.json:
        ui.data({"name": who, "role": members.by_name[who].role, "identity": mine.source, "new_identity": fresh})
    else:
        made = "made your identity" if fresh else "your identity"
        ui.note(f"{made}: {mine.source}; you are {who}, {members.by_name[who].role}: `gitmem sync` tells the others")
        if len(members.by_name[who].keys) > 1:
            ui.note("the key you had before counts as well: `gitmem key recover --help` says what to do if it was stolen")


def _named(ui: Ui) -> Path:
    if ui.identity is None:
        raise UsageError("name the recovery identity's file", "give it with --identity FILE")
    return ui.identity


command.add_command(status)
command.add_command(drill)
command.add_command(recover)
command.add_command(rotate)
command.add_command(cache)
