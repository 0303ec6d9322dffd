"""The audit log in words, and who wrote what; read from the work tree, without a key and without checking signatures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitmem.core.auditing.audit import ATTEST, Entry, Segment
from gitmem.core.auditing.chain import in_turn
from gitmem.core.auditing.delta import dots_in, raised_in
from gitmem.core.auditing.moment import as_utc
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.collected import is_list_path
from gitmem.core.dots import Dot, dot_of
from gitmem.core.record import Json
from gitmem.errors import InvalidRecord, UsageError
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.auditing.vouched import entries_in, vouched_for
from gitmem.store.layout import AUDIT, parse_record_path

AGENTS = "agents/"
"""What the scopes of single agents begin with."""
_SHORT = 8  # characters of an id after its prefix
_SIGNED_AT = re.compile(rb'"time":"([0-9TZ:-]{20})","v":1,"writer":"[a-z0-9-]+"}$')
_TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change: when, by whom, what was done to which file; for a record its id, kind and scope; how far counters rose."""

    time: str
    member: str
    op: str
    object: str
    record: str | None
    kind: str | None
    scope: str | None
    raised: dict[str, int] = field(default_factory=dict)
    writer: str = ""
    seq: int = 0
    words: str = ""
    before: str | None = None
    after: str | None = None
    hash: str = ""

    @property
    def line(self) -> str:
        """The entry as one line of text: time in UTC to the minute, member, words."""
        return f"{self.time[:10]} {self.time[11:16]}  {self.member}  {self.words}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for.

    `target` is a path or the beginning of a record's id. `agent` is a service member, a replica, or NAME where a record's scope
    is `agents/NAME`. `since` and `until` are beginnings of times as the log has them, both inclusive.
    """

    member: str | None = None
    agent: str | None = None
    op: str | None = None
    target: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, **wanted: str | None) -> Wanted:
        """The same with RFC 3339 times (in UTC unless they say otherwise) or beginnings of one, such as `2026-11-20`.

        Raises UsageError for what is no time.
        """
        times = {name: _bound(name, text) for name in ("since", "until") if (text := wanted.get(name))}
        return cls(**wanted | times)

    def fits(self, entry: LogEntry) -> bool:
        """Whether an entry is among them."""
        return (
            (self.member is None or entry.member == self.member)
            and (self.agent is None or self.agent in _agents(entry))
            and (self.op is None or entry.op == self.op)
            and (self.target is None or entry.object == self.target or (entry.record or "").startswith(self.target))
            and (self.kind is None or entry.kind == self.kind)
            and (self.since is None or entry.time >= self.since)
            and (self.until is None or entry.time[: len(self.until)] <= self.until)
        )


def log(root: Path, *, limit: int | None = None, **wanted: str | None) -> list[LogEntry]:
    """The changes logged in the store at `root`, newest first, at most `limit`; `wanted` are the fields of `Wanted`.

    Raises Tampered for a segment that cannot be read, UsageError as `Wanted.of`.
    """
    asked = Wanted.of(**wanted)
    found: list[LogEntry] = []
    for segment in _newest_first(root, asked.target, asked.since):
        found += filter(asked.fits, map(log_entry, reversed(segment.entries)))
        if limit is not None and len(found) >= limit:
            break
    return found[:limit]


def _bound(name: str, text: str) -> str:
    try:
        return as_utc(text)
    except ValueError:
        raise UsageError(f"{text[:60]!r} is no time", f"a day or a time in UTC: --{name} 2026-11-20T10:00") from None


def _agents(entry: LogEntry) -> set[str]:
    """The names that an agent may go by: a member, a replica, and whose scope a record went to."""
    mine = entry.scope.removeprefix(AGENTS) if entry.scope and entry.scope.startswith(AGENTS) else entry.member
    return {entry.member, entry.writer, _replica_of(entry.writer), mine}


def who_wrote(root: Path, path: str, dot: str) -> tuple[str, str] | None:
    """(member, time) of the write that a register key of the record at `path` names; None if the log does not say (yet)."""
    wrote = dot_of(dot)
    return _author(_mentions(root, path, _replica_of(wrote.writer)), wrote)


def who_wrote_each(root: Path, paths: Collection[str]) -> Callable[[str, str], tuple[str, str] | None]:
    """`who_wrote`, without the root, for some records: the log is read once, however many questions follow."""
    told = vouched_for(root, paths)

    def author(path: str, dot: str) -> tuple[str, str] | None:
        wrote = dot_of(dot)
        replica = _replica_of(wrote.writer)
        return _author(sorted(told[path].entries, key=lambda entry: _replica_of(entry.writer) != replica), wrote)

    return author


def _author(entries: Iterable[Entry], wrote: Dot) -> tuple[str, str] | None:
    """Whose entry covers a write; who only vouched for it if nobody else's does."""
    vouched: tuple[str, str] | None = None
    for entry in entries:
        if _covers(entry.detail, wrote):
            if entry.op != ATTEST:
                return entry.subject, entry.time
            vouched = vouched or (entry.subject, entry.time)
    return vouched


def _replica_of(writer: str) -> str:
    return writer.rpartition("-")[0]


def is_signed(root: Path, path: str, digest: str) -> bool:
    """Whether some entry vouches for the file at `path` with this SHA-256."""
    return any(entry.after == digest for entry in _mentions(root, path, ""))


