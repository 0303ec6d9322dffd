"""Taking away what nobody needs any more: what is left of forgotten records, records that say nothing new, old snapshots.

A tombstone goes when every live replica has heard of it; its grave stays (`core.collected`), so that no copy that turns up
later brings the record back. A replica that will never be heard of again is retired by name, and holds up nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitmem.core.auditing.audit import COLLECT, RETIRE, Entry, Segment
from gitmem.core.auditing.delta import dots_in, record_detail
from gitmem.core.codec import emit
from gitmem.core.collected import empty_list, grave_of, list_of, place_of, with_graves
from gitmem.core.dots import Dot, dot_of
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import element_key
from gitmem.core.membership.members import Rank
from gitmem.core.record import DEAD, MAX_BYTES, State
from gitmem.errors import InvalidRecord, UsageError
from gitmem.memory.auditing.files import heads
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.replicas import Replica, replicas_of
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.reports import Committed
from gitmem.memory.syncing.deletions import returned
from gitmem.memory.upkeep.rubbish import let_go, rubbish
from gitmem.store.config import load_config
from gitmem.store.files import read_bounded
from gitmem.store.layout import CONFIG, MEMORY, STORE_SCOPE, is_record_path

TOMBSTONE: Final = "tombstone"
UNSIGNED: Final = "unsigned"
"""What a tombstone waits for that no entry of the log speaks of; `gitmem doctor --fix` signs it."""

_DEAD: Final = f": {DEAD}\n".encode()
_LIST: Final = "`gitmem gc --dry-run` lists the replicas"
_PROGRESS_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Garbage:
    """One thing that goes or waits: what it is, the record's id, kind and scope, and the replicas waited for.

    It is a `tombstone`, or a record that stands and is `empty` or a `duplicate`.
    """

    what: str
    id: str
    kind: str
    scope: str
    waits_for: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One replica: whose, when it last signed (UTC), whether it is retired or this one, and how many tombstones wait for it."""

    replica: str
    member: str
    last: str
    retired: bool
    me: bool
    holds_up: int


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a gc collected (or, when `dry_run`, would have), what waits, who is known, and who was retired by it.

    `let_go` are the records that it forgot because they say nothing, or what another says, `snapshots` how many old ones went.
    """

    dry_run: bool
    collected: list[Garbage]
    waiting: list[Garbage]
    replicas: list[ReplicaStatus]
    retired: str | None = None
    commit: str | None = None
    problems: list[str] = field(default_factory=list)
    let_go: list[Garbage] = field(default_factory=list)
    snapshots: int = 0


@dataclass(slots=True)
class _Log:
    """What the audit log says: the replicas, and of each tombstone by which entries (writer, number) it was made one."""

    replicas: dict[str, Replica]
    told: dict[str, dict[Dot, list[tuple[str, int]]]]


def gc(context: Context, *, retire: str | None = None, dry_run: bool = False) -> GcReport:
    """Collect what can be collected, after retiring the replica whose name begins with `retire`. One commit, after a snapshot.

    With `dry_run` nothing is changed. Raises UsageError for a name that is not that of one other replica, NoKey without the
    identity that signs, and GitmemError as `commit` does.
    """
    store = context.store
    with store.lock:
        store.refresh()
        if not dry_run:
            need_role(context, Rank.MEMBER if retire else Rank.SERVICE)
        made = None if dry_run else commit(context, also=returned(context))
        problems = made.skipped if made else []
        useless = rubbish(context)
        if useless and not dry_run:
            let_go(context, useless)
        dropped = 0 if dry_run else len(snapshots.tidy(context))
        tombstones = dict(_tombstones(context))
        known = _read_log(context, tombstones)
        name = _find(context, known.replicas, retire) if retire else None
        retired = load_config(store.root).retired | ({name} if name else frozenset())
        waits = {path: _waits_for(known, path, retired) for path in tombstones}
        going = [state for path, state in tombstones.items() if not waits[path]]
        made = _collect(context, going, name) if not dry_run and (going or name) else None
    garbage = [Garbage(TOMBSTONE, state.id, state.kind, state.scope, waits[path]) for path, state in tombstones.items()]
    return GcReport(
        dry_run=dry_run,
        collected=[one for one in garbage if not one.waits_for],
        waiting=[one for one in garbage if one.waits_for],
        replicas=_statuses(context, known, retired, waits.values()),
        retired=name,
        commit=made.commit if made else None,
        problems=problems,
        let_go=[Garbage(reason, state.id, state.kind, state.scope) for reason, state in useless.values()],
        snapshots=dropped,
    )


def _tombstones(context: Context) -> Iterator[tuple[str, State]]:
    """The records that are deleted, undisputed, and have nothing that waits for a commit; with their paths."""
    store = context.store
    files = sorted((store.root / MEMORY).rglob("*.yaml"))
    for number, file in enumerate(files):
        if number % _PROGRESS_STEP == 0:
            context.progress("looking for tombstones", number, len(files))
        path = file.relative_to(store.root).as_posix()
        try:
            if path in store.pending or not is_record_path(path) or _DEAD not in (read_bounded(file, MAX_BYTES) or b""):
                continue
            state = store.read_file(path)
        except InvalidRecord as error:
            context.warn(error.message)
            continue
        if state is not None and not state.alive and not state.contested:
            yield path, state


def _read_log(context: Context, tombstones: Mapping[str, State]) -> _Log:
    store, head = context.store, context.store.repo.head()
    known = _Log({}, {path: {dot_of(key): [] for key in state.life} for path, state in tombstones.items()})

    def noted() -> Iterator[Segment]:
        for segment in LogAt(store.repo, store.prefix, head).readable() if head else ():
            for entry in segment.entries:
                if entry.object in tombstones:
                    _note(known, entry)
            yield segment

    known.replicas = replicas_of(context, noted())
    own = known.replicas.get(store.replica.name)
    if own is not None:  # what lies here was heard here, signed or not
        own.heard |= {writer: end.seq for writer, end in heads(store.root).items()}
    return known


def _note(known: _Log, entry: Entry) -> None:
    covered = dots_in(entry.detail)
    for dot, entries in known.told[entry.object].items():
        first, last = covered.get(dot.writer, (1, 0))
        if first <= dot.n <= last:
            entries.append((entry.writer, entry.seq))


def _waits_for(known: _Log, path: str, retired: Collection[str]) -> list[str]:
    """The live replicas that have not heard of all that deleted a record; `unsigned` where the log does not tell of it."""
    deaths = known.told[path].values()
    if not all(deaths):
        return [UNSIGNED]
    live = (one for name, one in sorted(known.replicas.items()) if name not in retired)
    return [one.name for one in live if not all(one.has_heard(entries) for entries in deaths)]


def _find(context: Context, known: Iterable[str], beginning: str) -> str:
    """The name of the one replica that is meant. Raises UsageError."""
    found = sorted(name for name in known if beginning and name.startswith(beginning))
    if not found:
        raise UsageError(f"no replica's name begins with {beginning[:40]!r}", _LIST)
    if len(found) > 1:
        raise UsageError(f"{beginning!r} could be {', '.join(found[:5])}", _LIST)
    if found[0] == context.store.replica.name:
        raise UsageError(f"{found[0]} is the replica you are working in", _LIST)
    return found[0]


def _statuses(context: Context, known: _Log, retired: Collection[str], waits: Iterable[list[str]]) -> list[ReplicaStatus]:
    """The replicas, the one that has been silent for longest first."""
    holding = [name for names in waits for name in names]
    me = context.store.replica.name
    return [
        ReplicaStatus(one.name, one.member, one.last, one.name in retired, one.name == me, holding.count(one.name))
        for one in sorted(known.replicas.values(), key=lambda one: (one.last, one.name))
    ]


def _collect(context: Context, going: Iterable[State], retire: str | None) -> Committed | None:
    """Write graves, remove files, retire a replica: one commit."""
    store = context.store
    snapshots.before(context, "gc")
    extras = [_retirement(context, retire)] if retire else []
    lists: dict[str, list[State]] = {}
    for state in going:
        grave = grave_of(state)
        lists.setdefault(list_of(place_of(state)), []).append(grave)
        extras.append(Extra(place_of(state), None, COLLECT, record_detail(state, grave)))
    known = store.graves.lists()
    for path, graves in sorted(lists.items()):
        listing = known.get(path) or empty_list(path)
        extras.append(Extra(path, emit(with_graves(listing, store.writer_for(path, listing), graves)), COLLECT))
    said = f"{len(extras) - len(lists) - bool(retire)} forgotten records" + (f", retired {retire}" if retire else "")
    return commit(context, f"gitmem: collected {said}", extras)


def _retirement(context: Context, name: str) -> Extra:
    """The configuration with a replica retired in it."""
    store = context.store
    state = load_config(store.root).state
    pen = Pen(state, store.writer_for(CONFIG, state))
    key = element_key(store.vault.id_key(STORE_SCOPE), f"{state.id}/retired", name)
    pen.add("retired", key, unsealed(name))
    pen.live()
    return Extra(CONFIG, emit(pen.state), RETIRE, {"replica": name})
