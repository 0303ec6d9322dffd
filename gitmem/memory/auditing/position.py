"""How far a log was verified, kept beside the index so that the next verification looks only at what came since.

Of each segment only what later ones can be held against is kept. The file is authenticated under a key of the member's
identity: whoever can write to the git directory cannot make up a position. Without an identity there is none.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Final

from gitmem import __version__
from gitmem.core.auditing.audit import Entry, Segment
from gitmem.core.auditing.chain import chains_of
from gitmem.core.auditing.checkpoint import CHECKPOINT, follow
from gitmem.core.auditing.merkle import Subtrees
from gitmem.errors import GitmemError
from gitmem.memory.auditing.states import in_one_line
from gitmem.memory.context import Context
from gitmem.store.files import read_bounded, write_atomic

DATA_OPS: Final = frozenset({"learn", "edit", "use", "forget", "merge", "events", "collect", CHECKPOINT})
"""What entries do that say nothing of members, keys, settings or other entries."""

_FIELDS: Final = tuple(one.name for one in fields(Entry))
_FILE: Final = "verified"
_MAX: Final = 1 << 30
_MAC: Final = 64  # hex digits


@dataclass(slots=True)
class Position:
    """A commit whose history was verified and found sound, and what of it the check of later commits needs.

    `segments` hold of their entries the first, the last, and those that are more than data. `trees` are the Merkle trees of
    the chains; `met` the files in which histories met, whose later changes are held against all entries about them.
    """

    commit: str
    entries: int
    segments: list[Segment]
    trees: dict[str, Subtrees]
    met: set[str] = field(default_factory=set)


def position_of(commit: str, segments: list[Segment]) -> Position:
    """The position after a verification of everything."""
    about: dict[str, list[Entry]] = {}
    for segment in segments:
        for entry in segment.entries:
            about.setdefault(entry.object, []).append(entry)
    met = {path for path, entries in about.items() if not in_one_line(entries)}
    trees = {writer: follow(chain, [])[1] for writer, chain in chains_of(segments).items()}
    count = sum(len(segment.entries) for segment in segments)
    return Position(commit, count, [outline(segment) for segment in segments], trees, met)


def outline(segment: Segment) -> Segment:
    """A segment with as much of it as later ones can be held against."""
    last = len(segment.entries) - 1
    kept = [entry for n, entry in enumerate(segment.entries) if n in (0, last) or entry.op not in DATA_OPS]
    entries = tuple(replace(entry, detail={}) if entry.op in DATA_OPS else entry for entry in kept)
    return replace(segment, data=b"", body=b"", signature="", entries=entries)


def load(context: Context) -> Position | None:
    """The position that this member has verified; None without one, or where it is not as it was written."""
    try:
        key = context.store.vault.position_key()
        data = read_bounded(context.store.local / _FILE, _MAX)
    except GitmemError:
        return None
    if data is None or not hmac.compare_digest(data[:_MAC], _mac(key, data[_MAC:])):
        return None
    told = json.loads(data[_MAC:])
    return _position(told) if told["by"] == _by(context) else None


def save(context: Context, position: Position) -> None:
    """Keep a position. Without an identity nothing is kept."""
    try:
        key = context.store.vault.position_key()
    except GitmemError:
        return
    told: dict[str, Any] = {
        "by": _by(context),
        "commit": position.commit,
        "entries": position.entries,
        "segments": [_told(segment) for segment in position.segments],
        "trees": {w: [[size, top.hex()] for size, top in trees] for w, trees in position.trees.items()},
        "met": sorted(position.met),
    }
    data = json.dumps(told, separators=(",", ":")).encode("utf-8", "surrogatepass")
    write_atomic(context.store.local / _FILE, _mac(key, data) + data, mode=0o600)


def _by(context: Context) -> list[str]:
    """Whose position it is, and by which rules: a newer gitmem looks at everything once more."""
    return [context.store.id, context.store.prefix, __version__]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, sha256).hex().encode()


def _told(segment: Segment) -> list[Any]:
    return [
        segment.path,
        segment.number,
        segment.key,
        [[getattr(entry, name) for name in _FIELDS] for entry in segment.entries],
    ]


def _position(told: dict[str, Any]) -> Position:
    trees = {w: [(size, bytes.fromhex(top)) for size, top in trees] for w, trees in told["trees"].items()}
    segments = [Segment(path, number, b"", b"", _entries(some), key, "") for path, number, key, some in told["segments"]]
    return Position(told["commit"], told["entries"], segments, trees, set(told["met"]))


def _entries(told: Iterable[list[Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(store, writer, seq, prev, {name: (end[0], end[1]) for name, end in seen.items()}, *rest)
        for store, writer, seq, prev, seen, *rest in told
    )
