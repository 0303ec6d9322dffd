"""Lists of collected records that nobody with the right to it signed for: they are neither taken in nor brought back.

Such a list is acted upon while it is taken in: one that a host has put in would bury records that nobody deleted. So the log
that comes with it must vouch for it first. What else is not signed for is set right once it is there, see `enforcing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

from gitmem.core.audit import MAX_SEGMENT, Entry, Segment
from gitmem.core.audit_parse import parse_segment
from gitmem.core.collected import is_list_path
from gitmem.core.membership import fold
from gitmem.errors import Tampered
from gitmem.git.repo import Repo
from gitmem.memory.auditing.states import unexplained
from gitmem.memory.members.folded import genuine
from gitmem.store.layout import AUDIT

Entries: TypeAlias = dict[str, list[Entry]]


def unvouched(repo: Repo, prefix: str, commit: str, lists: Mapping[str, bytes]) -> dict[str, str]:
    """Those of `lists`, by path below the store, that the log in `commit` does not vouch for, with the reason."""
    entries = entries_of_lists(repo, prefix, commit) if lists else {}
    told = ((path, why_not(path, data, entries)) for path, data in lists.items())
    return {path: f"no member with the right to it signed for it: {why}" for path, why in told if why}


def why_not(path: str, data: bytes, entries: Entries) -> str | None:
    """Why entries do not vouch for a content of the list at `path`; None if they do."""
    return unexplained(path, sha256(data).hexdigest(), data, entries.get(path, []))


def entries_of_lists(repo: Repo, prefix: str, commit: str, lost: Mapping[str, bytes] = MappingProxyType({})) -> Entries:
    """By path what the log says of lists, as far as its signers had the right to say it.

    That is the log in `commit`, and segments that it has `lost`.
    """
    segments = list(genuine(list(_segments({**_contents(repo, prefix, commit), **lost}))))
    members, _ = fold(segments)
    found: Entries = {}
    for segment in segments:
        for line, entry in enumerate(segment.entries, 1):
            if is_list_path(entry.object) and members.counts(segment.path, line):
                found.setdefault(entry.object, []).append(entry)
    return found


def _contents(repo: Repo, prefix: str, commit: str) -> dict[str, bytes]:
    tree = {path: entry.id for path, entry in repo.ls_tree(commit, [prefix + AUDIT]).items() if entry.mode.startswith("100")}
    paths = [path.removeprefix(prefix) for path in tree]
    return dict(zip(paths, (data for _, data in repo.read_blobs(tree.values(), MAX_SEGMENT)), strict=True))


def _segments(contents: Mapping[str, bytes]) -> Iterator[Segment]:
    for path, data in contents.items():
        with suppress(Tampered):
            yield parse_segment(data, path)
