"""The replicas of a store as its audit log knows them: whose they are, when they were last heard, and what they have heard.

A segment quotes the ends of the other chains that came in since the writer's last one, and its first segment all of them. So
what a replica has heard is the furthest end of each chain that any segment of any of its writers quotes. Its tree held
what it quotes, because a commit brings a segment together with the files that it signs for. A replica that signs nothing
announces on the remote which commit it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import CLOSE, ERASE, FORGET, PRUNE, REWRITE, Head, Segment, segment_path
from gitmem.core.auditing.parse import parse_ends
from gitmem.errors import Tampered
from gitmem.git.remote import HEARD, INCOMING, Upstream
from gitmem.git.remote import announce as announce_ref
from gitmem.git.repo import Repo
from gitmem.memory.auditing.files import heads
from gitmem.memory.context import Context
from gitmem.store.layout import AUDIT

_ANNOUNCEMENT = re.compile(rf"{INCOMING}.+/heard/([a-z0-9]{{1,16}})")

Heard = dict[str, int]
"""Of each writer the number of the last entry that a replica has heard of."""


@dataclass(slots=True)
class Replica:
    """One clone: its name, the member who signs there, and when it last signed (RFC 3339, UTC)."""

    name: str
    member: str
    last: str
    heard: Heard = field(default_factory=dict)

    def has_heard(self, entries: Iterable[tuple[str, int]]) -> bool:
        """Whether it has heard of one of these entries, each a writer and a number."""
        return any(self.heard.get(writer, 0) >= seq for writer, seq in entries)


def replica_of(writer: str) -> str:
    """The replica that a writer's name belongs to."""
    return writer.rpartition("-")[0]


def replicas(segments: Iterable[Segment]) -> dict[str, Replica]:
    """Every replica that has ever signed, by name, but for those whose chain another one has closed and goes on with."""
    found: dict[str, Replica] = {}
    closed: set[str] = set()
    for segment in segments:
        first = segment.entries[0]
        one = found.setdefault(replica_of(segment.writer), Replica(replica_of(segment.writer), first.subject, first.time))
        if first.time >= one.last:
            one.member, one.last = first.subject, first.time
        _hear(one.heard, {segment.writer: segment.entries[-1].seq})
        _hear(one.heard, {writer: seq for writer, (seq, _) in first.seen.items()})
        if first.op == CLOSE:
            closed |= {replica_of(str(first.detail.get("closed")))} - {one.name}
    return {name: one for name, one in found.items() if name not in closed}


def _hear(heard: Heard, more: Mapping[str, int]) -> None:
    for writer, seq in more.items():
        heard[writer] = max(seq, heard.get(writer, 0))


def replicas_of(context: Context, segments: Iterable[Segment]) -> dict[str, Replica]:
    """The replicas by the log, with what they have announced beside it. `segments` are all there are in the work tree."""
    ends: dict[str, tuple[str, int]] = {}

    def noted() -> Iterator[Segment]:
        for segment in segments:
            ends[segment.path] = (segment.writer, segment.entries[-1].seq)
            yield segment

    found = replicas(noted())
    for name, commit in _announced(context.store.repo):
        if name in found and context.store.repo.resolve(commit):
            held = context.store.repo.ls_tree(commit, [context.store.prefix + AUDIT])
            paths = (path.removeprefix(context.store.prefix) for path in held)
            for writer, seq in (ends[path] for path in paths if path in ends):
                _hear(found[name].heard, {writer: seq})
    return found


def _announced(repo: Repo) -> Iterator[tuple[str, str]]:
    """The replicas that have announced a commit which they hold, as of the last fetch from any remote."""
    lines = repo.run("for-each-ref", "--format=%(refname) %(objectname)", INCOMING).decode().splitlines()
    for ref, _, commit in (line.partition(" ") for line in lines):
        if match := _ANNOUNCEMENT.fullmatch(ref):
            yield match[1], commit


def announce(context: Context, source: Upstream) -> None:
    """Let the remote know which commit is held here, if deletions came in that nothing has been signed since.

    Every commit tells what was heard, beside what it is made for, and needs no announcement. But who only reads would keep
    everybody else's `gc` waiting, and a commit for nothing but that would have to be taken in by everybody again. So it is a
    ref on the remote, beside the branch. Who has never signed is not waited for; what the remote does not take is not missed.
    """
    store = context.store
    head = store.repo.head()
    own = json.loads(store.marks.note("audit", "null"))
    if head and own and replica_of(own[0]) == store.replica.name and _unanswered(context):
        announce_ref(store.repo, source, f"{HEARD}{store.replica.name}", head)


def _unanswered(context: Context) -> bool:
    """Whether a deletion came in since our last segment."""
    root = context.store.root
    told = json.loads(context.store.marks.note("told", "{}"))
    mine = f"{context.store.replica.name}-"
    ends = (end for writer, end in heads(root).items() if not writer.startswith(mine))
    return any(_forgets(root, end, told.get(end.writer, [0])[0]) for end in ends)


def _forgets(root: Path, end: Head, told: int) -> bool:
    """Whether the entries of a chain after number `told` delete a record. Only the segments that hold them are read."""
    number, first = end.segment, end.seq + 1
    while number and first > told + 1:
        path = segment_path(end.writer, number)
        try:
            data = (root / path).read_bytes()
            segment = parse_ends(data, path)
        except (FileNotFoundError, Tampered):
            return True  # a later one was picked without it, or it is none: what it should be may say so when it comes
        if any(f'"op":"{op}"'.encode() in data for op in (FORGET, PRUNE, ERASE, REWRITE)):
            return True
        number, first = number - 1, segment.entries[0].seq
    return False
