"""The audit log's format: what one line says, how lines make a segment, and how segments make a writer's chain.

A segment is one file of one writer's log: a line of canonical JSON per change, then one line with the signature over all bytes
before it. Each line holds the hash of the line before it, across files, so that the one signature vouches for the chain up to
there. Nothing here needs a key or a clock; signing and times are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from gitmem.core.dots import json_line
from gitmem.core.record import WRITER, Json
from gitmem.errors import InvalidRecord

VERSION: Final = 1
ROOT: Final = "log/audit"
EMPTY: Final = sha256(b"").hexdigest()
"""What the first entry of a chain names as the hash of the line before it."""
MAX_LINE: Final = 2 << 20
MAX_SEGMENT: Final = 256 << 20

# What an entry may say was done, of the words that code asks for; docs/audit.md explains all of them.
INIT: Final = "init"
ENROL: Final = "enrol"
ROLE: Final = "role"
REMOVE: Final = "remove"
ROTATE: Final = "rotate"
SCOPE: Final = "scope"
CLOSE: Final = "close"
HAND: Final = "hand"
ATTEST: Final = "attest"
HEAL: Final = "heal"
QUARANTINE: Final = "quarantine"
ANSWERS: Final = "answers"
"""The part of a detail of `attest`, `heal` or `quarantine` that names the contents (SHA-256, null for a file that went) which
the entry answers for although nobody signed them."""
FORGET: Final = "forget"
PRUNE: Final = "prune"
RESTORE: Final = "restore"
COLLECT: Final = "collect"
RETIRE: Final = "retire"
ERASE: Final = "erase"
REWRITE: Final = "rewrite"

MEMBER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PATH: Final = re.compile(rf"{ROOT}/({WRITER.pattern})/([0-9]{{3,12}})/([0-9]{{6,15}})\.jsonl")
_OP: Final = re.compile(r"[a-z][a-z-]{0,31}")
_MAX_PATH: Final = 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a writer's chain: its last segment's number, its last entry's number and that entry's hash."""

    writer: str
    segment: int
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file that a commit changes. `before` and `after` are SHA-256 of its bytes in hex, None where there is no file."""

    op: str
    object: str
    before: str | None
    after: str | None
    detail: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed change: the `seq`-th of `writer`. `hash` is that of its own line, `prev` that of the line before.

    `seen` holds the ends of other chains that this writer had read, as writer -> (seq, hash).
    """

    store: str
    writer: str
    seq: int
    prev: str
    seen: dict[str, tuple[int, str]]
    time: str
    op: str
    subject: str
    object: str
    before: str | None
    after: str | None
    detail: dict[str, Json]
    hash: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a chain. `body` is what `signature` (armored SSHSIG) by `key` (`ssh-ed25519 …`) is over."""

    path: str
    number: int
    data: bytes
    body: bytes
    entries: tuple[Entry, ...]
    key: str
    signature: str

    @property
    def writer(self) -> str:
        """Whose chain it belongs to."""
        return self.entries[0].writer

    @property
    def head(self) -> Head:
        """The end of the chain when this is its last segment."""
        last = self.entries[-1]
        return Head(last.writer, self.number, last.seq, last.hash)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not add up: a short name for it, the file (and place) it is in, and the reason."""

    what: str
    where: str
    why: str


def segment_path(writer: str, number: int) -> str:
    """Where the `number`-th segment (from 1) of a writer lies."""
    return f"{ROOT}/{writer}/{number // 1000:03d}/{number:06d}.jsonl"


def place_of(path: str) -> tuple[str, int] | None:
    """(writer, number) of the segment that belongs at `path`; None where no segment may lie."""
    match = _PATH.fullmatch(path)
    if match is None or segment_path(match[1], int(match[3])) != path or int(match[3]) < 1:
        return None
    return match[1], int(match[3])


def line_hash(line: bytes) -> str:
    """What the next entry quotes as `prev`: SHA-256, in hex, of a line without its newline."""
    return sha256(line).hexdigest()


def closing(writer: str, head: Head | None) -> Change:
    """The first change of a writer that goes on where `writer`, whose chain the tree holds up to `head`, left off.

    None for a chain of which the tree holds nothing.
    """
    seq, digest = (head.seq, head.hash) if head else (0, EMPTY)
    return Change(CLOSE, f"{ROOT}/{writer}", None, None, {"closed": writer, "seq": seq, "hash": digest})


def build_segment(  # noqa: PLR0913, PLR0917 - what a segment says comes from as many places
    store: str,
    writer: str,
    head: Head | None,
    subject: str,
    seen: Mapping[str, Head],
    time: str,
    changes: Iterable[Change],
    sign: Callable[[bytes], str],
    key: str,
) -> Segment:
    """The next segment of `writer`'s chain, whose end is `head` (None: it begins one).

    `subject` is the member who acts, `seen` the ends of other chains read since this writer's last segment, `time` RFC 3339 in
    UTC to the second, `sign` gives the armored signature by `key` over the bytes it gets. Raises InvalidRecord for a path that
    cannot be logged or a segment above 256 MiB, ValueError without any change.
    """
    number, seq, prev = (head.segment + 1, head.seq, head.hash) if head else (1, 0, EMPTY)
    quoted = {name: (other.seq, other.hash) for name, other in seen.items()}
    entries, lines = [], []
    for c in changes:
        seq += 1
        draft = Entry(store, writer, seq, prev, quoted, time, c.op, subject, c.object, c.before, c.after, c.detail, "")
        line = _line(draft)
        prev = line_hash(line)
        entries.append(replace(draft, hash=prev))
        lines.append(line + b"\n")
        quoted = {}
    if not entries:
        raise ValueError("a segment needs a change")
    body = b"".join(lines)
    signature = sign(body)
    data = body + json_line({"key": key, "sig": signature}).encode() + b"\n"
    if len(data) > MAX_SEGMENT:
        raise InvalidRecord(f"the log of this commit would be {len(data):,} bytes", "commit in smaller parts")
    return Segment(segment_path(writer, number), number, data, body, tuple(entries), key, signature)


def object_problem(path: str) -> str | None:
    """Why a path cannot stand in the log (None: it can)."""
    if len(path) > _MAX_PATH or not path.isprintable():
        return f"the path {path[:80]!r} is too long or holds characters that cannot be shown"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return f"{path[:80]!r} is not a plain path below the store"
    return None


def op_problem(op: str) -> str | None:
    """Why a word cannot name an operation (None: it can)."""
    return None if _OP.fullmatch(op) else f"{op[:40]!r} is not the name of an operation"


def _line(entry: Entry) -> bytes:
    if problem := object_problem(entry.object):
        raise InvalidRecord(problem, "rename the file")
    fields: dict[str, Json] = {
        "v": VERSION,
        "store": entry.store,
        "writer": entry.writer,
        "seq": entry.seq,
        "prev": entry.prev,
        "seen": {name: list(end) for name, end in entry.seen.items()},
        "time": entry.time,
        "op": entry.op,
        "subject": entry.subject,
        "object": entry.object,
        "before": entry.before,
        "after": entry.after,
        "detail": entry.detail,
    }
    line = json_line(fields).encode("utf-8")
    if len(line) > MAX_LINE:
        raise InvalidRecord(f"the change of {entry.object} is too large to be logged", "commit in smaller parts")
    return line
