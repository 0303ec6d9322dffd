"""The audit log: verified against the whole history, read in words, asked who wrote what.

Nothing here needs a decryption key or a network. docs/audit.md says what is signed and what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from gitmem.core.audit import CLOSE, MAX_SEGMENT, Entry, Problem, Segment
from gitmem.core.audit_chain import check_chain
from gitmem.core.audit_parse import parse_segment
from gitmem.core.codec import parse
from gitmem.core.membership import Members, disagreement, fold
from gitmem.errors import GitmemError, InvalidRecord, Tampered
from gitmem.git.repo import Repo
from gitmem.memory.audit_files import heads
from gitmem.memory.audit_history import History, read_history
from gitmem.memory.audit_log import LogEntry, log, who_wrote
from gitmem.memory.audit_states import REMOVED, UNSIGNED, FileHistory, check_file, file_detail, to_be_read
from gitmem.memory.soundness import kept_of
from gitmem.memory.vouched import answered
from gitmem.store.layout import ATTRIBUTES, AUDIT, MEMBERS, OWN_PREFIXES, member_path

__all__ = ["AuditReport", "LogEntry", "Problem", "file_detail", "heads", "log", "verify", "who_wrote"]

_MAX_ALIKE = 100
_AT_ONCE = 1000  # files whose contents are held in memory together


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verification found. `ok` means no problem; `notes` say what was not, or could not be, looked at."""

    ok: bool
    entries: int
    writers: int
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(repo: Repo, prefix: str = "") -> AuditReport:
    """Verify the store that lies at `prefix` (empty, or ending in a slash) of a repository, as of HEAD.

    Never raises for what is wrong with the store: that is a problem in the report. Raises GitmemError when git fails.
    """
    history = read_history(repo, prefix)
    problems = [*_odd_files(history)]
    contents = _Contents(repo, history)
    segments = contents.segments(problems)
    problems += _rewritten(history, segments, contents)
    problems += check_chain(segments)
    problems += _bad_signatures(segments)
    members, found = fold(segments)
    problems += found
    problems += _check_files(history, segments, contents)
    problems += _check_members(members, contents)
    entries = sum(len(segment.entries) for segment in segments)
    writers = len({segment.writer for segment in segments})
    return AuditReport(not problems, entries, writers, _bounded(problems), _notes(repo, prefix, history))