def _newest_first(root: Path, target: str | None, since: str | None) -> Iterator[Segment]:
    """The segments that may name `target` and are not older than `since`; within one second, what has seen more is newer."""
    sought = (target or "").encode("utf-8", "surrogateescape")
    seconds: dict[str, dict[str, Path]] = {}
    wanted: set[str] = set()
    for path, file in segment_files(root):
        data = file.read_bytes()
        if (time := _time(data)) >= (since or ""):
            seconds.setdefault(time, {})[path] = file
            wanted.update([time] if sought in data else [])
    for time in sorted(wanted, reverse=True):
        segments = [parse_segment(file.read_bytes(), path) for path, file in seconds[time].items()]
        yield from (segment for segment in reversed(in_turn(segments)) if sought in segment.data)


def _time(data: bytes) -> str:
    """When a segment was signed, which each of its lines says near its end; the end of time for what is no segment."""
    found = _SIGNED_AT.search(data.split(b"\n", 1)[0])
    return found[1].decode() if found else "9"


def _mentions(root: Path, path: str, replica: str) -> Iterator[Entry]:
    """The entries about one file, those by the writers of `replica` first. Only lines that name the file are decoded."""
    sought = json.dumps(path, ensure_ascii=False).encode("utf-8", "surrogateescape")
    for _, file in sorted(segment_files(root), key=lambda item: not item[0].startswith(f"{AUDIT}/{replica}-")):
        data = file.read_bytes()
        if sought in data:
            yield from entries_in(data, (path,))


def _covers(detail: dict[str, Json], dot: Dot) -> bool:
    first, last = dots_in(detail).get(dot.writer, (1, 0))
    return first <= dot.n <= last


def log_entry(entry: Entry) -> LogEntry:
    """An entry in words."""
    scope = kind = record = None
    with suppress(InvalidRecord):
        scope, kind, record = parse_record_path(entry.object)
    raised = raised_in(entry.detail)
    what = f"{record[: _SHORT + 2]}… ({kind}, {scope})" if record else entry.object
    words = _WORDS.get(entry.op, _other)(entry, what, raised)
    told = (entry.time, entry.subject, entry.op, entry.object, record, kind, scope, raised, entry.writer, entry.seq, words)
    return LogEntry(*told, entry.before, entry.after, entry.hash)


def _used(_entry: Entry, what: str, raised: dict[str, int]) -> str:
    return f"used {what} {_times(raised)}" if _tries(raised) else f"matched {what} {raised.get('matched', 0)}{_TIMES}"


def _tries(raised: dict[str, int]) -> int:
    return raised.get("fixed", 0) + raised.get("failed", 0)


def _times(raised: dict[str, int]) -> str:
    parts = ", ".join(f"{raised[name]} {name}" for name in ("fixed", "failed") if raised.get(name))
    return f"{_tries(raised)}{_TIMES}: {parts}"


def _other(entry: Entry, what: str, _raised: dict[str, int]) -> str:
    return f"{entry.op} {what}"


def _named(verb: str) -> Callable[[Entry, str, dict[str, int]], str]:
    return lambda _entry, what, raised: f"{verb} {what}" + (f", used {_times(raised)}" if _tries(raised) else "")


def _about(verb: str, name: str) -> Callable[[Entry, str, dict[str, int]], str]:
    """Words for an entry whose detail names a member or a writer."""
    return lambda entry, what, _raised: f"{verb} {_plain(entry.detail.get(name)) or what}"


def _config(entry: Entry, what: str, _raised: dict[str, int]) -> str:
    """Words for a file that is no record; which setting it was, where the entry says so."""
    said = _plain(entry.detail.get("policy")) or _plain(entry.detail.get("redact"))
    return f"changed {what}: {said}" if said else f"changed {what}"


def _plain(value: Json) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def _erasure(entry: Entry) -> str:
    if is_list_path(entry.object):
        return "listed what was erased in"
    return "redacted" if entry.after else "erased"


_WORDS: dict[str, Callable[[Entry, str, dict[str, int]], str]] = {
    "init": lambda entry, _what, _raised: f"founded the store {entry.store}",
    "learn": _named("learned"),
    "edit": _named("edited"),
    "use": _used,
    "forget": _named("forgot"),
    "prune": _named("pruned"),
    "revive": _named("revived"),
    "restore": _named("brought back"),
    "merge": _named("settled"),
    "hand": _named("took in a hand edit of"),
    "events": lambda _entry, _what, _raised: "logged events",
    "archive": lambda entry, _what, _raised: "archived events" if entry.after else "moved events to an archive",
    "enrol": _about("enrolled", "member"),
    "role": lambda entry, _what, _raised: f"made {_plain(entry.detail.get('member'))} {_plain(entry.detail.get('role'))}",
    "remove": _about("removed", "member"),
    "rotate": lambda entry, _what, _raised: f"made a new key for {_plain(entry.detail.get('scope'))}",
    "reseal": _named("sealed anew"),
    "migrate": _named("migrated"),
    "scope": lambda entry, _what, _raised: f"made or changed the scope {_plain(entry.detail.get('scope'))}",
    "key": _about("passed a key to", "member"),
    "config": _config,
    "close": _about("goes on from", "closed"),
    "attest": _named("vouched for"),
    "heal": _named("healed"),
    "quarantine": _named("quarantined"),
    "collect": lambda entry, what, _raised: f"{'collected' if entry.after is None else 'listed what was collected in'} {what}",
    "erase": lambda entry, what, _raised: f"{_erasure(entry)} {what}",
    "rewrite": lambda _entry, _what, _raised: "rewrote the history without what was erased",
    "checkpoint": lambda entry, _what, _raised: f"made a checkpoint over {_plain(str(entry.detail.get('size')))} entries",
    "consent": lambda _entry, _what, _raised: "chose what is logged of them",
    "retire": _about("retired the replica", "replica"),
}
OPS: Final = frozenset(_WORDS)
"""The words for changes."""
