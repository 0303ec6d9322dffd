"""Coming back with the recovery identity, made at `init` and kept off the machine: it opens every key, and signs as an admin.

It acts under a name of its own, so that the log shows each use of it. A drill proves that the file works and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.core.membership.members import Members
from gitmem.errors import GitmemError, NoKey, RemoteError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import TEAM, Context
from gitmem.memory.members.enrolment import member_file, wrapped_keys
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.joining import check_free
from gitmem.memory.members.requesting import Request
from gitmem.memory.members.roster import check_name, remember_name
from gitmem.store.vault import Vault

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

    What the team has is taken in first, and with it the keys that were made meanwhile. A member gets those of all their scopes.
    Raises GitmemError for an identity that is not the store's recovery identity, UsageError for a key that is another's, NoKey
    for one that opens nothing.
    """
    check_name(asked.name)
    with _acting_as(context, identity):
        _check(context, identity)
        _take_in(context)
        with context.store.lock:
            members = members_of(context)
            check_free(members, asked)
            known = members.by_name.get(asked.name)
            extras = [
                member_file(context, asked.name, [asked.recipient], [asked.key], known.role if known else "admin"),
                *_keys_of(context, members, asked, known.recipients if known else ()),
            ]
            commit(context, f"gitmem: {asked.name} was let in by recovery", extras)
    remember_name(context, asked.name)
    return members_of(context)


def _check(context: Context, identity: Identity) -> None:
    recovery = members_of(context).recovery
    if recovery is None or vault_key(context.store.vault, identity) not in recovery.keys:
        raise GitmemError("this is not the recovery identity of this store", "`gitmem key drill --identity FILE` says why")


def _take_in(context: Context) -> None:
    """Sync, if the remote answers: keys that were made meanwhile are then passed on as well."""
    from gitmem.memory.syncing.sync import sync

    try:
        for problem in sync(context).problems:
            context.warn(problem)
    except RemoteError as error:
        context.warn(f"{error.message}: if the team has a newer key, run this again after `gitmem sync`")


def _keys_of(context: Context, members: Members, asked: Request, earlier: Iterable[str]) -> list[Extra]:
    """The newest keys of the team, and of the scopes that somebody belongs to, wrapped to their recipients."""
    vault, recipients = context.store.vault, {asked.recipient, *earlier}
    scopes = [TEAM, *(name for name, scope in sorted(members.scopes.items()) if asked.name in scope.members)]
    keys = [vault.key(scope, epoch) for scope in scopes for epoch in vault.tips(scope) if vault.has(scope, epoch)]
    return wrapped_keys(keys, asked.name, recipients)


def vault_key(vault: Vault, identity: Identity) -> str:
    """The key that an identity signs with in the store of a vault."""
    from gitmem.crypto.signing import SigningKey

    return SigningKey.derive(identity.secret_bytes(), vault.store).public


@contextmanager
def _acting_as(context: Context, identity: Identity) -> Iterator[None]:
    """Open and sign with the recovery identity. What was recorded before goes under the name of who did, where they still can
    sign; else it is signed for by the recovery identity, rather than lost."""
    with suppress(NoKey):
        commit(context)
    store = context.store
    mine = store.vault
    store.vault = Vault(store.root, store.id, mine.plain, [identity])
    try:
        yield
    finally:
        store.vault = mine
        store.vault.look_again()
