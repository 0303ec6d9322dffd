"""Where everything lies, in the work tree and beside it."""

from __future__ import annotations

from typing import Final

from gitmem.core.ids import shard
from gitmem.core.record import KIND, RECORD_ID, SCOPE, name_problem
from gitmem.core.token import EPOCH
from gitmem.errors import InvalidRecord

CONFIG: Final = ".gitmem/config.yaml"
MEMBERS: Final = ".gitmem/members"
KEYS: Final = ".gitmem/keys"
SCHEMAS: Final = ".gitmem/schemas"
MEMORY: Final = "memory"
AUDIT: Final = "log/audit"
EVENTS: Final = "log/events"
ATTRIBUTES: Final = ".gitattributes"
LOCAL: Final = "gitmem"
"""The directory in git's own that holds what is never committed."""
DAMAGED: Final = "damaged"
"""The directory in it that keeps what was damaged, for a person to look at."""
MAX_FILE: Final = 64 << 20
"""Bytes of any file that a store holds."""
OWN_PREFIXES: Final = ("memory", "log", ".gitmem")
STORE_SCOPE: Final = "store"
"""The scope of the store's own plain records: its configuration and its members."""


def is_own(path: str) -> bool:
    """Whether the file at `path`, relative to the store's root, is the store's and not the rest of the repository's."""
    folder, slash, _ = path.partition("/")
    return path == ATTRIBUTES or (bool(slash) and folder in OWN_PREFIXES)


def record_path(scope: str, kind: str, record_id: str) -> str:
    """The path of a record's file, relative to the store's root."""
    return f"{MEMORY}/{scope}/{kind}/{shard(record_id)}/{record_id}.yaml"


def parse_record_path(path: str) -> tuple[str, str, str]:
    """(scope, kind, id) of the record that belongs at `path`. Raises InvalidRecord for a path no record may have."""
    parts = path.removesuffix(".yaml").split("/")
    if path.endswith(".yaml") and len(parts) in (5, 6) and parts[0] == MEMORY:
        scope, kind, folder, record_id = "/".join(parts[1:-3]), parts[-3], parts[-2], parts[-1]
        named = ((scope, SCOPE), (kind, KIND), (record_id, RECORD_ID))
        if not any(name_problem("name", name, shape) for name, shape in named) and shard(record_id) == folder:
            return scope, kind, record_id
    raise InvalidRecord(f"{path[:200]!r} is no place for a record", "records lie at memory/<scope>/<kind>/<id[2:4]>/<id>.yaml")


def id_at(path: str) -> str:
    """The id in the name of a record's file; `path` is taken for the path of one."""
    return path.rpartition("/")[2].removesuffix(".yaml")


def is_record_path(path: str) -> bool:
    """Whether `path` is one a record may have."""
    try:
        parse_record_path(path)
    except InvalidRecord:
        return False
    return True


def member_path(name: str) -> str:
    """The path of a member's file."""
    return f"{MEMBERS}/{name}.yaml"


def key_path(scope: str, epoch: str, member: str) -> str:
    """The path of an epoch's key as it is wrapped to one member."""
    return f"{KEYS}/{scope}/{epoch}/{member}.age"


def link_path(scope: str, epoch: str, before: str) -> str:
    """The path of an earlier epoch's key as it is wrapped to a later one's link."""
    return f"{KEYS}/{scope}/{epoch}/{before}.link"


def epoch_at(path: str) -> tuple[str, str] | None:
    """(scope, epoch) of the key that belongs at `path`; None for any other file."""
    folder, _, name = path.removeprefix(f"{KEYS}/").rpartition("/")
    scope, _, epoch = folder.rpartition("/")
    keeps = path.startswith(f"{KEYS}/") and name.endswith((".age", ".link")) and EPOCH.fullmatch(epoch)
    return (scope, epoch) if scope and keeps else None


def events_path(writer: str, month: str, sequence: int) -> str:
    """The path of a batch of events; `month` is `yyyy-mm`."""
    return f"{EVENTS}/{writer}/{month}/{sequence:06d}.yaml"
