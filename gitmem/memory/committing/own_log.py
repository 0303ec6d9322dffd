"""Log files that a commit held, and that git took out of the history: a soft reset, a squash, a rebase that drops one.

What was committed was acknowledged. So such a file is not a leftover of a killed commit, and the next commit takes it in again.
Which of both a file is can be told from git's own log of where HEAD stood (git-reflog(1)), as long as git keeps that, and from
the branches: a squash brings the log of others as well.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.core.auditing.delta import Ledger, record_detail
from gitmem.core.codec import emit
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.memory.auditing.files import gaps
from gitmem.memory.auditing.states import signed_ends
from gitmem.memory.auditing.vouched import entries_in, vouched_for
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, sound_or_none
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import AUDIT, EVENTS, MAX_FILE, is_record_path

if TYPE_CHECKING:
    from gitmem.core.auditing.audit import Entry
    from gitmem.core.record import Json

_STOOD_AT: Final = 200  # commits, the latest that HEAD stood at here
_NOTE: Final = "gaps"


def own_logs(context: Context, paths: Iterable[str]) -> list[str]:
    """Those of the paths that are of segments or batches that this clone wrote, under whatever name."""
    own = tuple(f"{folder}/{name}-" for folder in (AUDIT, EVENTS) for name in own_names(context))
    return [path for path in paths if path.startswith(own)]


def own_names(context: Context) -> tuple[str, ...]:
    """What this replica is called, and was before."""
    return context.store.replica.name, *context.store.marks.former()


def committed_once(context: Context, paths: Collection[str]) -> dict[str, bytes]:
    """Those of `paths`, log files, that are as a commit holds them that HEAD stood at or a branch ends in; with content."""
    root, found = context.store.root, dict[str, bytes]()
    for _, held in _where_held(context, paths, chain(_stood_at(context), _ends(context))):
        found |= {path: data for path, data in held.items() if read_bounded(inside(root, path), MAX_FILE) == data}
    return found


def was_committed(context: Context, path: str) -> bool:
    """Whether a commit that HEAD stood at holds a file of the store."""
    return any(_where_held(context, [path], _stood_at(context)))


@dataclass(slots=True)
class Again:
    """What segments say that are to be committed again: by path the entries about it. Nobody need sign for that twice."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    @classmethod
    def of(cls, logs: Mapping[str, bytes]) -> Again:
        """Read the segments among log files."""
        again = cls()
        for path in sorted(path for path in logs if path.startswith(f"{AUDIT}/")):
            for entry in entries_in(logs[path]):
                again.entries.setdefault(entry.object, []).append(entry)
        return again

    def vouches(self, path: str, content: str | None) -> bool:
        """Whether they sign for a content (SHA-256; None: that it goes)."""
        return any(entry.after == content for entry in self.entries.get(path, []))

    def explains(self, path: str, content: str | None, detail: Mapping[str, Json]) -> bool:
        """Whether a further entry, with this detail, would say nothing: they sign for the content, or for all that is in it."""
        signed = holds_record(path) and content is not None and path in self.entries and not detail
        return signed or self.vouches(path, content)

    def going(self) -> dict[str, set[str | None]]:
        """What goes, as they end, and the contents that it had."""
        going = ((path, {one.before for one in told if one.after is None}) for path, told in self.entries.items())
        return {path: contents for path, contents in going if contents and not signed_ends(self.entries[path])}

    def follows(self, path: str, content: str | None) -> str | None:
        """Which content a further entry takes up, where HEAD holds this one."""
        ends = signed_ends(self.entries.get(path, []))
        return ends.pop() if len(ends) == 1 else content

    def stood(self, path: str, before: State | None, after: State) -> State | None:
        """The record as a further entry that makes it `after` finds it, without its values, where HEAD holds `before`."""
        entries = self.entries.get(path)
        return Ledger.of(entries).brought_on(before or State(after.kind, 0, after.scope, after.id)) if entries else before

    def detail(self, path: str, before: State | None, after: State) -> dict[str, Json]:
        """What a further entry must vouch for, where HEAD holds `before`."""
        return record_detail(before, after, told=self.entries.get(path, ()))


