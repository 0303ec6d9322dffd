"""What `doctor` looks at in a store: git's objects, record files, the journal, the index, the work tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitmem.core.codec import emit
from gitmem.core.merge import merge_all
from gitmem.core.nearest import counted
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import DamagedKey, GitmemError, InvalidRecord, NoKey
from gitmem.git import lost_head
from gitmem.git.commits import refresh_index
from gitmem.git.damage import damage, last_stood
from gitmem.git.underway import under_way
from gitmem.memory.catchup import current_index, indexed_position
from gitmem.memory.checkup.bitrot import refuse_damage, refuse_loss, silently_changed
from gitmem.memory.checkup.halves import is_cut_off, keep, set_aside
from gitmem.memory.checkup.machine import Told
from gitmem.memory.committing.branch import refuse_sparse
from gitmem.memory.committing.commit import has_past
from gitmem.memory.committing.held import contents_at, own_changes, parse_or_none
from gitmem.memory.context import Context
from gitmem.memory.plaintext import Exposed, refuse_plaintext
from gitmem.memory.soundness import is_newer, not_genuine, sound_or_none
from gitmem.memory.syncing.reopening import head_by_hand, put_back_head
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import ATTRIBUTES, AUDIT, DAMAGED, EVENTS, KEYS, MEMBERS, MEMORY, OWN_PREFIXES, is_record_path
from gitmem.store.opened import open_state

Faults = dict[str, GitmemError]
"""What is wrong with record files, by path in the store."""

_SHOWN: Final = 5
_FIX: Final = "gitmem doctor --fix"
_ADDED_TO: Final = (f"{AUDIT}/", f"{EVENTS}/", f"{KEYS}/")


def objects(context: Context) -> Told:
    """Whether every object of git is there and what its name says."""
    found = damage(context.store.repo)
    return not found, "; ".join(found[:_SHOWN]) or "all are there, and what their names say", _FIX


def branch(context: Context) -> Told:
    """Whether HEAD stands at a commit."""
    repo = context.store.repo
    if gone := lost_head.lacks(repo):
        return False, f"{repo.common_dir / gone[0]} is gone, without which git sees no repository", _FIX
    if lost_head.is_lost(repo):
        fix = _FIX if lost_head.where_it_stood(repo) else head_by_hand(repo)
        return False, "HEAD is damaged: it names no branch and no commit", fix
    head = repo.head()
    if head is None and (stood := last_stood(repo)):
        return False, f"{repo.branch()} is gone; git's own log of it says that it stood at {stood[:12]}", _FIX
    if head is None and has_past(context):
        return (
            False,
            f"{repo.branch()} has no commit yet, and the store's log begins on another",
            f"{context.store.git_here} switch BRANCH",
        )
    return True, f"stands at {head[:12]}" if head else "has no commit yet", ""


def mend_head(context: Context) -> None:
    """Have HEAD stand where it last stood, see `put_back_head`."""
    with context.store.lock:
        put_back_head(context.store.repo)


def records(context: Context, found: Faults) -> Told:
    """Whether every record file can be read and authenticated."""
    broken = {path: error for path, error in found.items() if not isinstance(error, Exposed)}
    some = "; ".join(error.message for error in [*broken.values()][:_SHOWN])
    total = sum(1 for _ in (context.store.root / MEMORY).rglob("*.yaml"))
    return not broken, some or f"{counted(total, 'record file')}, all sound", _fix(context, broken)


def plaintext(context: Context, found: Faults) -> Told:
    """Whether a sealed store has a secret value in the clear in its work tree."""
    if context.store.config.plain:
        return True, "the store is open: nothing in it is secret", ""
    exposed = {path: error for path, error in found.items() if isinstance(error, Exposed)}
    some = "; ".join(error.message for error in [*exposed.values()][:_SHOWN])
    return not exposed, some or "none lies in the work tree", _fix(context, exposed)


def _fix(context: Context, broken: Iterable[str]) -> str:
    return _FIX if {*broken} - _of_newer_format(context, broken) else "upgrade gitmem-store"


def mend_records(context: Context) -> None:
    """Set broken files aside in favour of what the last commit and the journal hold; a record that neither knows stays."""
    broken = faults(context)
    strays = {path for path in broken if not is_record_path(path)}
    strays -= contents_at(context, context.store.repo.head(), sorted(strays)).keys()
    for path in sorted(broken.keys() - _of_newer_format(context, broken)):
        good = _last_good(context, path)
        if good is not None or path in strays:
            set_aside(context, path)
        if good is not None:
            context.store.put_file(path, good)


def _last_good(context: Context, path: str) -> bytes | None:
    """What the last commit holds of a record, as far as it is sound and genuine, joined with what waits in the journal."""
    if not is_record_path(path):
        return None
    committed = sound_or_none(path, contents_at(context, context.store.repo.head(), [path]).get(path))
    states = [state for state in (committed, context.store.pending.get(path)) if state is not None]
    genuine = [state for state in states if not_genuine(context, path, state) is None]
    return emit(merge_all(genuine)) if genuine else None


def faults(context: Context) -> Faults:
    """Record files that hold no record, a secret in the clear, or what is not authentic or nobody's."""
    store = context.store
    store.forget_files()
    unlike, committed = _record_changes(context)
    found: Faults = {}
    for file in sorted((store.root / MEMORY).rglob("*.yaml")):
        path = file.relative_to(store.root).as_posix()
        try:
            state = store.read_file(path)
            if state is not None:
                refuse_plaintext(context, state, path)
                if path in unlike:
                    _refuse_unlike(context, path, state, committed.get(path))
                open_state(store.vault, state)
        except GitmemError as error:
            if not isinstance(error, NoKey | DamagedKey):
                found[path] = error
    return found


