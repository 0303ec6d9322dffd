"""One entry of the log, whole: what it says, whether its signature holds, what stands beside it, a proof that it is there."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from gitmem.core.auditing.audit import Entry, Segment
from gitmem.core.auditing.checkpoint import CHECKPOINT, leaves_of
from gitmem.core.auditing.merkle import inclusion
from gitmem.errors import GitmemError, UsageError
from gitmem.memory.auditing.log import LogEntry, log_entry
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.context import Context

_HASH = re.compile(r"[0-9a-f]{6,64}")
_PLACE = re.compile(r"([a-z0-9]{1,16}-[a-z0-9]{1,16}):([1-9][0-9]{0,14})")


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is leaf `index` (from 0) of the first `size` of its chain, whose root the entry `checkpoint` signs: the
    hashes beside its way up, in hex (RFC 6962, section 2.1.1)."""

    checkpoint: str
    size: int
    index: int
    root: str
    path: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry: all its fields, the place of its line, who signed it (`signature` is `good`, or why it is not), its neighbours
    in the chain, and a proof if a checkpoint covers it."""

    entry: dict[str, Any]
    words: str
    file: str
    line: int
    key: str
    signature: str
    before: LogEntry | None
    after: LogEntry | None
    proof: Proof | None


def show(context: Context, which: str) -> Shown:
    """The entry that `which` names: WRITER:SEQ, or a beginning of its hash. Reads HEAD.

    Raises UsageError where there is none or several, Tampered for a log that cannot be read.
    """
    log = LogAt(context.store.repo, context.store.prefix, "HEAD")
    writer, seq = _found(log, which)
    chain = [*log.chain(writer)]
    entries = [entry for segment in chain for entry in segment.entries]
    segment, entry = next((segment, entry) for segment in chain for entry in segment.entries if entry.seq == seq)
    before, after = (next((log_entry(one) for one in entries if one.seq == at), None) for at in (seq - 1, seq + 1))
    key, good = _signature(segment)
    line = segment.entries.index(entry) + 1
    words, proof = log_entry(entry).words, _proof(chain, entry)
    return Shown(asdict(entry), words, segment.path, line, key, good, before, after, proof)


def _found(log: LogAt, which: str) -> tuple[str, int]:
    if place := _PLACE.fullmatch(which):
        if log.hash_at(place[1], int(place[2])) is None:
            raise UsageError(f"the log has no entry {which}", "`gitmem audit log --json` names writers and numbers")
        return place[1], int(place[2])
    if not _HASH.fullmatch(which):
        raise UsageError(f"{which[:60]!r} names no entry", "say WRITER:SEQ, or six or more digits of an entry's hash")
    found = [(e.writer, e.seq) for segment in log.segments() for e in segment.entries if e.hash.startswith(which)]
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} entries have a hash that begins with {which}", "say WRITER:SEQ")
    return found[0]


def _signature(segment: Segment) -> tuple[str, str]:
    from gitmem.crypto.signing import fingerprint, verify

    try:
        verify(segment.key, segment.body, segment.signature)
        return fingerprint(segment.key), "good"
    except GitmemError as error:
        return segment.key, error.message


def _proof(chain: list[Segment], entry: Entry) -> Proof | None:
    """The proof that leads to the first checkpoint after an entry."""
    later = (one for segment in chain for one in segment.entries if one.op == CHECKPOINT and one.seq > entry.seq)
    made = next(later, None)
    size, root = (made.detail.get("size"), made.detail.get("root")) if made else (None, None)
    if made is None or not isinstance(size, int) or not isinstance(root, str):
        return None
    leaves = [leaf for segment in chain for leaf in leaves_of(segment)][:size]
    path = [one.hex() for one in inclusion(leaves, entry.seq - 1)] if 0 < entry.seq <= len(leaves) else []
    return Proof(f"{made.writer}:{made.seq}", size, entry.seq - 1, root, path)
