"""The checks of `gitmem audit verify`, one function each: what it finds wrong comes back as problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from gitmem.core.auditing.audit import CLOSE, Entry, Problem, Segment
from gitmem.core.codec import parse
from gitmem.core.collected import is_list_path
from gitmem.core.membership.members import Members, disagreement
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.auditing.contents import Contents, is_log
from gitmem.memory.auditing.history import History
from gitmem.memory.auditing.states import FileHistory, check_file, to_be_read
from gitmem.memory.auditing.vouched import answered
from gitmem.memory.soundness import kept_of
from gitmem.store.layout import MEMBERS, member_path

_AT_ONCE = 1000  # files whose contents are held in memory together


def odd_files(history: History) -> Iterator[Problem]:
    """What is, or was, no plain file; and a clone that shows another history than it has."""
    for path, commit in history.odd.items():
        yield Problem("no plain file", f"{path} (commit {commit[:12]})", "a link or a submodule has no place in a store")
    if history.replaced:
        yield Problem("replaced history", "refs/replace", "this clone shows other commits than those it names")


def rewritten(history: History, segments: list[Segment], contents: Contents) -> Iterator[Problem]:
    """Segments that did not stay what they were: logs are only added to. What somebody put back and answers for is well."""
    suspect = [
        path for path, states in history.states.items() if is_log(path) and (len(states) > 1 or path in history.removals)
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
            if is_log(entry.object):
                entries.setdefault(entry.object, []).append(entry)
    return {path: answered(some) for path, some in entries.items()}


def bad_signatures(segments: list[Segment]) -> Iterator[Problem]:
    """Segments that the key they name did not sign."""
    from gitmem.crypto.signing import verify as verify_signature

    for segment in segments:
        try:
            verify_signature(segment.key, segment.body, segment.signature)
        except GitmemError as error:
            yield Problem("bad signature", segment.path, error.message)


def check_files(
    history: History, segments: list[Segment], members: Members, contents: Contents, only: Collection[str] | None = None
) -> Iterator[Problem]:
    """The bijection between all files of the store but the log's own (or `only` some of them) and the entries."""
    by_object: dict[str, list[Entry]] = {}
    for segment in segments:
        set_aside = segment.path in members.answered  # else one problem tells of all that it says
        for line, entry in enumerate(segment.entries, 1):
            counts = not set_aside or members.counts(segment.path, line)
            if entry.op != CLOSE and not is_log(entry.object) and counts:
                by_object.setdefault(entry.object, []).append(entry)
    told = {path for path in history.states if not is_log(path) and not _is_kept(history, path)}
    paths = sorted(by_object.keys() | told if only is None else only)
    files = ((file_history(history, path, contents.digests), by_object.get(path, [])) for path in paths)
    while some := list(islice(files, _AT_ONCE)):
        loaded = contents.load({digest for file, entries in some for digest in to_be_read(file, entries)})
        for file, entries in some:
            yield from check_file(file, entries, loaded)


def doubted_lists(history: History, segments: list[Segment], members: Members, contents: Contents) -> dict[str, list[bytes]]:
    """The lists of collected records as they ever were of which a segment speaks that somebody has answered for: what it put
    in may have been taken out again."""
    doubted = {entry.object for one in segments if one.path in members.answers for entry in one.entries}
    blobs = {path: history.states.get(path, {}) for path in filter(is_list_path, doubted)}
    return {path: [*contents.load(contents.digests[blob] for blob in some).values()] for path, some in blobs.items()}


def _is_kept(history: History, path: str) -> bool:
    """Whether it is a version of a record that a merge put beside the other: what speaks of that record speaks of it."""
    record = kept_of(path)
    return record is not None and history.states[path].keys() <= history.states.get(record, {}).keys()


def file_history(history: History, path: str, digests: dict[str, str]) -> FileHistory:
    """What the history says of one file, its contents by their SHA-256."""
    states = {digests[blob]: commit for blob, commit in history.states.get(path, {}).items() if blob in digests}
    entry = history.tree.get(path)
    head = digests.get(entry.id) if entry else None
    return FileHistory(path, states, head, history.removals.get(path, []))


def check_members(members: Members, contents: Contents) -> Iterator[Problem]:
    """Member files that are no true picture of the members."""
    shown = contents.at_head(MEMBERS)
    for path in sorted(shown.keys() | {member_path(name) for name in members.by_name}):
        name = path.removeprefix(f"{MEMBERS}/").removesuffix(".yaml")
        try:
            why = disagreement(members, name, parse(shown[path], path) if path in shown else None)
        except InvalidRecord as error:
            why = error.message
        if why:
            yield Problem("wrong member file", path, why)
