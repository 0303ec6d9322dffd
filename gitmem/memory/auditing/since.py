"""Verifying what came since a position that was verified before.

It decides only in favour: whatever is not plainly as it should be (changed members or settings, a problem of any sort, more
than records and events) is left to the examination of everything, which then says what is wrong. A commit's id stands for all
that it reaches, so that what the position covers need not be read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gitmem.core.auditing.audit import CLOSE, MAX_SEGMENT, Entry, Segment
from gitmem.core.auditing.chain import chains_of, check_chain
from gitmem.core.auditing.checkpoint import follow
from gitmem.core.auditing.merkle import Subtrees
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.membership.fold import fold
from gitmem.core.membership.members import Members
from gitmem.errors import Tampered
from gitmem.git.repo import ABSENT_MODE, Repo
from gitmem.memory.auditing.checks import bad_signatures, check_files
from gitmem.memory.auditing.contents import Contents, is_log
from gitmem.memory.auditing.floors import behind, newest_epochs
from gitmem.memory.auditing.history import OWN, History, is_replaced, read_history
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.position import DATA_OPS, Position, outline
from gitmem.store.layout import EVENTS, is_record_path

_MOST: Final = 200  # files that are held against all entries about them: beyond that, everything is looked at as fast


@dataclass(frozen=True, slots=True)
class _News:
    """What came since: the steps of the commits, and what each touched file was at the position and is now (ids of blobs)."""

    history: History
    before: dict[str, str]
    now: dict[str, str]


def position_since(repo: Repo, prefix: str, known: Position) -> Position | None:
    """The position at HEAD, if everything since `known` is sound; None where everything must be looked at."""
    head = repo.head()
    if head is None or is_replaced(repo) or (repo.common_dir / "shallow").exists():
        return None
    if head == known.commit:
        return known
    if repo.call("--no-replace-objects", "merge-base", "--is-ancestor", known.commit, head).code:
        return None
    news = _news(repo, prefix, known.commit)
    segments = None if news is None else _segments(repo, news)
    trees = None if segments is None else _chained(known, segments)
    if news is None or segments is None or trees is None:
        return None
    members, found = fold(known.segments + segments)
    doubtful = _doubtful(repo, news, segments, known.met)
    low = behind(repo, newest_epochs(members.rotations), news.now)
    if found or members.answered or low or not _sound(repo, prefix, members, doubtful):
        return None
    entries = known.entries + sum(len(segment.entries) for segment in segments)
    outlines = known.segments + [outline(segment) for segment in segments]
    return Position(head, entries, outlines, known.trees | trees, known.met | doubtful)


def _news(repo: Repo, prefix: str, since: str) -> _News | None:
    """What the commits since a position did; None where it is more than adding to the log and changing records and events."""
    changes = {change.path.removeprefix(prefix): change for change in repo.diff(since, "HEAD", [prefix + name for name in OWN])}
    history = read_history(repo, prefix, since=since)
    touched = history.states.keys() | history.removals.keys() | changes.keys()
    odd = history.odd or not {change.new_mode for change in changes.values()} <= {"100644", ABSENT_MODE}
    if odd or not all(is_log(path) or is_record_path(path) or path.startswith(f"{EVENTS}/") for path in touched):
        return None
    same = [prefix + path for path in touched - changes.keys()]
    kept = {path.removeprefix(prefix): entry.id for path, entry in repo.ls_tree(since, same).items()} if same else {}
    before = {path: change.old for path, change in changes.items() if change.old}
    return _News(history, kept | before, kept | {path: change.new for path, change in changes.items() if change.new})


def _segments(repo: Repo, news: _News) -> list[Segment] | None:
    """The segments that were added; None if the log was not only added to, or one of them is not sound in itself."""
    log = [path for path in news.history.states.keys() | news.history.removals.keys() | news.now.keys() if is_log(path)]
    for path in log:
        states = news.history.states.get(path, {}).keys() | {news.before.get(path, news.now.get(path))}
        if states != {news.now.get(path)} or path in news.history.removals:
            return None
    added = sorted(path for path in log if path not in news.before)
    try:
        blobs = repo.read_blobs([news.now[path] for path in added], MAX_SEGMENT)
        segments = [parse_segment(data, path) for path, (_, data) in zip(added, blobs, strict=True)]
    except Tampered:
        return None
    more = any(entry.op not in DATA_OPS and entry.op != CLOSE for segment in segments for entry in segment.entries)
    return None if more or any(bad_signatures(segments)) else segments


def _chained(known: Position, segments: list[Segment]) -> dict[str, Subtrees] | None:
    """The trees of the chains that went on; None if what came does not fit what was there."""
    if check_chain(known.segments + segments):
        return None
    trees = {}
    for writer, chain in chains_of(segments).items():
        problems, trees[writer] = follow(chain, known.trees.get(writer, []))
        if problems:
            return None
    return trees


def _doubtful(repo: Repo, news: _News, segments: list[Segment], met: set[str]) -> set[str]:
    """The files that did not plainly go on, in one line, from what was verified."""
    about: dict[str, list[Entry]] = {}
    for segment in segments:
        for entry in segment.entries:
            if not is_log(entry.object):
                about.setdefault(entry.object, []).append(entry)
    files = {path for path in news.history.states.keys() | news.history.removals.keys() | news.now.keys() if not is_log(path)}
    moved = {path for path in files | about.keys() if path in about or not _stayed(news, path)}
    straight = {path for path in moved if path in about and path not in met and path not in news.history.removals}
    blobs = {blob for path in straight for blob in _blobs(news, path)}
    digests = {blob: sha256(data).hexdigest() for blob, data in repo.read_blobs(sorted(blobs), MAX_SEGMENT)}
    return moved - {path for path in straight if _went_on(news, path, about[path], digests)}


def _blobs(news: _News, path: str) -> set[str]:
    ends = {blob for blob in (news.before.get(path), news.now.get(path)) if blob}
    return ends | news.history.states.get(path, {}).keys()


def _stayed(news: _News, path: str) -> bool:
    """Whether a file is as it was, and was nothing else in between: a merge shows it to a side that had not got it."""
    return path not in news.history.removals and _blobs(news, path) == {news.before.get(path)} == {news.now.get(path)}


def _went_on(news: _News, path: str, entries: list[Entry], digests: Mapping[str, str]) -> bool:
    """Whether entries lead in one line from the verified content to the present one, and there was no other content."""
    at = digests[news.before[path]] if path in news.before else None
    after, passed = {entry.before: entry.after for entry in entries}, {at}
    while at in after:
        at = after.pop(at)
        passed.add(at)
    contents = {digests[blob] for blob in _blobs(news, path)}
    end = digests[news.now[path]] if path in news.now else None
    return not after and len(passed) == len(entries) + 1 and at == end and contents <= passed


def _sound(repo: Repo, prefix: str, members: Members, paths: set[str]) -> bool:
    """Whether some files are what all entries about them say, in their whole history."""
    if not paths:
        return True
    if len(paths) > _MOST:
        return False
    history = read_history(repo, prefix, paths=sorted(paths))
    some = [*LogAt(repo, prefix, "HEAD").about(paths)]
    return not any(check_files(history, some, members, Contents(repo, history), paths))
