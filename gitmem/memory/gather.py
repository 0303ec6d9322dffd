"""What goes into the next commit: journalled writes, events, hand edits, and nothing of anybody else's."""

from __future__ import annotations

import os
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from gitmem.core.auditing.audit import ATTEST, COLLECT, PRUNE, RESTORE, Change
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit, parse
from gitmem.core.collected import is_list_path
from gitmem.core.merge import merge_all, normalise
from gitmem.core.record import Json, State
from gitmem.core.retention import is_pruned
from gitmem.errors import GitmemError, InvalidRecord, NoKey, NoRoom
from gitmem.git.commits import refresh_index
from gitmem.git.lost_head import is_lost
from gitmem.git.underway import broken_heads, under_way
from gitmem.git.worktree import left_out
from gitmem.memory.auditing import acts
from gitmem.memory.checkup.halves import half_written, is_cut_off, set_aside
from gitmem.memory.context import Context
from gitmem.memory.events import event_files, uncommitted_events
from gitmem.memory.own_log import Again, committed_once, leaving, own_logs
from gitmem.memory.plaintext import refuse_plaintext
from gitmem.store.files import inside, is_abandoned, read_bounded, write_atomic
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG, EVENTS, KEYS, MEMBERS, MEMORY, OWN_PREFIXES, SCHEMAS, is_record_path
from gitmem.store.opened import resealed

_MAX_FILE = 64 << 20  # bytes of any file a store holds
_PROGRESS_STEP = 500
_GROWING = (f"{MEMORY}/", f"{AUDIT}/", f"{EVENTS}/")


_UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})  # git-status(1)


class Unmerged(GitmemError):
    """Files of the store are in conflict in git's index."""


@dataclass(slots=True)
class Batch:
    """The files of one commit with their audit entries, and what had to be left out, in words.

    `left` names the records among it, whose journalled writes must wait on; `events` is the path of the batch of events, `acts`
    are those that tell of reads and the like; `again` is what segments say that come back.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    records: int = 0
    events: str | None = None
    acts: list[Json] = field(default_factory=list)
    again: Again = field(default_factory=Again)

    def put(self, path: str, data: bytes | None, before: bytes | None, op: str, detail: dict[str, Json] | None = None) -> None:
        """Add a file (None: it goes) with its entry, unless nothing about it changes."""
        if data == before:
            return
        self.files[path] = data
        self.changes.append(Change(op, path, self.again.follows(path, digest(before)), digest(data), detail or {}))

    def take(self, path: str, data: bytes | None, before: bytes | None, op: str, detail: dict[str, Json]) -> None:
        """The same for what lies in the work tree: what a segment that comes back vouches for is signed for."""
        if data != before and self.again.explains(path, digest(data), detail):
            self.files[path] = data
        else:
            self.put(path, data, before, op, detail)


def digest(data: bytes | None) -> str | None:
    """SHA-256 of a file's bytes in hex, None for a file that is not there."""
    return None if data is None else sha256(data).hexdigest()


def gather(context: Context, head: str | None, changed: Iterable[str], dropped: Mapping[str, bytes]) -> Batch:
    """Collect the batch under the store's lock; `changed` are the store's paths that differ from HEAD in the work tree.

    `dropped` are log files that are neither in HEAD nor in the work tree, and are to be.
    Work-tree files of pending records are brought up to date on the way.
    """
    store = context.store
    batch = Batch()
    dirty = set(changed)
    paths = sorted(dirty | set(store.pending.paths()))
    records = [path for path in paths if is_record_path(path)]
    restored = _restored(store.pending.events)
    committed = contents_at(context, head, paths)
    again = committed_once(context, [path for path in dirty.difference(committed) if path.startswith("log/")])
    batch.again = Again.of({**again, **dropped})
    going = leaving(context, batch.again, head)
    records = [path for path in records if path not in going]
    for number, path in enumerate(records):
        if number % _PROGRESS_STEP == 0:
            context.progress("records", number, len(records))
        try:
            _gather_record(context, batch, path, committed.get(path), restored)
        except InvalidRecord as error:
            batch.skipped.append(error.message)
            batch.left.add(path)
    batch.records = len(batch.files)
    unchanged = (dirty & committed.keys() & set(records)) - batch.files.keys() - batch.left
    _stage_as_committed(context, head, sorted(unchanged))
    batch.files |= {**again, **dropped, **dict.fromkeys(going)}
    dirty -= going
    for path in sorted(dirty.difference(records, again, _as_committed(context, head, dirty, committed))):
        _gather_other(context, batch, path, committed.get(path))
    events = uncommitted_events(context, head)
    batch.acts = acts.waiting(context, anyway=bool(events or batch.changes))
    for path, data in event_files(context, [*events, *batch.acts]).items():
        batch.put(path, data, None, "events")
        batch.events = path
    return batch