def members_gone(context: Context) -> bool:
    """Whether the work tree alone lacks a member's file, or has it cut off."""
    return any(path.startswith(f"{MEMBERS}/") for path in _spoiled(context))


def _is_gone(context: Context, path: str) -> bool:
    return not (context.store.root / path).exists() or is_cut_off(context, path)


def _unlike_head(context: Context, below: tuple[str, ...]) -> set[str]:
    """Paths below these whose file is not as the last commit has it; git alone would believe what its size and time say."""
    head = context.store.repo.head()
    changed = {path for path in own_changes(context) if path.startswith(below)}
    return changed | {*(silently_changed(context, head, below) if head else ())}


def _record_changes(context: Context) -> tuple[set[str], dict[str, bytes]]:
    """Paths of records that are not as committed, and what is committed there. Other checks tell what ails git itself."""
    with suppress(GitmemError):
        unlike = {path for path in _unlike_head(context, (f"{MEMORY}/",)) if is_record_path(path)}
        return unlike, contents_at(context, context.store.repo.head(), sorted(unlike))
    return set(), {}


def _refuse_unlike(context: Context, path: str, state: State, data: bytes | None) -> None:
    """Raise InvalidRecord for what nobody can have made of what the last commit and the journal hold."""
    committed = parse_or_none(data, path)
    known = [one for one in (committed, context.store.pending.get(path)) if one is not None]
    if state not in known:
        refuse_damage(context, path, state, known)
        refuse_loss(context, path, state, committed)


def _of_newer_format(context: Context, broken: Iterable[str]) -> set[str]:
    """Broken files that are sound to a newer gitmem: left alone. One with nothing new but the number is damaged."""
    found = set()
    paths = sorted(broken)
    committed = contents_at(context, context.store.repo.head(), paths)
    for path in paths:
        with suppress(InvalidRecord):  # too large, or no regular file
            data = read_bounded(inside(context.store.root, path), MAX_BYTES)
            before = committed.get(path, b"")
            if data is not None and is_newer(data) and (data == before or _rest(data) != _rest(before)):
                found.add(path)
    return found


def _rest(data: bytes) -> bytes:
    """A record's file without its first line, which names the format."""
    return data.partition(b"\n")[2]


def journal(context: Context) -> Told:
    """Whether all lines of the journal are there and whole: what they hold is in no commit yet."""
    wounds = [*_lost_tail(context), *context.store.journal.damaged]
    waiting = len(context.store.pending)
    fine = f"{counted(waiting, 'record')} to be committed" if waiting else "nothing waits for a commit"
    return not wounds, "; ".join(wounds[:_SHOWN]) or fine, _FIX


def _lost_tail(context: Context) -> list[str]:
    """Lines that were written, or that the index has read, and that the journal does not hold any more: the disk lost them, a
    hand removed them, or a copy is older."""
    context.store.refresh()
    number, end = context.store.journal.position
    told = max(filter(None, (indexed_position(context), context.store.journal.reach())), default=None)
    if told is None or told <= (number, end):
        return []
    lost = f"{told[1] - end:,} bytes at its end are" if told[0] == number else f"its file {told[0]:08d}.log is"
    return [f"{lost} gone; what record files hold of it is kept, uses that were in no commit yet are lost"]


