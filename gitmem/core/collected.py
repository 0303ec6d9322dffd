"""What is left of a deleted record once its file is gone.

A deletion keeps the record's file as its tombstone, with all its values. When every replica has heard of it, the file can go;
what stays is its *grave*: the tombstone without values, so who deleted it, which writes it had seen and what it counted. Graves
lie in lists, one for each shard of ids: records of the store's own, whose set `ids` holds for a record's place the text
of its grave. An element of that set is replaced by one that says more, and never taken out.

**A file that is not there stands for its grave.** From this one sentence follows what becomes of a copy that turns up later
(`bury`): it is joined with the grave like any two states of a record, and the file is absent if nothing is left beyond the
grave. What the deletion had not seen is left: an edit (the record lives again, and is contested), a count. So absent files
merge as present ones do: commutative, associative, idempotent, and nothing unseen is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import shard
from gitmem.core.merge import merge, merge_all
from gitmem.core.record import DEAD, Json, Register, State
from gitmem.errors import InvalidRecord

FOLDER: Final = ".gitmem/collected"
KIND: Final = "collected"
_SCOPE: Final = "store"
_SET: Final = "ids"
_HEADER: Final = re.compile(r"gitmem: \d+\nkind: (\S+)\nschema: \d+\nscope: (\S+)\nid: (\S+)\n")
_PATH: Final = re.compile(rf"{FOLDER}/([a-z0-9][a-z0-9_-]?)\.yaml")


def list_path(record_id: str) -> str:
    """Where the list lies that a record's grave belongs to."""
    return f"{FOLDER}/{shard(record_id)}.yaml"


def list_of(path: str) -> str:
    """The same for the path of a record's file."""
    return list_path(path.rpartition("/")[2].removesuffix(".yaml"))


def empty_list(path: str) -> State:
    """The list that belongs at `path`, before anything is in it. Raises ValueError where no list belongs."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(f"{path[:80]!r} is no place for a list of collected records")
    return State(KIND, 1, _SCOPE, f"c-{match[1]}")


def is_list_path(path: str) -> bool:
    """Whether a list of graves belongs at `path`."""
    return _PATH.fullmatch(path) is not None


def is_list(path: str, state: State) -> bool:
    """Whether `state` is the list that belongs at `path`."""
    match = _PATH.fullmatch(path)
    return match is not None and (state.kind, state.scope, state.id) == (KIND, _SCOPE, f"c-{match[1]}")


def place_of(state: State) -> str:
    """The path of a record's file, below the store's root."""
    return f"memory/{state.scope}/{state.kind}/{shard(state.id)}/{state.id}.yaml"


def grave_of(state: State) -> State:
    """The grave of a deleted record. Raises ValueError for one that lives or is contested."""
    if state.alive or state.contested:
        raise ValueError(f"{state.id} is not deleted")
    bare = State(state.kind, state.schema, state.scope, state.id, state.seen, life=state.life, counts=state.counts)
    bare.last = state.last
    return bare.copy()


def bury(state: State, grave: State) -> State | None:
    """What is left of a copy of a collected record: None if it adds nothing to the grave, else the join of the two.

    Raises InvalidRecord when they are of different records.
    """
    left = merge(state, grave)
    return None if left == grave else left


def with_graves(listing: State, writer: str, graves: Iterable[State]) -> State:
    """A list into which `writer` has put graves, each joined with what stands there of the same record."""
    pen = Pen(listing, writer)
    for grave in graves:
        key = _element(place_of(grave))
        known = _joined(pen.state.sets.get(_SET, {}).get(key, {}), place_of(grave))
        text = emit(grave if known is None else merge(known, grave)).decode()
        if known is None or text != emit(known).decode():
            pen.drop(_SET, key)
            pen.add(_SET, key, unsealed(text))
    pen.live()
    return pen.state


def grave_in(listing: State, path: str) -> State | None:
    """The grave of the record whose file belongs at `path`; None for a record that was not collected."""
    register = listing.sets.get(_SET, {}).get(_element(path))
    return None if register is None else _joined(register, path)


def graves_in(listing: State) -> dict[str, State]:
    """All graves of a list, by the path of the record's file."""
    found = {path: grave_in(listing, path) for path in places_in(listing)}
    return {path: grave for path, grave in found.items() if grave is not None}


def graves_by_write(listing: State) -> Iterator[tuple[str, Register, State]]:
    """Each grave in a list as one write put it there: the path of its register, that value of it alone, and the grave."""
    for at, register in listing.registers():
        for key, value in register.items():
            if (grave := _read(value)) is not None:
                yield at, {key: value}, grave


def places_in(listing: State, holding: str = "") -> list[str]:
    """Where the files of a list's records belong: a look at each grave that is quicker than reading it, and proves nothing.

    Only graves whose text holds certain words are looked at.
    """
    values = (value for register in listing.sets.get(_SET, {}).values() for value in register.values())
    found = (_HEADER.match(value) for value in values if isinstance(value, str) and holding in value)
    return sorted({place_of(State(match[1], 1, match[2], match[3])) for match in found if match})


def _element(path: str) -> str:
    """The key of a record's element: a hash, which needs no key because the list says what it is of."""
    from base64 import b32encode
    from hashlib import sha256

    return "e" + b32encode(sha256(path.encode()).digest()).decode().lower()[:25]


def _joined(register: Register, path: str) -> State | None:
    """The join of all graves in an element; concurrent collections leave several. What is no grave of that record is none."""
    graves = [grave for value in register.values() if (grave := _read(value)) is not None and place_of(grave) == path]
    return merge_all(graves) if graves else None


def _read(value: Json) -> State | None:
    """A grave, read with distrust: the list came from a repository that others write to."""
    if not isinstance(value, str):
        return None
    try:
        state = parse(value.encode("utf-8", "surrogatepass"), "a collected record")
    except InvalidRecord:
        return None
    dead = bool(state.life) and set(state.life.values()) == {DEAD}
    return state if dead and not state.fields and not state.sets else None
