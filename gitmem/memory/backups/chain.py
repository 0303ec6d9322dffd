"""The chain of backups at one destination: where that is, what lies there, and what this clone knows of it.

A chain alone does not show that its end was cut off. What this clone has seen there it notes beside the repository, and what
any clone has put there is told in the store's events: both are held against what is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from gitmem.core.auditing.audit import Problem
from gitmem.core.backups import (
    ALTERED,
    BROKEN,
    GONE,
    ID,
    MAX_MANIFEST,
    Manifest,
    Signed,
    floor_of,
    manifest_name,
    needed_for,
    parse_manifest,
    sequence_of,
    sets_of,
)
from gitmem.errors import GitmemError, InvalidRecord, Tampered, UsageError
from gitmem.git.remote_words import without_password
from gitmem.memory.auditing import acts
from gitmem.memory.context import Context
from gitmem.store.destination import Destination, destination
from gitmem.store.files import read_bounded, write_atomic

_KEY: Final = "gitmem.backup"
_FILE: Final = "backups.json"
_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Known:
    """The last link that this clone has seen at a destination: its chain, number, hash and time, and where that was."""

    chain: str
    sequence: int
    digest: str
    time: str
    where: str


def where_of(context: Context, where: str | None) -> str:
    """Where backups are: at a directory or URL, or where this clone was told that they are. Raises UsageError if never."""
    said = where or place_here(context)
    if said is None:
        raise UsageError("no place for backups is known here", "gitmem backup create --to DIR (or a URL) says it once")
    return said


def place_here(context: Context) -> str | None:
    """Where this clone's configuration says that backups go, None where it was never told."""
    return context.store.repo.config_get(_KEY)


def destination_of(context: Context, where: str | None) -> Destination:
    """The place of this store's own backups there. Raises UsageError where nothing was ever said."""
    return destination(where_of(context, where), context.store.id)


def remember_place(context: Context, where: str) -> None:
    """Keep in this clone's own configuration where backups go, unless it says so already, or the place holds a password."""
    if without_password(where) == where and place_here(context) is None:
        context.store.repo.config_set(_KEY, where if "://" in where else str(Path(where).expanduser().resolve()))


def read_chain(place: Destination) -> tuple[list[Signed], list[Problem]]:
    """All manifests at a destination, by number, and what is wrong with those that are none."""
    chain, problems = list[Signed](), list[Problem]()
    for sequence in sorted(number for name in place.names() if (number := sequence_of(name))):
        try:
            chain.append(read_link(place, sequence))
        except Tampered as error:
            problems.append(Problem(ALTERED, f"{place.shown}/{manifest_name(sequence)}", error.message))
    return chain, problems


def read_link(place: Destination, sequence: int) -> Signed:
    """One manifest. Raises Tampered for what is none."""
    name = manifest_name(sequence)
    try:
        data = place.read(name, MAX_MANIFEST)
    except InvalidRecord as error:
        raise Tampered(error.message, "`gitmem backup verify` shows what else is wrong") from error
    if data is None:
        raise Tampered(f"{name} is not at {place.shown} any more", "`gitmem backup verify` shows what else is wrong")
    return parse_manifest(data, name)


def set_lacks(place: Destination, last: Manifest) -> list[str]:
    """Files of the newest link's set that are gone, bundles of another size, or manifests that the next one does not follow.

    Reads no bundle.
    """
    sizes = place.sizes()
    lacks, links = list[str](), list[Signed]()
    for number in range(last.first, last.sequence + 1):
        try:
            links.append(read_link(place, number))
        except Tampered:
            lacks.append(manifest_name(number))
    kept = [one.manifest for one in links if one.manifest.holds]
    lacks += [one.bundle for one in kept if one.bundle not in sizes or sizes[one.bundle] not in (None, one.bytes)]
    if not lacks:
        lacks = [one.manifest.name for one, later in pairwise(links) if later.manifest.prev != one.digest]
    return lacks


def last_link(place: Destination) -> Signed | None:
    """The newest manifest, None where there is no backup yet. Raises Tampered for what is none."""
    numbers = [number for name in place.names() if (number := sequence_of(name))]
    return read_link(place, max(numbers)) if numbers else None