def drop_leftovers(context: Context, commits: Iterable[str | None], wanted: Collection[str] = ()) -> list[str]:
    """Remove what a killed process left in the work tree, and return the other paths of the store that were changed there.

    That is half-written files, and log files of ours that none of `commits` (HEAD, and what is being merged) holds, nor one
    that HEAD stood at: a commit was cut short, and the journal still has what they say. Half-written files of others are set
    aside. What is `wanted` stays.
    """
    store = context.store
    store.confirm()  # first: whoever takes a new name knows the old ones, whose files these may be
    changed = list(own_changes(context, merged=True))
    fresh = [path for path in own_logs(context, changed) if path not in wanted]
    unheld = set(fresh) - {path for commit in commits for path in contents_at(context, commit, fresh)}
    gone = unheld - committed_once(context, unheld).keys() | {path for path in changed if is_abandoned(path.rpartition("/")[2])}
    for path in gone:
        inside(store.root, path).unlink(missing_ok=True)
    gone |= _set_aside_halves(context, commits, {*changed} - {*fresh} - gone - {*wanted})
    forget_staged(context, gone)
    return [path for path in changed if path not in gone]


def forget_staged(context: Context, paths: Iterable[str]) -> None:
    """Take paths of the store out of git's index."""
    store = context.store
    names = "".join(f"{store.prefix}{path}\0" for path in sorted(paths))
    if names:
        store.repo.run("update-index", "--force-remove", "-z", "--stdin", input=os.fsencode(names))


def _set_aside_halves(context: Context, commits: Iterable[str | None], changed: Collection[str]) -> set[str]:
    pending = set(context.store.pending.paths())
    others = [
        path for path in sorted(changed) if path.startswith(_GROWING) and (path not in pending or is_cut_off(context, path))
    ]
    halves = set(half_written(context, others)) if others else set()
    halves -= {path for commit in commits for path in contents_at(context, commit, sorted(halves))}
    for path in halves:
        set_aside(context, path)
        context.warn(f"{path} was half written by a git that was killed: it is set aside, and the next sync brings it")
    return halves


def own_changes(context: Context, *, merged: bool = False) -> Iterator[str]:
    """The store's own paths that differ between the work tree and HEAD, as paths below the store's root.

    What the repository's .gitignore names (`log/`, `*.yaml`) is looked at as well where the store keeps its files.
    Where all are to be `merged`, raises Unmerged for one that git has left in conflict.
    """
    store = context.store
    prefix = store.prefix
    wanted = [f"{prefix}{name}" for name in (*OWN_PREFIXES, ATTRIBUTES)]
    words = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--no-renames", "--", *wanted)
    try:
        listing = store.repo.run(*words)
    except NoRoom:  # for what git has seen and would write down in its index
        listing = store.repo.run("--no-optional-locks", *words)
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        path = entry[3:].removeprefix(prefix)
        if merged and entry[:2] in _UNMERGED:
            raise Unmerged(f"git left {path} in conflict", "`gitmem sync` settles it, and `gitmem doctor --fix`")
        if entry and (not entry.startswith("!!") or _is_own(path)):
            yield path


def _is_own(path: str) -> bool:
    """Whether an ignored file is the store's, and not an editor's or the desktop's."""
    mine = path.startswith((f"{AUDIT}/", f"{EVENTS}/", f"{MEMBERS}/", f"{KEYS}/", f"{SCHEMAS}/"))
    return mine or path == CONFIG or is_list_path(path) or is_record_path(path) or is_abandoned(path.rpartition("/")[2])


def contents_at(context: Context, revision: str | None, paths: list[str]) -> dict[str, bytes]:
    """The content of those of `paths` (below the store's root) that a revision holds."""
    if revision is None or not paths:
        return {}
    prefix = context.store.prefix
    found = context.store.repo.read_paths(revision, [prefix + path for path in paths])
    return {path.removeprefix(prefix): data for path, data in found.items()}


