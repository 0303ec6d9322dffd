"""Which rank it takes to sign an entry that is not about members: the file that it changes decides, hardly ever its `op`."""

from __future__ import annotations

from typing import Final

from gitmem.core.auditing.audit import CLOSE, HEAL, QUARANTINE, REWRITE, Entry
from gitmem.core.membership.members import FOLDER, Rank

KEYS: Final = ".gitmem/keys/"
_FREE: Final = ("memory/", "log/")
_BY_OP: Final = {CLOSE: Rank.READER, REWRITE: Rank.ADMIN}  # clones leave the history that a rewriting speaks of


def key_place(path: str) -> tuple[str, str, str] | None:
    """(scope, epoch, file name) of a path among the wrapped keys, None for any other path."""
    parts = path.removeprefix(KEYS).split("/")
    return ("/".join(parts[:-2]), parts[-2], parts[-1]) if path.startswith(KEYS) and len(parts) > 2 else None


def scope_of(path: str) -> str:
    """The scope of a record's path (`memory/<scope>/<kind>/<shard>/<id>.yaml`), empty for any other path."""
    parts = path.split("/")
    return "/".join(parts[1:-3]) if parts[0] == "memory" and len(parts) > 4 else ""


def rank_for(entry: Entry, signer: str, *, restores: bool, strict: bool) -> Rank:
    """The least rank that may sign `entry`.

    `restores` says that it puts a file back to a content that stood there by right, or takes out one that did not. Where the
    rules are not `strict`, every member passes keys on.
    """
    if entry.op in _BY_OP:
        return _BY_OP[entry.op]
    place = key_place(entry.object)
    if entry.object == f"{FOLDER}/{signer}.yaml" or (place and place[2] == f"{signer}.age"):
        return Rank.READER  # in their own file everybody chooses what is logged of them; who they are other entries say
    if entry.object.startswith((*_FREE, f"{FOLDER}/")):
        return Rank.SERVICE
    if restores and entry.op in (HEAL, QUARANTINE):
        return Rank.SERVICE
    if place is None:
        return Rank.MEMBER
    return Rank.ADMIN if strict else Rank.MEMBER
