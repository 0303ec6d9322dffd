"""The audit log: verified against the whole history, read in words, asked who wrote what.

Nothing here needs a decryption key or a network. docs/audit.md says what is signed and what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.core.auditing.audit import Entry, Problem, Segment
from gitmem.core.auditing.chain import check_chain
from gitmem.core.auditing.checkpoint import check_checkpoints
from gitmem.core.collected import FOLDER as LISTS
from gitmem.core.membership.fold import fold
from gitmem.core.nearest import counted
from gitmem.git.repo import Repo
from gitmem.memory.auditing.burials import refuse_burials
from gitmem.memory.auditing.checks import (
    bad_signatures,
    check_files,
    check_members,
    doubted_lists,
    file_history,
    odd_files,
    rewritten,
)
from gitmem.memory.auditing.contents import Contents, is_log
from gitmem.memory.auditing.files import heads
from gitmem.memory.auditing.floors import check_floors
from gitmem.memory.auditing.history import read_history
from gitmem.memory.auditing.log import LogEntry, log, who_wrote
from gitmem.memory.auditing.states import REMOVED, UNSIGNED, FileHistory, check_file, file_detail, to_be_read
from gitmem.store.layout import ATTRIBUTES, OWN_PREFIXES

__all__ = ["AuditReport", "LogEntry", "Problem", "file_detail", "heads", "log", "verify", "who_wrote"]

TRUNCATION = "truncation is not excluded: entries cut off the end, with all they changed, leave no trace in this clone alone"
_MAX_ALIKE = 100


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verification found. `ok` means no problem; `notes` say what was not, or could not be, looked at."""

    ok: bool
    entries: int
    writers: int
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Examined:
    """A store as it was verified: how many entries its log has, its segments (or what must be known of them), what is wrong."""

    entries: int
    segments: list[Segment]
    problems: list[Problem]


def verify(repo: Repo, prefix: str = "", tip: str | None = None) -> AuditReport:
    """Verify the store that lies at `prefix` (empty, or ending in a slash) of a repository, as of `tip` (None: HEAD).

    Never raises for what is wrong with the store: that is a problem in the report. Raises GitmemError when git fails.
    """
    return report(examine(repo, prefix, tip), [*notes(repo, prefix, tip), TRUNCATION])


def examine(repo: Repo, prefix: str, tip: str | None = None) -> Examined:
    """Look at all that `tip` (None: HEAD) reaches."""
    history = read_history(repo, prefix, tip)
    problems = [*odd_files(history)]
    contents = Contents(repo, history)
    segments = contents.segments(problems)
    problems += rewritten(history, segments, contents)
    problems += check_chain(segments)
    problems += check_checkpoints(segments)
    problems += bad_signatures(segments)
    members, found = fold(segments)
    problems += found
    doubted = doubted_lists(history, segments, members, contents)
    problems += refuse_burials(members, segments, contents.at_head(LISTS), doubted)
    problems += check_files(history, segments, members, contents)
    problems += check_members(members, contents)
    problems += check_floors(repo, history.tree, segments, members)
    return Examined(sum(len(segment.entries) for segment in segments), segments, problems)


def report(found: Examined, remarks: list[str]) -> AuditReport:
    """What was found, as it is told."""
    writers = len({segment.writer for segment in found.segments})
    return AuditReport(not found.problems, found.entries, writers, bounded(found.problems), remarks)


def unsigned_files(repo: Repo, prefix: str = "") -> list[tuple[FileHistory, list[Entry]]]:
    """The files with a content, at HEAD or before, that nobody signed for, or that went without an entry."""
    history = read_history(repo, prefix)
    contents = Contents(repo, history)
    entries: dict[str, list[Entry]] = {}
    for segment in contents.segments([]):
        for entry in segment.entries:
            entries.setdefault(entry.object, []).append(entry)
    found = []
    for path in sorted(path for path in history.states if not is_log(path)):
        file, some = file_history(history, path, contents.digests), entries.get(path, [])
        problems = check_file(file, some, contents.load(to_be_read(file, some)))
        if any(problem.what in (UNSIGNED, REMOVED) for problem in problems):
            found.append((file, some))
    return found


def bounded(problems: list[Problem]) -> list[Problem]:
    """The problems, at most a hundred of a kind: one removed segment can leave ten thousand changes unsigned."""
    kept: list[Problem] = []
    seen: dict[str, int] = {}
    for problem in problems:
        seen[problem.what] = seen.get(problem.what, 0) + 1
        if seen[problem.what] <= _MAX_ALIKE:
            kept.append(problem)
    rest = {what: count - _MAX_ALIKE for what, count in seen.items() if count > _MAX_ALIKE}
    return kept + [Problem(what, f"{count:,} more places", "of the same kind") for what, count in rest.items()]


def notes(repo: Repo, prefix: str, tip: str | None = None) -> list[str]:
    """What was not looked at."""
    found = []
    at = tip or repo.head()
    if at is None or not repo.entries(at, [prefix + name for name in OWN_PREFIXES]):
        found.append("HEAD holds no store yet")
    if (repo.common_dir / "shallow").exists():
        found.append("this clone is shallow: what was before it was not looked at; `git fetch --unshallow` brings it")
    if pending := 0 if tip or repo.bare else _pending(repo, prefix):
        found.append(f"not looked at: {counted(pending, 'file')} changed since HEAD; `gitmem commit` signs such changes")
    return found


def _pending(repo: Repo, prefix: str) -> int:
    wanted = [prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    return repo.run("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *wanted).count(b"\0")