def _gather_record(context: Context, batch: Batch, path: str, before: bytes | None, restored: Container[str]) -> None:
    store = context.store
    old = parse_or_none(before, path)
    on_disk = store.read_file(path)
    pending = store.pending.get(path)
    # What HEAD holds is joined in as well: a file that is older (a merge that was killed, a checkout) takes nothing back.
    parts = [state for state in (on_disk, pending, old) if state is not None]
    if not parts:
        return
    _refuse_damage(context, path, on_disk, parts[on_disk is not None :])
    state = store.graves.bury(path, merge_all(parts))
    if state is None:
        inside(store.root, path).unlink(missing_ok=True)  # collected, and brought back by a hand or a merge without gitmem
        grave = store.graves.of(path)
        batch.take(path, None, before, COLLECT, batch.again.detail(path, old, grave) if old and grave else {})
        return
    if on_disk is None and old is not None:  # a record's file goes only by `gc`: one that was removed by hand comes back
        batch.skipped.append(f"{path} had been removed by hand and was put back; `gitmem forget` deletes a record")
    old = old or store.graves.of(path)
    refuse_plaintext(context, state, path)
    with suppress(NoKey):  # who cannot read it leaves it sealed as it is
        state = resealed(store.vault, state)
    data = emit(state)
    if read_bounded(inside(store.root, path), _MAX_FILE) != data:
        store.put_file(path, data)
    if data == before and pending is not None:
        _vouch(context, batch, path, state, data)
    op = _operation(batch.again.stood(path, old, state), state, restored, by_hand=pending is None)
    batch.take(path, data, before, op, batch.again.detail(path, old, state))


def _refuse_damage(context: Context, path: str, on_disk: State | None, known: list[State]) -> None:
    """Raise InvalidRecord if a file says what nobody can have written."""
    if on_disk is not None and on_disk not in known:
        from gitmem.memory.checkup.bitrot import refuse_damage  # which needs what needs this

        refuse_damage(context, path, on_disk, known)


def _restored(events: Iterable[Json]) -> set[str]:
    """The ids of the records that a restore wrote, by what the journal tells."""
    restores = (event for event in events if isinstance(event, dict) and event.get("op") == RESTORE)
    return {one for event in restores if isinstance(one := event.get("id"), str)}


def _operation(before: State | None, after: State, restored: Container[str], *, by_hand: bool) -> str:
    """What a change was. A pruning that was killed before its commit is one all the same, and can be undone as one; a restore
    as well, but for what it let go."""
    if before is not None and before.alive and is_pruned(after):
        return PRUNE
    if after.alive and after.id in restored:
        return RESTORE
    return "hand" if by_hand else operation(before, after)


def _vouch(context: Context, batch: Batch, path: str, state: State, data: bytes) -> None:
    """Sign for a write of ours that a plain `git commit` without our hook has taken into the history unsigned."""
    from gitmem.memory.auditing.log import is_signed

    held = digest(data)
    if held is not None and not is_signed(context.store.root, path, held):
        batch.changes.append(Change(ATTEST, path, held, held, record_detail(None, state, outside=True)))


def _as_committed(context: Context, head: str | None, dirty: Iterable[str], committed: Mapping[str, bytes]) -> list[str]:
    """Log files that are gone, or are as HEAD has them and not in the index, as a `git commit` leaves it that ran beside ours.

    They stand again, in the index as well.
    """
    store = context.store
    logs = [path for path in sorted(dirty) if path.startswith("log/") and path in committed]
    found = [p for p in logs if read_bounded(inside(store.root, p), _MAX_FILE) in (None, committed[p])]
    for path in found:
        write_atomic(inside(store.root, path), committed[path])
    _stage_as_committed(context, head, found)
    return found


def _stage_as_committed(context: Context, head: str | None, paths: list[str]) -> None:
    """Have git's index hold what HEAD holds of paths of the store, whatever a checkout or a hand had staged."""
    repo, prefix = context.store.repo, context.store.prefix
    if paths:
        refresh_index(repo, repo.diff(None, head, [prefix + path for path in paths]), force=True)


