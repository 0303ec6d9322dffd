"""Who belongs to the store and what they may do: the words that signed entries use for it, and what they add up to.

`core.membership.fold` folds the entries into `Members`; the files in `.gitmem/members` are a picture of that, and must
agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from gitmem.core.record import Json, State

FOLDER: Final = ".gitmem/members"
RECOVERY: Final = "recovery"
"""The name that the recovery identity acts under, and that keys are wrapped to it by; no member may have it."""
POLICY: Final = 2
"""Of new stores: only an admin lets others in. Stores without a policy (1) let every member do so, until a new word is used."""
AGENTS: Final = "agents"
"""The first part of the scopes that agents have for themselves: `agents/<name>`."""


class Rank(IntEnum):
    """What somebody may sign; each rank may do all that the ones before it may."""

    NONE = 0
    READER = 1  # nothing but keys of their own and what is logged of them
    SERVICE = 2  # records and events, the scope that bears its name
    MEMBER = 3  # the store's other files, scopes of their own
    ADMIN = 4  # members, their roles and keys


ROLES: Final[Mapping[str, Rank]] = {rank.name.lower(): rank for rank in Rank if rank}


@dataclass(slots=True)
class Member:
    """A member: name, age recipients, signing keys (`ssh-ed25519 …`), rank, and who enrolled them."""

    name: str
    recipients: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    rank: Rank = Rank.NONE
    enrolled_by: str = ""

    @property
    def role(self) -> str:
        """The rank as it is written."""
        return self.rank.name.lower()


@dataclass(slots=True)
class Scope:
    """A named part of the store: its members, and those of them who say who its members are."""

    name: str
    members: set[str] = field(default_factory=set)
    admins: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new epoch of a scope's key as it was signed: its commitment, and the segment (writer, number) that says so."""

    scope: str
    epoch: str
    commitment: str
    by: str
    node: tuple[str, int]


@dataclass(slots=True)
class Members:
    """All that signed entries say about members, as far as who signed them had the right to.

    `store` is the store they belong to, `genesis` the file and line that begin it (empty without `init`). `policy` is the one
    it was founded with (see `POLICY`); `strict` says that only admins let others in.

    `by_name` holds who is a member now, `removed` who no longer is, `recovery` the recovery identity, `holders` the name that
    goes with each signing key there ever was. `scopes` are those that are not everybody's, `rotations` all new epochs of keys.

    `refused` holds what does not count, with the reason: path of a segment -> line (0: all of it) -> why. `answers` says
    which contents (SHA-256) of the log's files somebody answers for: path -> (who, content). `answered` are those of the
    refused segments that somebody else has answered for: their effect was taken out.
    """

    store: str = ""
    genesis: tuple[str, int] = ("", 0)
    policy: int = 1
    strict: bool = False
    by_name: dict[str, Member] = field(default_factory=dict)
    removed: dict[str, Member] = field(default_factory=dict)
    recovery: Member | None = None
    scopes: dict[str, Scope] = field(default_factory=dict)
    rotations: list[Rotation] = field(default_factory=list)
    refused: dict[str, dict[int, str]] = field(default_factory=dict)
    answers: dict[str, set[tuple[str, str | None]]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    holders: dict[str, str] = field(default_factory=dict)

    def holder(self, key: str) -> str | None:
        """The name of whoever has, or had, this signing key."""
        return self.holders.get(key)

    def admins(self) -> list[str]:
        """The names of those who say who is a member."""
        return sorted(member.name for member in self.by_name.values() if member.rank >= Rank.ADMIN)

    def readers(self, scope: str) -> list[Member]:
        """Whom the key of a scope is wrapped to: everybody, unless the scope has members of its own."""
        named = self.scopes.get(scope)
        return [member for name, member in sorted(self.by_name.items()) if named is None or name in named.members]

    def counts(self, path: str, line: int) -> bool:
        """Whether an entry (by its segment's path and its line) was signed by somebody with the right to it."""
        lines = self.refused.get(path, {})
        return 0 not in lines and line not in lines


def own_scope(name: str) -> str:
    """The scope of an agent, or of a service that is a member by this name."""
    return f"{AGENTS}/{name}"


def genesis_detail(
    member: str, recipient: str, key: str, store: str, recovery: tuple[str, str] | None = None
) -> dict[str, Json]:
    """The detail of the `init` entry: the first member, the id of the store, and the recovery identity's recipient and key."""
    detail: dict[str, Json] = {"member": member, "recipient": recipient, "key": key, "store": store, "policy": POLICY}
    return detail | {"recovery": [*recovery]} if recovery else detail


def enrol_detail(member: str, recipients: Iterable[str], keys: Iterable[str], role: str | None = None) -> dict[str, Json]:
    """The detail of an `enrol` entry: whom it adds (or gives more keys), with age recipients and signing keys."""
    detail: dict[str, Json] = {"member": member, "recipients": [*sorted(recipients)], "keys": [*sorted(keys)]}
    return detail | {"role": role} if role else detail


def role_detail(member: str, role: str) -> dict[str, Json]:
    """The detail of a `role` entry: what a member may do from here on."""
    return {"member": member, "role": role}


def remove_detail(member: str, ends: Mapping[str, int]) -> dict[str, Json]:
    """The detail of a `remove` entry: who goes, and the last entry known of each log of theirs (writer -> number).

    What counts of a leaver's log is what the entry's segment has seen of it; `ends` says the same to whoever reads the log.
    """
    return {"member": member, "ends": dict(ends)}


def rotate_detail(scope: str, epoch: str, commitment: str) -> dict[str, Json]:
    """The detail of a `rotate` entry: a scope's new epoch, and what its key commits to."""
    return {"scope": scope, "epoch": epoch, "commitment": commitment}


def scope_detail(scope: str, add: Iterable[str] = (), drop: Iterable[str] = (), admins: Iterable[str] = ()) -> dict[str, Json]:
    """The detail of a `scope` entry: who joins a scope, who leaves it, and who of its members says so from here on.

    The first entry about a scope makes it; whoever signed it is one of its admins.
    """
    return {"scope": scope, "add": [*sorted(add)], "drop": [*sorted(drop)], "admins": [*sorted(admins)]}


def disagreement(members: Members, name: str, state: State | None) -> str | None:
    """Why the member file of `name` (None: there is none) is no true picture of the fold; None if it is."""
    member = members.by_name.get(name)
    if member is None and name in members.removed:
        return f"{name} was removed, and the file says nothing of it" if state is not None and state.alive else None
    if member is None:
        return f"{name} was never enrolled by a member" if state is not None and state.alive else None
    if state is None:
        return f"the file of {name}, who was enrolled by {member.enrolled_by}, is gone"
    return _difference(member, state)


def _difference(member: Member, state: State) -> str | None:
    if (state.kind, state.scope, state.id) != ("member", "store", f"m-{member.name}"):
        return f"it holds {state.scope}/{state.kind}/{state.id}"
    for what, signed in (("recipients", member.recipients), ("keys", member.keys)):
        if (shown := elements_of(state, what)) != signed:
            extra = sorted(shown - signed) or sorted(signed - shown)
            return f"its {what} are not those that were signed: {str(extra[0])[:60]!r}"
    roles = set(map(str, state.fields.get("role", {}).values()))
    if roles and roles != {member.role}:
        return f"its role is not the one that was signed: {member.role}"
    return None if state.alive else f"it is deleted, and nobody removed {member.name}"


def elements_of(state: State, name: str) -> set[str]:
    """The elements of a member file's set, as text."""
    registers = state.sets.get(name, {}).values()
    return {str(value) for register in registers for value in register.values()}