def leaving(context: Context, again: Again, head: str | None) -> set[str]:
    """What HEAD holds still of what went, as segments say that come back: collected records, archived events."""
    store, going = context.store, again.going()
    paths = [store.prefix + path for path in going.keys() - store.pending.paths()]
    held = store.repo.read_paths(head, sorted(paths)) if head and paths else {}
    there = {path.removeprefix(store.prefix): sha256(data).hexdigest() for path, data in held.items()}
    return {path for path, content in there.items() if content in going.get(path, ())}


class Dropped(NamedTuple):
    """Log files that git took out of the history, and the other files as they stand with what was lost beside them."""

    logs: dict[str, bytes]
    files: dict[str, bytes]


def dropped(context: Context) -> Dropped:
    """Segments of ours that are gone from between others, and what they tell of: batches of events, records, members, keys.

    A rebase that left a commit out took them. Nothing is written. What is in no commit that HEAD stood at is looked for once.
    """
    store, lost = context.store, Dropped({}, {})
    missing = sorted(gaps(store.root, own_names(context)))
    if not missing or json.dumps(missing) == store.marks.note(_NOTE):
        return lost
    for commit, segments in _where_held(context, missing, _stood_at(context)):
        told = {entry.object for data in segments.values() for entry in entries_in(data)}
        held = store.repo.read_paths(commit, sorted(store.prefix + path for path in told))
        files = {path.removeprefix(store.prefix): data for path, data in held.items()}
        lost.logs.update(segments | {path: data for path, data in files.items() if path.startswith("log/")})
        lost.files.update({path: whole for path, data in files.items() if (whole := _brought_back(context, path, data))})
    if vain := [path for path in missing if path not in lost.logs]:
        store.marks.set_note(_NOTE, json.dumps(vain))
    return lost


def _brought_back(context: Context, path: str, data: bytes) -> bytes | None:
    """A file with what a dropped commit held of it; None for the log's own, and where nothing of it is to come back."""
    if is_record_path(path):
        here, state = context.store.read(path), sound_or_none(path, data)
        whole = state and context.store.graves.bury(path, merge_all([state, *([here] if here else [])]))
        return emit(whole) if whole else None
    stands = read_bounded(inside(context.store.root, path), MAX_FILE)
    known = [state for content in (stands, data) if (state := sound_or_none(path, content))]
    if path.startswith("log/") or any(entry.after is None for entry in vouched_for(context.store.root, [path])[path].entries):
        return None  # or somebody signed for taking it out
    return emit(merge_all(known)) if known else data if stands is None else None


def _where_held(context: Context, paths: Collection[str], commits: Iterable[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The first of `commits` that hold some of `paths`, with what they hold there; each path once."""
    store, wanted = context.store, set(paths)
    for commit in commits if wanted else ():
        held: dict[str, bytes] = {}
        with suppress(GitmemError):  # git's log may name what is gone
            held = store.repo.read_paths(commit, sorted(store.prefix + path for path in wanted))
        found = {path.removeprefix(store.prefix): data for path, data in held.items()}
        if found:
            yield commit, found
        wanted -= found.keys()
        if not wanted:
            return


def _stood_at(context: Context) -> Iterator[str]:
    done = context.store.repo.call("rev-list", "--walk-reflogs", f"--max-count={_STOOD_AT}", "HEAD")
    yield from dict.fromkeys(done.out.decode().split())


def _ends(context: Context) -> Iterator[str]:
    """Where branches end, here and on remotes as of the last fetch, and what was fetched without a branch."""
    repo = context.store.repo
    yield from dict.fromkeys(repo.run("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes").decode().split())
    if fetched := repo.resolve("FETCH_HEAD"):
        yield fetched