def _gather_other(context: Context, batch: Batch, path: str, before: bytes | None) -> None:
    """Configuration, members, keys, schemas and attributes are taken as they lie; a log file that changed is not.

    What is gone of them is written again, but for a schema: whoever removes a member or a key says so to `commit`.
    """
    if not path.startswith(("log/", ".gitmem/")) and path != ATTRIBUTES:
        batch.skipped.append(f"{path} is no record and was left out")
        return
    data = read_bounded(inside(context.store.root, path), _MAX_FILE)
    if data is None and before is not None and not path.startswith(f"{SCHEMAS}/") and not is_list_path(path):
        write_atomic(inside(context.store.root, path), before)  # a checkout that was killed, or a hand that slipped
        return
    if path.startswith("log/"):
        batch.skipped.append(
            f"{path} was changed by hand; logs are only added to: {context.store.git_hint('checkout HEAD --', path)}"
        )
        return
    detail: dict[str, Json] = {}
    if is_list_path(path) and before is not None:
        data = _grown(context, path, before, data)
    if path.endswith(".yaml") and data is not None:
        state = normalise(parse(data, path))
        data, detail = emit(state), batch.again.detail(path, parse_or_none(before, path), state)
    batch.take(path, data, before, "config", detail)


def _grown(context: Context, path: str, before: bytes, data: bytes | None) -> bytes:
    """A list of collected records that was changed by hand: it never says less than it did."""
    states = [state for version in (before, data) if (state := parse_or_none(version, path))]
    grown = emit(merge_all(states)) if states else before
    if grown != data:
        write_atomic(inside(context.store.root, path), grown)
    return grown


def parse_or_none(data: bytes | None, path: str) -> State | None:
    """The record in a file's bytes, hand edits turned into writes; None for what is none, and for no file."""
    if data is None:
        return None
    try:
        return normalise(parse(data, path))
    except InvalidRecord:
        return None


def operation(before: State | None, after: State) -> str:
    """What a change of a record was: learn, edit, use or forget."""
    if before is None or (after.alive and not before.alive):
        return "learn"
    if before.alive and not after.alive:
        return "forget"
    return "use" if before.seen == after.seen else "edit"


def summary(batch: Batch) -> str:
    """The commit message: what was done how often, and nothing of what it was about."""
    words = {
        "learn": "learned",
        "edit": "edited",
        "use": "used",
        "forget": "forgotten",
        "hand": "edited by hand",
        "enrol": "enrolled",
    }
    counts: dict[str, int] = {}
    for change in batch.changes:
        if change.op in words:
            counts[change.op] = counts.get(change.op, 0) + 1
    said = ", ".join(f"{count} {words[op]}" for op, count in counts.items())
    return f"gitmem: {said or 'housekeeping'}"


def refuse_cut_off(context: Context) -> None:
    """Raise GitmemError where git was cut off while it noted what it is merging: nobody can go on with that."""
    if broken := broken_heads(context.store.repo):
        raise GitmemError(f"{broken[0]} names no commit: git was cut off when it wrote it", "gitmem doctor --fix")


def refuse_sparse(context: Context) -> None:
    """Raise GitmemError where a sparse checkout leaves files of the store out: they would be taken for gone, and so would
    whoever they let in."""
    store = context.store
    folders = [store.prefix + name for name in OWN_PREFIXES]
    if out := left_out(store.repo, folders):
        raise GitmemError(
            f"the sparse checkout here leaves out {len(out)} of the store's files, such as {out[0]}",
            f"`{store.git_here} sparse-checkout add {' '.join(folders)}`, then run this again",
        )


def require_branch(context: Context) -> str:
    """The checked-out branch. Raises GitmemError on a detached HEAD, in the middle of a merge and where files are left out."""
    repo, git = context.store.repo, context.store.git_here
    refuse_cut_off(context)
    refuse_sparse(context)
    if (now := under_way(repo)) is not None:
        raise GitmemError(
            f"a git {now.name} is under way in {repo.root}",
            f"`gitmem sync` settles the store's files in it and says how to go on; `{git} {now.name} --abort` ends it",
        )
    branch = repo.branch()
    if branch is None and is_lost(repo):
        raise GitmemError("HEAD is damaged: it names no branch and no commit", "gitmem doctor --fix")
    if branch is None:
        raise GitmemError(
            "HEAD is detached: a commit made here would belong to no branch; what was recorded is safe in the journal",
            f"`{git} switch BRANCH`, then run this again",
        )
    return branch
