"""The keys as they stand: which epochs each scope has and since when, who holds them, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem.core.membership.members import RECOVERY, Members
from gitmem.errors import NoKey
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.auditing.vouched import entries_in
from gitmem.memory.context import Context
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.roster import members
from gitmem.store.layout import KEYS

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a scope's key.

    `since` and `by` are when its first file was signed for and by whom (None: it is not in the log), `holders` whom it is
    wrapped to, `opened` whether the identity in use opens it.
    """

    epoch: str
    since: str | None
    by: str | None
    holders: list[str]
    opened: bool


@dataclass(frozen=True, slots=True)
class ScopeKeys:
    """The keys of one scope, oldest epoch first.

    `missing` are those who belong to the scope and lack its newest key, or have a key of their own that does not open it yet,
    `strangers` those who hold it and do not belong there.
    """

    scope: str
    epochs: list[Epoch]
    missing: list[str]
    strangers: list[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A place where an identity was looked for in vain, and why it gave none."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """Where the identity in use was found (None: none opens the store), whose it is, and the keys of every scope.

    `tried` are the places that were looked at before it, and gave nothing.
    """

    identity: str | None
    recipient: str | None
    member: str | None
    tried: list[Place]
    scopes: list[ScopeKeys]


def key_status(context: Context) -> KeyStatus:
    """How the keys stand, as far as the work tree and the log tell. Raises Tampered for a damaged key."""
    vault, signed, who = context.store.vault, _signed(context), members_of(context)
    everybody = members(context)
    identity = _identity(context)
    return KeyStatus(
        identity=identity.source if identity else None,
        recipient=identity.recipient if identity else None,
        member=next((member.name for member in everybody if member.me), None),
        tried=[Place(one.place, one.why) for one in getattr(vault.identities, "tried", [])],
        scopes=[_scope_keys(context, scope, who, signed) for scope in vault.scopes()],
    )


def _identity(context: Context) -> Identity | None:
    try:
        return context.store.vault.identity
    except NoKey:
        return None


def _scope_keys(context: Context, scope: str, who: Members, signed: dict[tuple[str, str], tuple[str, str]]) -> ScopeKeys:
    vault = context.store.vault
    epochs = []
    for epoch in vault.epochs(scope):
        since, by = signed.get((scope, epoch), (None, None))
        epochs.append(Epoch(epoch, since, by, vault.holders(scope, epoch), vault.has(scope, epoch)))
    newest, readers = epochs[-1], who.readers(scope)
    missing = [one.name for one in readers if not vault.reaches(scope, newest.epoch, one.name, one.recipients)]
    return ScopeKeys(scope, epochs, missing, sorted({*newest.holders} - {RECOVERY} - {one.name for one in readers}))


def _signed(context: Context) -> dict[tuple[str, str], tuple[str, str]]:
    """(scope, epoch) -> the time and the member of the first entry about one of its files."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for _, file in segment_files(context.store.root):
        data = file.read_bytes()
        if f"{KEYS}/".encode() not in data:  # most segments speak of records alone
            continue
        for entry in entries_in(data):
            folder, _, _ = entry.object.rpartition("/")
            if folder.startswith(f"{KEYS}/") and entry.after is not None:
                scope, _, epoch = folder.removeprefix(f"{KEYS}/").rpartition("/")
                first[scope, epoch] = min(first.get((scope, epoch), (entry.time, entry.subject)), (entry.time, entry.subject))
    return first