def mend_journal(context: Context) -> None:
    """Begin a journal of the sound lines where some are damaged; the damaged file is kept. What is gone of it is told."""
    store = context.store
    with store.lock:
        for lost in _lost_tail(context):
            context.warn(f"the journal: {lost}")
            store.journal.note_reach()
        if store.journal.damaged:
            folder = store.local / DAMAGED
            folder.mkdir(mode=0o700, exist_ok=True)
            for file in store.journal.directory.glob("*.log"):
                write_atomic(folder / file.name, file.read_bytes(), mode=0o600, durable=True)
            store.expunge({})


def index(context: Context) -> Told:
    """Whether the index can be read; it is brought up to date on the way."""
    current = current_index(context)
    current.check()
    sealed = current.count_sealed()
    return True, counted(current.count(), "record") + (f", {sealed:,} of them sealed" if sealed else ""), ""


def work_tree(context: Context) -> Told:
    """Whether the work tree has all record files that HEAD has, and what is only added to as HEAD has it."""
    refuse_sparse(context)
    if spoiled := [*_spoiled(context)]:
        some = ", ".join(spoiled[:_SHOWN])
        return False, f"{counted(len(spoiled), 'file')} of the log, of keys or of members not as committed: {some}", _FIX
    waiting = set(context.store.pending.paths())
    strange = [path for path in own_changes(context) if path not in waiting]
    gone = [path for path in strange if is_record_path(path) and not (context.store.root / path).exists()]
    missing = [path for path in gone if context.store.graves.of(path) is None]  # a grave's commit is still to come
    if missing:
        raise InvalidRecord(
            f"{counted(len(missing), 'record file')} gone from the work tree: {missing[0]} …", "gitmem commit puts them back"
        )
    return True, f"{counted(len(strange), 'file')} changed by hand" if strange else "as committed", ""


def mend_ways(context: Context) -> None:
    """Put back the store's files in whose place a directory, a link or a device lies, as HEAD has them; that is kept."""
    store = context.store
    head, own = store.repo.head(), [store.prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    held = store.repo.ls_tree(head, own) if head else {}
    with store.lock:
        for path in (path for path, entry in held.items() if entry.mode.startswith("100")):
            odd = _in_the_way(store.repo.root, path)
            if odd is not None:
                keep(odd, store.local)
                write_atomic(store.repo.root / path, store.repo.read_paths(head or "", [path])[path])


def _in_the_way(root: Path, path: str) -> Path | None:
    """What lies at a file's place and is none, or at that of a directory above it: nothing is written through a link."""
    place, parts = root, path.split("/")
    for number, part in enumerate(parts, 1):
        place /= part
        if not os.path.lexists(place):
            return None
        mode = place.lstat().st_mode
        if not (stat.S_ISREG(mode) if number == len(parts) else stat.S_ISDIR(mode)):
            return place
    return None


def mend_files(context: Context) -> None:
    """Write files that are only ever added to as the last commit has them; what lay there is kept."""
    store = context.store
    with store.lock:
        spoiled = _spoiled(context)
        for path, data in spoiled.items():
            if (store.root / path).exists():
                set_aside(context, path)
            write_atomic(inside(store.root, path), data)
        if spoiled:  # git's index, too: one that a hand took out of it alone is removed by the next commit by git
            committed = store.repo.diff(None, store.repo.head(), [store.prefix + path for path in spoiled])
            refresh_index(store.repo, committed, force=True)
        store.refresh()


def _spoiled(context: Context) -> dict[str, bytes]:
    """Files of the log and of keys that differ from HEAD's, with what HEAD has: nobody changes one but in a commit. Of members
    those that are gone or cut off, for others may be a hand's.

    In the middle of a merge they may be what comes in.
    """
    if under_way(context.store.repo) is not None:
        return {}
    unlike = _unlike_head(context, (*_ADDED_TO, f"{MEMBERS}/"))
    changed = sorted(path for path in unlike if path.startswith(_ADDED_TO) or _is_gone(context, path))
    return contents_at(context, context.store.repo.head(), changed)
