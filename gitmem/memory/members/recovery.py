"""Coming back with the recovery identity, made at `init` and kept off the machine: it opens every key, and signs as an admin.

It acts under a name of its own, so that the log shows each use of it. A drill proves that the file works and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.core.membership.members import Members
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context
from gitmem.memory.members.enrolment import member_file
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.joining import key_files
from gitmem.memory.members.requesting import Request
from gitmem.memory.members.roster import check_name, remember_name
from gitmem.store.vault import RECOVERY, Vault

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


@dataclass(frozen=True, slots=True)
class Drill:
    """What a recovery identity can do: whether it signs for the store, the scopes it opens, and what is wrong."""

    signs: bool
    opens: list[str]
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether the store could be recovered with it."""
        return not self.problems


def read_identity(path: Path) -> Identity:
    """The identity in a file. Raises NoKey where there is none."""
    from gitmem.crypto.lookup import find_identities

    found = next(iter(find_identities(path, env={})), None)
    if found is None:
        raise NoKey(f"{path} holds no identity that can be used", "name the file that `gitmem init` wrote")
    return found


def drill(context: Context, identity: Identity) -> Drill:
    """Prove that a recovery identity opens every scope's keys and would sign as the log says; nothing is changed."""
    store, members = context.store, members_of(context)
    vault = Vault(store.root, store.id, store.vault.plain, [identity])
    signs = members.recovery is not None and vault_key(vault, identity) in members.recovery.keys
    opens = [scope for scope in vault.scopes() if all(vault.has(scope, epoch) for epoch in vault.epochs(scope))]
    problems = [] if signs else ["it is not the recovery identity that the store's beginning names: it could let nobody in"]
    problems += [f"it does not open every key of {scope}" for scope in vault.scopes() if scope not in opens]
    return Drill(signs, opens, problems)


def recover(context: Context, identity: Identity, asked: Request) -> Members:
    """Let somebody in again with the recovery identity: a member with a new key, or a new admin where no name stands for one.

    Raises GitmemError for an identity that is not the store's recovery identity, NoKey for one that opens nothing.
    """
    check_name(asked.name)
    with _acting_as(context, identity):
        members = members_of(context)
        if members.recovery is None or vault_key(context.store.vault, identity) not in members.recovery.keys:
            raise GitmemError("this is not the recovery identity of this store", "`gitmem key drill --identity FILE` says why")
        known = members.by_name.get(asked.name)
        recipients = sorted({asked.recipient, *(known.recipients if known else ())})
        extras = [
            member_file(context, asked.name, [asked.recipient], [asked.key], known.role if known else "admin"),
            *key_files(context, asked.name, recipients),
        ]
        commit(context, f"gitmem: {asked.name} was let in by recovery", extras)
    remember_name(context, asked.name)
    return members_of(context)


def vault_key(vault: Vault, identity: Identity) -> str:
    """The key that an identity signs with in the store of a vault."""
    from gitmem.crypto.signing import SigningKey

    return SigningKey.derive(identity.secret_bytes(), vault.store).public


@contextmanager
def _acting_as(context: Context, identity: Identity) -> Iterator[None]:
    """Open and sign with the recovery identity, under its name and as a writer of its own."""
    store = context.store
    with store.lock:
        commit_first(context)
        mine, name = store.vault, store.marks.note("member")
        store.vault = Vault(store.root, store.id, mine.plain, [identity])
        store.begin_anew()
        store.marks.set_note("member", RECOVERY)
        try:
            yield
        finally:
            store.vault = mine
            store.vault.look_again()
            store.begin_anew()
            store.marks.set_note("member", name or "")


def commit_first(context: Context) -> None:
    """What was recorded is committed under the name of who did, where they still can sign."""
    try:
        commit(context)
    except NoKey:
        if len(context.store.pending):
            raise
