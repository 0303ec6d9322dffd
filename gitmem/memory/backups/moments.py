"""Which state of the store is meant by a backup, a snapshot, a place in the log, or a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gitmem.core.auditing.audit import segment_path
from gitmem.core.auditing.moment import Ends, at_entry, at_time
from gitmem.core.backups import ID, Manifest, builds_up
from gitmem.core.codec import parse
from gitmem.core.merge import merge, normalise
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, Tampered, UsageError
from gitmem.git.bundles import independent
from gitmem.git.lineage import walk
from gitmem.git.snapshots import REFS, all_snapshots
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.backups.chain import backup_named, destination_of, read_chain, unsigned
from gitmem.memory.backups.rebuild import unpack
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here
from gitmem.store.layout import AUDIT, MEMORY, is_record_path
from gitmem.store.scratch import scratch

NEWEST: Final = "newest"
"""The newest backup, whichever that is."""

_PLACE: Final = re.compile(r"([a-z0-9]{1,16}-[a-z0-9]{1,16}):([1-9][0-9]{0,14})")
_TIME: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}Z?)?)?)?)?)?")
_FIRST: Final = "0001-01-01T00:00:00"
_SNAPSHOT: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the store: the one that some commits hold together. `at` is how it was named, or found to be named."""

    at: str
    commits: list[str]


def moment_of(context: Context, at: str, where: str | None = None) -> Moment:
    """The moment that is named: a backup (what this clone lacks of it is fetched), a snapshot, WRITER:SEQ, or a time.

    Raises UsageError for what names nothing, and as reading a backup does.
    """
    if at == NEWEST or ID.fullmatch(at):
        return _of_backup(context, at, where)
    if _SNAPSHOT.fullmatch(at):
        return _of_snapshot(context, at)
    place = _PLACE.fullmatch(at)
    if place is None and not _is_time(at):
        raise UsageError(
            f"{at[:60]!r} names no state of the store", "a time in UTC (2026-11-20T10:00), WRITER:SEQ, a backup, a snapshot"
        )
    log = LogAt(context.store.repo, context.store.prefix, _head(context))
    segments = [*log.segments()]
    ends = at_entry(segments, place[1], int(place[2])) if place else at_time(segments, at)
    if ends is None:
        raise UsageError(f"the log has no entry {at}", "`gitmem audit log --json` shows writers and numbers")
    if not ends:  # nothing would come back, and with --replace everything would go
        raise UsageError(f"there was no store yet at {at}", f"its log begins at {min(one.entries[0].time for one in segments)}")
    return Moment(at, _commits(context, ends))


def _is_time(text: str) -> bool:
    """Whether it is a time or the beginning of one, of a day that there is."""
    whole = text.removesuffix("Z") + _FIRST[len(text.removesuffix("Z")) :]
    try:
        return _TIME.fullmatch(text) is not None and bool(datetime.fromisoformat(whole))
    except ValueError:
        return False


def records_at(context: Context, moment: Moment) -> dict[str, State]:
    """The records that a moment holds otherwise than HEAD, or that wait for a commit, by path.

    A file that is no sound record is left out, and warned of.
    """
    head, *trees = [_records(context, commit) for commit in (_head(context), *moment.commits)]
    pending = set(context.store.pending.paths())
    differ = {path for tree in trees for path, blob in tree.items() if head.get(path) != blob or path in pending}
    found: dict[str, State] = {}
    for tree in trees:
        for path, state in _states(context, {path: blob for path, blob in tree.items() if path in differ}):
            found[path] = merge(found[path], state) if path in found else state
    return found


def paths_at(context: Context, moment: Moment) -> set[str]:
    """The paths of all records that a moment holds."""
    return {path for commit in moment.commits for path in _records(context, commit)}


def _records(context: Context, commit: str) -> dict[str, str]:
    """The blobs of the records that a commit holds, by path."""
    repo, prefix = context.store.repo, context.store.prefix
    files = ((path.removeprefix(prefix), entry) for path, entry in repo.ls_tree(commit, [prefix + MEMORY]).items())
    return {path: entry.id for path, entry in files if entry.mode.startswith("100") and is_record_path(path)}


def _states(context: Context, blobs: dict[str, str]) -> Iterator[tuple[str, State]]:
    for path, (_, data) in zip(blobs, context.store.repo.read_blobs(blobs.values()), strict=True):
        try:
            yield path, normalise(parse(data, path))
        except InvalidRecord as error:
            context.warn(error.message)


def _head(context: Context) -> str:
    head = context.store.repo.head()
    if head is None:
        raise GitmemError("nothing was committed here yet", "gitmem backup restore --from DIR|URL NEW-DIRECTORY")
    return head


def _commits(context: Context, ends: Ends) -> list[str]:
    """The commits in which the segments that a moment ends with came into the history, without what another one reaches."""
    repo, prefix = context.store.repo, context.store.prefix
    wanted = {prefix + segment_path(writer, number) for writer, number in ends.items()}
    found: dict[str, str] = {}
    for step in walk(repo, _head(context), None, sorted(wanted) if wanted else [prefix + AUDIT]):
        if step.path in wanted and step.new is not None:
            found.setdefault(step.path, step.commit)
    return independent(repo, sorted(set(found.values())))


def _of_snapshot(context: Context, name: str) -> Moment:
    for one in all_snapshots(context.store.repo):
        if one.ref == REFS + name:
            return Moment(name, [one.commit])
    raise UsageError(f"this clone has no snapshot {name}", f"`git for-each-ref {REFS}` lists them")


def _of_backup(context: Context, at: str, where: str | None) -> Moment:
    place = destination_of(context, where)
    chain, problems = read_chain(place)
    some = backup_named(place, chain, None if at == NEWEST else at)
    one = some[-1]
    members = standing_here(context)
    links = [link for link in chain if link.manifest in some]
    problems = unsigned(links, place, lambda key: members.holder(key) is not None)
    if problems or not builds_up(some) or one.store != context.store.id:
        why = f"{problems[0].where}: {problems[0].why}" if problems else "what it builds on is not there, or is another store's"
        raise Tampered(f"{one.id} cannot be restored: {why}", "`gitmem backup verify` tells more; name another one")
    _fetch(context, some, where)
    return Moment(one.id, [one.commit])


def _fetch(context: Context, some: list[Manifest], where: str | None) -> None:
    """Bring what this clone lacks of some backups into its repository, where it hangs from nothing."""
    store, place = context.store, destination_of(context, where)
    with scratch(store.local) as folder:
        for number, one in enumerate(some):
            if store.repo.resolve(one.commit) is None:
                context.progress("fetching backups", number, len(some))
                unpack(place, one, store.repo, store.vault.identities, folder)
