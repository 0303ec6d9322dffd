"""Whether what a file of the store holds is what belongs there."""

from __future__ import annotations

import re
from collections.abc import Collection

from gitmem.core.codec import parse
from gitmem.core.collected import is_list, is_list_path
from gitmem.core.merge import normalise
from gitmem.core.record import FORMAT, MAX_BYTES, State
from gitmem.core.token import epoch_of
from gitmem.errors import DamagedKey, GitmemError, InvalidRecord, NoKey
from gitmem.memory.context import Context
from gitmem.memory.plaintext import refuse_plaintext
from gitmem.store.layout import CONFIG, MEMBERS, MEMORY, STORE_SCOPE, is_record_path, parse_record_path
from gitmem.store.opened import open_state

_FORMAT = re.compile(rb"gitmem: ([1-9][0-9]{0,8})\n")
_KEPT = re.compile(r"(.+\.yaml)\.kept-[0-9a-f]{12}", re.DOTALL)
_FILE = re.compile(r"\.(?:yaml|jsonl|age|link)/")
_MAX_PART = 255  # bytes of one name, on every file system in use
_MAX_PATH = 1024


def is_newer(data: bytes) -> bool:
    """Whether a file is of a format that only a newer gitmem reads. It is left alone then."""
    match = _FORMAT.match(data)
    return match is not None and int(match[1]) > FORMAT


def kept_of(path: str) -> str | None:
    """The record that a merge kept the file at `path` beside, None for any other file."""
    match = _KEPT.fullmatch(path)
    return match[1] if match and is_record_path(match[1]) else None


def path_problem(path: str) -> str | None:
    """Why no file of a store may lie at `path`, as far as its spelling goes (None: one may)."""
    if not path.isprintable():  # as no lone surrogate is
        return "its name holds characters that cannot be shown"
    if len(path.encode("utf-8", "surrogateescape")) > _MAX_PATH or any(len(p.encode()) > _MAX_PART for p in path.split("/")):
        return "its name is too long"
    return "a directory is where a file belongs" if _FILE.search(path) else None


def holds_record(path: str) -> bool:
    """Whether the file at `path` merges as a record does."""
    member = path.startswith(f"{MEMBERS}/") and path.endswith(".yaml")
    return path == CONFIG or member or is_list_path(path) or is_record_path(path)


def sound_state(path: str, data: bytes) -> State:
    """The record that belongs at `path`, read and normalised. Raises InvalidRecord for anything else."""
    if len(data) > MAX_BYTES:
        raise InvalidRecord(f"{path} is more than {MAX_BYTES:,} bytes", "`gitmem doctor` lists such files")
    state = normalise(parse(data, path))
    if not belongs(path, state):
        raise InvalidRecord(f"{path} holds the record {state.id[:80]}, whose place is another", "`gitmem doctor`")
    return state


def sound_or_none(path: str, data: bytes | None) -> State | None:
    """The same, None for anything else, and where there is no file or no record belongs."""
    if data is None or not holds_record(path):
        return None
    try:
        return sound_state(path, data)
    except InvalidRecord:
        return None


def belongs(path: str, state: State) -> bool:
    """Whether a record's kind, scope and id are those of the file at `path`."""
    if path.startswith(f"{MEMORY}/"):
        return is_record_path(path) and parse_record_path(path) == (state.scope, state.kind, state.id)
    if path.startswith(f"{MEMBERS}/"):
        return (state.kind, state.scope, f"{MEMBERS}/{state.id[2:]}.yaml") == ("member", STORE_SCOPE, path)
    if is_list_path(path):
        return is_list(path, state)
    return path != CONFIG or (state.kind, state.scope) == ("config", STORE_SCOPE)


def not_genuine(context: Context, path: str, state: State, epochs: Collection[tuple[str, str]] = ()) -> str | None:
    """Why a sound record may not stand in this store: plaintext, or a value that does not open.

    None if it may. Without the key (or with a damaged one) only plaintext shows, and an epoch that the store does not have.
    `epochs` are those (scope, epoch) that it lacks for the moment, because their key files were lost.
    """
    if context.store.config.plain or not is_record_path(path):
        return None
    try:
        refuse_plaintext(context, state, path)
        _refuse_unknown_epoch(context, state, path, epochs)
        open_state(context.store.vault, state)
    except (NoKey, DamagedKey):
        return None
    except GitmemError as error:
        return error.message
    return None


def _refuse_unknown_epoch(context: Context, state: State, path: str, lost: Collection[tuple[str, str]]) -> None:
    """Raise InvalidRecord for a value of an epoch that the store has no key files of: nobody could ever open it."""
    sealed_in = {epoch_of(str(value)) for _, register in state.registers() for value in register.values()}
    known = {*context.store.vault.epochs(state.scope), *(epoch for scope, epoch in lost if scope == state.scope)}
    if unknown := sealed_in - known:
        raise InvalidRecord(
            f"{path} holds a value sealed in epoch {min(unknown)}, which scope {state.scope} never had",
            "`gitmem audit verify` tells more",
        )