def backup_named(place: Destination, chain: Sequence[Signed], at: str | None) -> list[Manifest]:
    """The backups needed for the one of that name, which is the last; for the newest without a name. Raises UsageError."""
    kept = [one for some in sets_of(chain) for one in some]
    named = [one for one in kept if at in (None, one.id)]
    if not named:
        there = ", ".join(one.id for one in kept[-5:])
        raise UsageError(
            f"there is no backup{f' {at}' if at else ''} at {place.shown}",
            f"there is: {there}" if there else "check the address: --from DIR or URL",
        )
    return needed_for(chain, named[-1].sequence)


def unsigned(chain: Iterable[Signed], place: Destination, is_known: Callable[[str], bool]) -> list[Problem]:
    """The manifests whose signature does not hold, or is by a key that is not `is_known` as a member's."""
    from gitmem.crypto.signing import fingerprint, verify

    problems = []
    for one in chain:
        where = f"{place.shown}/{one.manifest.name}"
        try:
            verify(one.key, one.body, one.signature)
            if not is_known(one.key):
                problems.append(Problem(ALTERED, where, f"it is signed by {fingerprint(one.key)}, which is no member's"))
        except GitmemError as error:
            problems.append(Problem(ALTERED, where, error.message))
    return problems


def known_of(context: Context, place: Destination, chain: str | None) -> Known | None:
    """What this clone has seen last of a chain, wherever it lay; of one it does not know, what it has seen at this place."""
    every = _load(context)
    here = max((one for one in every.values() if one.where == place.shown), key=lambda one: one.time, default=None)
    return every.get(chain or "", here)


def every_known(context: Context) -> list[Known]:
    """The last link that this clone has seen of each chain, the newest last."""
    return sorted(_load(context).values(), key=lambda one: one.time)


def last_known(context: Context) -> Known | None:
    """The newest backup that this clone knows of, wherever it is."""
    return next(reversed(every_known(context)), None)


def note(context: Context, place: Destination, last: Signed) -> None:
    """Note, durably, what is there now."""
    one = last.manifest
    seen = _load(context)
    seen.pop(one.chain, None)  # it goes to the end: of two of the same second the one that was noted later is the newer
    seen[one.chain] = Known(one.chain, one.sequence, last.digest, one.time, place.shown)
    content = {"v": 1, "chains": {name: asdict(known) for name, known in seen.items()}}
    data = json.dumps(content, separators=(",", ":")).encode()
    write_atomic(context.store.local / _FILE, data + b"\n", mode=0o600, durable=True)


def lost_since(context: Context, place: Destination, chain: Sequence[Signed]) -> list[Problem]:
    """What a chain lacks of what this clone has seen there, and of what the store's events tell."""
    ours = {one.manifest.chain for one in chain}
    known = known_of(context, place, chain[-1].manifest.chain if chain else None)
    problems = [] if known is None else _against(known, chain, place)
    last = max((one.manifest.sequence for one in chain), default=0)
    told = [match for event in _acts(context) if (match := ID.fullmatch(str(event.get("id")))) and match[1] in ours]
    missing = sorted({match[0] for match in told if int(match[2]) > last})
    return problems + [Problem(GONE, place.shown, f"{one} is not there, and the store's log tells of it") for one in missing]


def _against(known: Known, chain: Sequence[Signed], place: Destination) -> list[Problem]:
    held = {one.manifest.sequence: one for one in chain}
    what = f"b-{known.chain}-{known.sequence:04d}"
    one = held.get(known.sequence)
    if one is None and known.sequence < floor_of(chain) and all(other.manifest.chain == known.chain for other in chain):
        return []
    if one is None:
        return [Problem(GONE, place.shown, f"{what} is not there, and this clone has seen it there on {known.time[:10]}")]
    if one.digest != known.digest:
        return [Problem(BROKEN, f"{place.shown}/{one.manifest.name}", f"it is not the {what} that this clone has seen there")]
    return []


def _acts(context: Context) -> Iterable[dict[str, Any]]:
    from gitmem.memory.committing.events import every_event

    return (event for event in every_event(context) if event.get("op") == acts.BACKUP)


def _load(context: Context) -> dict[str, Known]:
    """What is noted, by chain; nothing where it was lost or damaged."""
    try:
        content = json.loads(read_bounded(context.store.local / _FILE, _MAX) or b"{}")
        return {name: Known(**told) for name, told in content["chains"].items()} if content.get("v") == 1 else {}
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, GitmemError):
        return {}