class _Contents:
    """The bytes of the files in a history, each blob read and hashed once."""

    def __init__(self, repo: Repo, history: History) -> None:
        self.repo = repo
        self.tree = history.tree
        self.ids: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self._hash({blob for path, blobs in history.states.items() if not _is_log(path) for blob in blobs})

    def _hash(self, blobs: set[str]) -> None:
        for blob, data in self.repo.read_blobs(sorted(blobs), MAX_SEGMENT):
            digest = sha256(data).hexdigest()
            self.digests[blob] = digest
            self.ids[digest] = blob

    def digest(self, blob: str) -> str:
        """The SHA-256 of a blob."""
        return self.digests.get(blob) or sha256(next(data for _, data in self.repo.read_blobs([blob], MAX_SEGMENT))).hexdigest()

    def load(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The bytes with these SHA-256."""
        blobs = self.repo.read_blobs(self.ids[digest] for digest in digests)
        return {self.digests[blob]: data for blob, data in blobs}

    def at_head(self, folder: str) -> dict[str, bytes]:
        """The files below a folder at HEAD."""
        paths = {path: entry.id for path, entry in self.tree.items() if path.startswith(f"{folder}/")}
        return dict(zip(paths, (data for _, data in self.repo.read_blobs(paths.values(), MAX_SEGMENT)), strict=True))

    def segments(self, problems: list[Problem]) -> list[Segment]:
        """The audit segments at HEAD; what is none becomes a problem."""
        segments = []
        for path, data in self.at_head(AUDIT).items():
            try:
                segments.append(parse_segment(data, path))
            except Tampered as error:
                where, _, why = error.message.partition(": ")
                problems.append(Problem("unreadable segment", where, why))
        return segments


def _is_log(path: str) -> bool:
    return path.startswith(f"{AUDIT}/")


def _odd_files(history: History) -> Iterator[Problem]:
    for path, commit in history.odd.items():
        yield Problem("no plain file", f"{path} (commit {commit[:12]})", "a link or a submodule has no place in a store")
    if history.replaced:
        yield Problem("replaced history", "refs/replace", "this clone shows other commits than those it names")


def _rewritten(history: History, segments: list[Segment], contents: _Contents) -> Iterator[Problem]:
    """Segments that did not stay what they were: logs are only added to. What somebody put back and answers for is well."""
    suspect = [
        path for path, states in history.states.items() if _is_log(path) and (len(states) > 1 or path in history.removals)
    ]
    healed = _healed(segments) if suspect else {}
    for path in suspect:
        first, *others = history.states[path]
        answers = healed.get(path, set()) if path in history.tree and history.tree[path].id == first else set()
        for blob in others:
            if contents.digest(blob) not in answers:
                yield Problem("changed segment", path, f"commit {history.states[path][blob][:12]} gave it another content")
        for commit in history.removals.get(path, ()) if None not in answers else ():
            yield Problem("removed segment", path, f"commit {commit[:12]} took it out of the log")


def _healed(segments: list[Segment]) -> dict[str, set[str | None]]:
    """For each segment that was put back the contents that somebody answers for."""
    entries: dict[str, list[Entry]] = {}
    for segment in segments:
        for entry in segment.entries:
            if _is_log(entry.object):
                entries.setdefault(entry.object, []).append(entry)
    return {path: answered(some) for path, some in entries.items()}


def _bad_signatures(segments: list[Segment]) -> Iterator[Problem]:
    from gitmem.crypto.signing import verify as verify_signature

    for segment in segments:
        try:
            verify_signature(segment.key, segment.body, segment.signature)
        except GitmemError as error:
            yield Problem("bad signature", segment.path, error.message)


def _check_files(history: History, segments: list[Segment], contents: _Contents) -> Iterator[Problem]:
    by_object: dict[str, list[Entry]] = {}
    for segment in segments:
        for entry in segment.entries:
            if entry.op != CLOSE and not _is_log(entry.object):
                by_object.setdefault(entry.object, []).append(entry)
    told = {path for path in history.states if not _is_log(path) and not _is_kept(history, path)}
    paths = sorted(by_object.keys() | told)
    files = ((_file(history, path, contents.digests), by_object.get(path, [])) for path in paths)
    while some := list(islice(files, _AT_ONCE)):
        loaded = contents.load({digest for file, entries in some for digest in to_be_read(file, entries)})
        for file, entries in some:
            yield from check_file(file, entries, loaded)


def unsigned_files(repo: Repo, prefix: str = "") -> list[tuple[FileHistory, list[Entry]]]:
    """The files with a content, at HEAD or before, that nobody signed for, or that went without an entry."""
    history = read_history(repo, prefix)
    contents = _Contents(repo, history)
    entries: dict[str, list[Entry]] = {}
    for segment in contents.segments([]):
        for entry in segment.entries:
            entries.setdefault(entry.object, []).append(entry)
    found = []
    for path in sorted(path for path in history.states if not _is_log(path)):
        file, some = _file(history, path, contents.digests), entries.get(path, [])
        problems = check_file(file, some, contents.load(to_be_read(file, some)))
        if any(problem.what in (UNSIGNED, REMOVED) for problem in problems):
            found.append((file, some))
    return found


def _is_kept(history: History, path: str) -> bool:
    """Whether it is a version of a record that a merge put beside the other: what speaks of that record speaks of it."""
    record = kept_of(path)
    return record is not None and history.states[path].keys() <= history.states.get(record, {}).keys()


def _file(history: History, path: str, digests: dict[str, str]) -> FileHistory:
    states = {digests[blob]: commit for blob, commit in history.states.get(path, {}).items() if blob in digests}
    entry = history.tree.get(path)
    head = digests.get(entry.id) if entry else None
    return FileHistory(path, states, head, history.removals.get(path, []))


def _check_members(members: Members, contents: _Contents) -> Iterator[Problem]:
    shown = contents.at_head(MEMBERS)
    for path in sorted(shown.keys() | {member_path(name) for name in members.by_name}):
        name = path.removeprefix(f"{MEMBERS}/").removesuffix(".yaml")
        try:
            why = disagreement(members, name, parse(shown[path], path) if path in shown else None)
        except InvalidRecord as error:
            why = error.message
        if why:
            yield Problem("wrong member file", path, why)


def _bounded(problems: list[Problem]) -> list[Problem]:
    """The problems, at most a hundred of a kind: one removed segment can leave ten thousand changes unsigned."""
    kept: list[Problem] = []
    seen: dict[str, int] = {}
    for problem in problems:
        seen[problem.what] = seen.get(problem.what, 0) + 1
        if seen[problem.what] <= _MAX_ALIKE:
            kept.append(problem)
    rest = {what: count - _MAX_ALIKE for what, count in seen.items() if count > _MAX_ALIKE}
    return kept + [Problem(what, f"{count:,} more places", "of the same kind") for what, count in rest.items()]


def _notes(repo: Repo, prefix: str, history: History) -> list[str]:
    notes = []
    if not history.tree:
        notes.append("HEAD holds no store yet")
    if history.shallow:
        notes.append("this clone is shallow: what was before it was not looked at; `git fetch --unshallow` brings it")
    wanted = [prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    pending = repo.run("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *wanted).count(b"\0")
    if pending:
        notes.append(f"{pending} files differ from HEAD and were not looked at; `gitmem commit` signs them")
    return [
        *notes,
        "truncation is not excluded: entries cut off the end, with all they changed, leave no trace in this clone alone",
    ]
