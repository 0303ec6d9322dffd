"""A drill: the newest backup is restored beside the store as it would be in earnest, and each record is opened and validated.

Then the drill is put to the test itself: a bundle with one bit flipped, a value that was altered and one that breaks its schema
must be noticed. A drill that lets a canary pass has proved nothing, and says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gitmem.core.auditing.audit import Problem
from gitmem.core.backups import Manifest
from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.core.token import is_token
from gitmem.errors import GitmemError, InvalidRecord, NoKey, UsageError
from gitmem.memory.auditing import acts
from gitmem.memory.auditing.verifying import verify_store
from gitmem.memory.backups.chain import destination_of, read_chain, where_of
from gitmem.memory.backups.create import backups
from gitmem.memory.backups.rebuild import altered, fetched
from gitmem.memory.backups.restore_anew import restore_anew
from gitmem.memory.context import Context, kind_to_show
from gitmem.store.files import write_atomic
from gitmem.store.kinds import Kinds
from gitmem.store.layout import MEMORY, is_record_path
from gitmem.store.opened import open_state
from gitmem.store.opening import open_store
from gitmem.store.scratch import scratch, workplace

UNREADABLE = "unreadable record"
CANARY = "canary"


@dataclass(frozen=True, slots=True)
class DrillReport:
    """What a drill of a backup found: how many records were `opened` and are valid, how many are `sealed` to whoever drilled.

    `canaries` are those that were noticed. `ok` means that nothing is wrong, and that none passed.
    """

    ok: bool
    backup: str
    records: int
    opened: int
    sealed: int
    canaries: list[str]
    problems: list[Problem]


def drill(context: Context, where: str | None = None, *, at: str | None = None) -> DrillReport:
    """Restore a backup (the newest, or the one named) in a temporary directory, open and validate every record of it.

    Raises UsageError where there is none, and what restoring it raises.
    """
    names = [one.id for one in backups(context, where)]
    if not names:
        raise UsageError(f"there is no backup at {destination_of(context, where).shown}", "gitmem backup create --to DIR")
    with scratch(workplace(context.store.local)) as folder:
        target = folder / "store"
        identities = context.store.vault.identities
        place = f"{where_of(context, where).rstrip('/')}/{context.store.id}"
        done = restore_anew(place, target, identities, at=at or names[-1], progress=context.progress)
        root = Path(done.root)
        store = open_store(root, identities)
        there = Context(store, Kinds(root), progress=context.progress)
        try:
            problems = [Problem(one.what, one.where, one.why) for one in verify_store(there).problems]
            opened, sealed, found = _read_all(there)
            noticed, missed = _canaries(there, context, where, done.backup, folder)
        finally:
            store.close()
    problems += found + [Problem(CANARY, done.backup, f"{name}, and the drill did not notice") for name in missed]
    acts.note(context, acts.DRILL, [done.backup])
    return DrillReport(not problems, done.backup, opened + sealed + len(found), opened, sealed, noticed, problems)


def _read_all(context: Context) -> tuple[int, int, list[Problem]]:
    """How many records can be opened and are valid, how many are sealed, and what is wrong with the others."""
    opened = sealed = 0
    problems = []
    paths = [*_paths(context)]
    for number, path in enumerate(paths):
        context.progress("opening records", number, len(paths))
        try:
            check_record(context, path)
            opened += 1
        except NoKey:
            sealed += 1
        except GitmemError as error:
            problems.append(Problem(UNREADABLE, path, error.message))
    return opened, sealed, problems


def check_record(context: Context, path: str) -> None:
    """Open every value of the record at a path, and hold it to its schema.

    Raises Tampered, InvalidRecord, NoKey.
    """
    state = context.store.read_file(path)
    if state is None:
        raise InvalidRecord(f"{path} is gone", "`gitmem doctor`")
    record = open_state(context.store.vault, state)
    kind = kind_to_show(context, state)
    if state.alive and state.schema <= kind.version and kind.name in context.kinds.names():
        kind.validate(kind.join(record.fields, record.sets))


def _paths(context: Context) -> Iterator[str]:
    root = context.store.root
    paths = (file.relative_to(root).as_posix() for file in sorted((root / MEMORY).rglob("*.yaml")))
    return (path for path in paths if is_record_path(path))


def _canaries(there: Context, context: Context, where: str | None, backup: str, folder: Path) -> tuple[list[str], list[str]]:
    """The canaries that were noticed, and those that were not."""
    place = destination_of(context, where)
    one = next(link.manifest for link in read_chain(place)[0] if link.manifest.id == backup)
    flipped = folder / "flipped"
    shutil.copyfile(fetched(place, one, folder), flipped)
    tried: dict[str, bool] = {"a bit of the bundle was flipped": _flip_is_noticed(flipped, one)}
    path = next((path for path in _paths(there) if _is_open(there, path)), None)
    if path is not None:
        tried |= {name: _is_noticed(there, path, change) for name, change in _changes(there, path).items()}
    return [name for name, noticed in tried.items() if noticed], [name for name, noticed in tried.items() if not noticed]


def _flip_is_noticed(file: Path, one: Manifest) -> bool:
    with file.open("r+b") as bundle:
        bundle.seek(one.bytes // 2)
        byte = bundle.read(1)
        bundle.seek(-1, 1)
        bundle.write(bytes([byte[0] ^ 1]))
    return altered(file, one) is not None


def _is_open(context: Context, path: str) -> bool:
    """Whether a record has fields that we can open: one to try a canary on."""
    try:
        check_record(context, path)
    except GitmemError:
        return False
    state = context.store.read_file(path)
    return state is not None and state.alive and bool(state.fields)


def _changes(context: Context, path: str) -> dict[str, Callable[[State], None]]:
    """What is done to a record, by what is said of it."""
    state = context.store.read_file(path)
    assert state is not None  # noqa: S101 (it was just read)
    some: dict[str, Callable[[State], None]] = {
        "a value was replaced by one that its schema forbids": partial(_break_schema, context)
    }
    if any(is_token(value) for register in state.fields.values() for value in register.values()):
        some["a sealed value was altered"] = _alter
    return some


def _break_schema(context: Context, state: State) -> None:
    """Give a field that a schema knows a value of a type that none of them takes."""
    pen = Pen(state, context.store.replica.writer)
    seal = context.store.sealing(state)
    for name in state.fields:
        pen.set(name, lambda at, dot: seal(at, dot, {"canary": [None]}))
    state.fields = pen.state.fields


def _alter(state: State) -> None:
    """Exchange a character in the middle of each sealed value."""
    for register in state.fields.values():
        for key, value in register.items():
            if is_token(value):
                text, middle = str(value), len(str(value)) * 3 // 4
                register[key] = f"{text[:middle]}{'B' if text[middle] == 'A' else 'A'}{text[middle + 1 :]}"


def _is_noticed(context: Context, path: str, change: Callable[[State], None]) -> bool:
    """Whether a record that was changed is refused. The file is of a store that is about to be thrown away."""
    store = context.store
    state = store.read_file(path)
    assert state is not None  # noqa: S101 (it was just read)
    before, changed = emit(state), state.copy()
    change(changed)
    write_atomic(store.root / path, emit(changed))
    try:
        check_record(context, path)
    except NoKey:
        return False
    except GitmemError:
        return True
    finally:
        write_atomic(store.root / path, before)
    return False
