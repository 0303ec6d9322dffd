"""Whether each segment and entry was signed by somebody with the right to it, given what is known of all members."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

from gitmem.core.auditing.audit import CLOSE, ENROL, ERASE, INIT, QUARANTINE, REMOVE, ROLE, ROTATE, SCOPE, Problem, Segment
from gitmem.core.auditing.causality import node_of
from gitmem.core.auditing.chain import Node
from gitmem.core.membership.members import Members, Rank, own_scope
from gitmem.core.membership.outsiders import WasIn, written_from_outside
from gitmem.core.membership.rights import key_place, rank_for, scope_of

ABOUT_MEMBERS = frozenset({INIT, ENROL, ROLE, REMOVE, ROTATE, SCOPE})


class Places(NamedTuple):
    """What is known of somebody (name) at a place: their rank, whether they are an admin of a scope, whether they are in it, or
    were by what had been seen there."""

    rank_at: Callable[[str, Node], Rank]
    owns_at: Callable[[str, str, Node], bool]
    is_in_at: Callable[[str, str, Node], bool]
    was_in_at: WasIn


def judge(ordered: Iterable[Segment], members: Members, places: Places) -> list[Problem]:
    """Note in `members.refused` what does not count, and return it as problems but for what somebody else has answered for."""
    judging, segments = _Judging(members, places), list(ordered)
    for segment in segments:
        judging.take(segment)
    judging.outsiders(segments)
    return judging.problems()


def is_open(members: Members, segment: Segment) -> bool:
    """Whether nobody but its signer has answered for a refused segment; those that somebody has are noted."""
    digest, signer = sha256(segment.data).hexdigest(), members.holder(segment.key)
    if any(content == digest and who != signer for who, content in members.answers.get(segment.path, ())):
        members.answered.add(segment.path)
        return False
    return True


class _Judging:
    def __init__(self, members: Members, places: Places) -> None:
        self.members = members
        self.rank_at, self.owns_at, self.is_in_at, self.was_in_at = places
        self.owners: dict[str, str] = {}
        self.known: set[tuple[str, str | None]] = set()  # (file, content) that stood there by right
        self.strangers: list[Segment] = []
        self.refused: dict[str, Segment] = {}

    def take(self, segment: Segment) -> None:
        """Judge one segment; those it has seen were judged before."""
        signer = self.members.holder(segment.key)
        if signer is None:
            self.strangers.append(segment)
            told = self.members.refused.get(segment.path, {})
            kept = {line: why for line, why in told.items() if segment.entries[line - 1].op == INIT}
            self.members.refused[segment.path] = {0: f"no chain of enrolments leads to its key {segment.key[:80]!r}"} | kept
            self.refused |= {segment.path: segment} if kept else {}
            return
        why = self._forged(segment, signer) or self._late(segment, signer)
        if why:
            self.members.refused[segment.path] = {0: why}
        else:
            self._entries(segment, signer)
        if segment.path in self.members.refused:
            self.refused[segment.path] = segment

    def outsiders(self, segments: list[Segment]) -> None:
        """Refuse what was written into scopes by who is not in them, now that all is known that their members wrote."""
        for segment, line, why in [*written_from_outside(segments, self.members, self.was_in_at)]:
            self.members.refused.setdefault(segment.path, {})[line] = why
            self.refused[segment.path] = segment

    def problems(self) -> list[Problem]:
        """Everything refused that nobody else has answered for."""
        refused, strangers = self.members.refused, self.strangers
        found = [Problem("unknown signer", s.path, refused[s.path][0]) for s in strangers if is_open(self.members, s)]
        unknown = {segment.path for segment in strangers}
        for path, segment in self.refused.items():
            if is_open(self.members, segment):
                lines = sorted(self.members.refused[path].items())
                found += [
                    Problem("not entitled", f"{path}:{line or 1}", why) for line, why in lines if line or path not in unknown
                ]
        return found

    def _forged(self, segment: Segment, signer: str) -> str | None:
        """Whether a member signed as themselves, in a log of their own, in this store (None: they did)."""
        first = segment.entries[0]
        if first.subject != signer:
            return f"names {first.subject} as the one who acts and is signed by {signer}"
        if first.store != self.members.store:
            return f"belongs to the store {first.store}, not to {self.members.store}"
        if self.owners.setdefault(segment.writer, signer) != signer:
            return f"{signer} wrote into the log of {self.owners[segment.writer]}"
        closed = first.detail.get("closed") if first.op == CLOSE else None
        if isinstance(closed, str) and self.owners.get(closed, signer) != signer:
            return f"{signer} closed the log of {self.owners[closed]}"
        return None

    def _late(self, segment: Segment, signer: str) -> str | None:
        if self.rank_at(signer, node_of(segment)) is not Rank.NONE:
            return None
        return f"{signer} was no member here: removed, and whoever did so had not seen this"

    def _entries(self, segment: Segment, signer: str) -> None:
        rank = self.rank_at(signer, node_of(segment))
        refused = self.members.refused.get(segment.path, {}) | self._erasures(segment, signer, rank)
        for line, entry in enumerate(segment.entries, 1):
            if line in refused:
                self.members.refused.setdefault(segment.path, {})[line] = refused[line]
                continue
            if entry.op not in ABOUT_MEMBERS and rank < self._needed(entry.object, signer, segment, line):
                why = f"{signer}, a {rank.name.lower()}, had no right to change {entry.object}"
                self.members.refused.setdefault(segment.path, {})[line] = why
                continue
            self.known.add((entry.object, entry.after))
            if entry.op == QUARANTINE and entry.object.startswith("log/"):
                self.members.answers.setdefault(entry.object, set()).add((signer, entry.after))

    def _erasures(self, segment: Segment, signer: str, rank: Rank) -> dict[int, str]:
        """The erasures of a segment, one of which is in a scope that its signer has no part in: with their graves one act."""
        told = {line: entry for line, entry in enumerate(segment.entries, 1) if entry.op == ERASE}
        if rank >= Rank.ADMIN or not told:
            return {}
        scopes = {scope_of(entry.object) for entry in told.values()} - {""}
        closed = sorted(scope for scope in scopes if not self.is_in_at(signer, scope, node_of(segment)))
        return dict.fromkeys(told, f"{signer}, who is not in {closed[0]}, had no right to erase there") if closed else {}

    def _needed(self, path: str, signer: str, segment: Segment, line: int) -> Rank:
        entry = segment.entries[line - 1]
        content = (path, entry.before if entry.after is None else entry.after)
        restores = (content in self.known) != (entry.after is None)
        place = key_place(path)
        if place is not None and self.owns_at(signer, place[0], node_of(segment)):
            return Rank.SERVICE if place[0] == own_scope(signer) else Rank.MEMBER
        return rank_for(entry, signer, restores=restores, strict=self.members.policy > 1)
