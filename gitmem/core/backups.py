"""Backups as their manifests tell of them: one signed line each, chained, so that none can go, change or come again unseen.

A destination holds one chain for a store. A manifest quotes the hash of the one before it, and says which bundle belongs to it,
what that holds, and what it builds on. A full backup and the increments after it are a *set*: they are kept, and let go,
together. What was let go is told by a rotation, a link of the chain like any other, which says where it begins from there on.

Here nothing is read and no key is used: bytes and signatures come from the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, Literal, cast

from gitmem.core.auditing.audit import EMPTY, Problem
from gitmem.core.dots import json_line
from gitmem.core.record import RECORD_ID, Json
from gitmem.errors import InvalidRecord, Tampered

VERSION: Final = 1
FULL: Final = "full"
INCREMENTAL: Final = "incremental"
ROTATION: Final = "rotation"
MAX_MANIFEST: Final = 64 << 10
ID: Final = re.compile(r"b-([a-z0-9]{8})-([0-9]{4,15})")
GONE: Final = "missing backup"
BROKEN: Final = "broken chain"
ALTERED: Final = "altered manifest"

Type = Literal["full", "incremental", "rotation"]

_NAME: Final = re.compile(r"([0-9]{6,15})\.json")
_BUNDLE: Final = re.compile(r"([0-9]{6,15})-[0-9a-f]{8}\.bundle(?:\.age)?")
_SHAPES: Final = {
    "chain": re.compile(r"[a-z0-9]{8}"),
    "store": RECORD_ID,
    "prev": re.compile(r"[0-9a-f]{64}"),
    "time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
    "type": re.compile(rf"{FULL}|{INCREMENTAL}|{ROTATION}"),
    "commit": re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?"),
    "base": re.compile(r"(?:[0-9a-f]{40}(?:[0-9a-f]{24})?)?"),
    "branch": re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,200}"),
    "prefix": re.compile(r"(?:[^/\x00-\x1f\x7f]+/)*"),
    "sha256": re.compile(r"(?:[0-9a-f]{64})?"),
}
_NUMBERS: Final = ("sequence", "first", "records", "bytes", "floor")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one link of a chain says. Text is ASCII but for `branch` and `prefix`; numbers are not negative.

    `prev` is the SHA-256 of the manifest before (`EMPTY` for none), `time` is RFC 3339 in UTC. `first` is the number of the
    full backup that the set begins with, `commit` what the set holds up to here, `base` what an increment builds on. The bundle
    has `bytes` and `sha256`, and is `sealed` by age or not. A rotation has no bundle; its `floor` is the number that the chain
    begins with from there on. `records` are those at `commit`; `branch` and `prefix` say where the store lies.
    """

    chain: str
    store: str
    sequence: int
    prev: str
    time: str
    type: Type
    first: int
    commit: str
    base: str
    branch: str
    prefix: str
    records: int
    bytes: int
    sha256: str
    sealed: bool
    floor: int = 0

    @property
    def id(self) -> str:
        """The name of the backup."""
        return f"b-{self.chain}-{self.sequence:04d}"

    @property
    def name(self) -> str:
        """The file that the manifest lies in."""
        return manifest_name(self.sequence)

    @property
    def bundle(self) -> str:
        """The file that the bundle lies in."""
        return f"{self.sequence:06d}-{self.sha256[:8]}.bundle{'.age' if self.sealed else ''}"

    @property
    def holds(self) -> bool:
        """Whether it has a bundle."""
        return self.type != ROTATION


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as it was signed: `signature` (armored SSHSIG) by `key` over `body`. `digest` is the hash of its file."""

    manifest: Manifest
    body: bytes
    key: str
    signature: str
    digest: str


def manifest_name(sequence: int) -> str:
    """The file that the manifest with this number lies in."""
    return f"{sequence:06d}.json"


def sequence_of(name: str) -> int | None:
    """The number of the manifest that a file of this name holds, None for another file."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match and manifest_name(int(match[1])) == name and int(match[1]) else None


def bundle_sequence(name: str) -> int | None:
    """The number of the backup whose bundle has this name, None for another file."""
    match = _BUNDLE.fullmatch(name)
    return int(match[1]) if match else None


def write_manifest(manifest: Manifest, sign: Callable[[bytes], str], key: str) -> bytes:
    """The file that holds a manifest, signed."""
    body = json_line({"v": VERSION, **asdict(manifest)}).encode() + b"\n"
    return body + json_line({"key": key, "sig": sign(body)}).encode() + b"\n"


def parse_manifest(data: bytes, name: str) -> Signed:
    """The manifest in a file; its signature is for the caller to check.

    Raises Tampered for whatever `write_manifest` would not have written, and for one that belongs under another name.
    """
    lines = data.split(b"\n")
    if len(data) > MAX_MANIFEST or len(lines) != 3 or lines[2]:
        raise _altered(name, "it is no manifest, or was cut off")
    said, signed = _mapping(lines[0], name), _mapping(lines[1], name)
    key, signature = signed.get("key"), signed.get("sig")
    if set(signed) != {"key", "sig"} or not isinstance(key, str) or not isinstance(signature, str):
        raise _altered(name, "its signature is none")
    manifest = _manifest(said, name)
    if manifest.name != name:
        raise _altered(name, f"it is number {manifest.sequence}: it was renamed, or put in another's place")
    return Signed(manifest, lines[0] + b"\n", key, signature, sha256(data).hexdigest())


def floor_of(chain: Sequence[Signed]) -> int:
    """The number that a chain begins with, as its rotations say."""
    return max((one.manifest.floor for one in chain), default=0) or 1


def check_links(chain: Sequence[Signed], where: str) -> list[Problem]:
    """What is missing from a chain (sorted by number), out of place in it, or of another chain.

    What rotations have let go may be there or not.
    """
    floor = floor_of(chain)
    kept = [one for one in chain if one.manifest.sequence >= floor]
    problems = [*_gaps(kept, floor, where)]
    for before, one in zip([None, *kept], kept, strict=False):
        if why := _break(before, one):
            problems.append(Problem(BROKEN, f"{where}/{one.manifest.name}", why))
    return problems


def sets_of(chain: Sequence[Signed]) -> list[list[Manifest]]:
    """The backups of a chain, from its floor on, by sets: each a full one and its increments, oldest first."""
    floor, found = floor_of(chain), list[list[Manifest]]()
    for one in (one.manifest for one in chain if one.manifest.holds and one.manifest.sequence >= floor):
        if one.type == FULL:
            found.append([])
        if found:
            found[-1].append(one)
    return found


def needed_for(chain: Sequence[Signed], sequence: int) -> list[Manifest]:
    """The backups that together hold what the one with this number holds: a full one, then increments in order."""
    for some in sets_of(chain):
        if some[0].sequence <= sequence <= some[-1].sequence:
            return [one for one in some if one.sequence <= sequence]
    return []


def builds_up(some: Sequence[Manifest]) -> bool:
    """Whether some backups are a full one and increments that build on each other, with nothing missing between."""
    whole = bool(some) and some[0].type == FULL
    return whole and all(later.base == earlier.commit for earlier, later in pairwise(some))


def floor_to_keep(chain: Sequence[Signed], since: str, last: int) -> int:
    """The number that a chain may begin with where the newest `last` sets are kept, and those with a backup after `since`.

    Whole sets from one on, the newest always: no backup ever lacks one that it builds on.
    """
    sets = sets_of(chain)
    if not sets:
        return floor_of(chain)
    kept = [some for place, some in enumerate(sets) if some[-1].time > since or place >= len(sets) - max(last, 1)]
    return kept[0][0].sequence


def _gaps(kept: Sequence[Signed], floor: int, where: str) -> Iterator[Problem]:
    expected = floor
    for one in kept:
        if one.manifest.sequence > expected:
            missing = f"{expected}" if one.manifest.sequence == expected + 1 else f"{expected} to {one.manifest.sequence - 1}"
            yield Problem(GONE, where, f"number {missing} of the chain is not there, and number {one.manifest.sequence} is")
        expected = one.manifest.sequence + 1


def _break(before: Signed | None, one: Signed) -> str | None:
    """Why a manifest does not follow the one that is before it; None where it does, or where a gap lies between."""
    here = one.manifest
    if before is None:
        begins = here.sequence == 1
        if begins and here.prev != EMPTY:
            return "it says that a backup was before it, and is the first"
        return (
            None if here.type == FULL or not (begins or here.holds) else "a chain begins with a full backup, and this is none"
        )
    there = before.manifest
    if (here.chain, here.store) != (there.chain, there.store):
        return f"it is of another chain ({here.chain}, of {here.store})"
    if here.sequence != there.sequence + 1:
        return None
    if here.prev != before.digest:
        return f"it does not follow {there.name} as that is: one of them was replaced"
    follows = {
        FULL: (here.first, here.base) == (here.sequence, ""),
        INCREMENTAL: (here.first, here.base) == (there.first, there.commit),
        ROTATION: (here.first, here.commit) == (there.first, there.commit) and here.floor <= here.first,
    }
    return None if follows[here.type] else f"it does not build on {there.name}"


def _mapping(line: bytes, name: str) -> dict[str, Json]:
    try:
        value = json.loads(line)
        again = json_line(value).encode() if isinstance(value, dict) else b""
    except (ValueError, RecursionError, InvalidRecord):
        raise _altered(name, "it is not JSON") from None
    if again != line:
        raise _altered(name, "it is not in the canonical spelling, so it is not what was signed")
    return dict(value)


def _manifest(said: dict[str, Json], name: str) -> Manifest:
    if said.pop("v", None) != VERSION:
        raise Tampered(f"{name}: it is of another version than {VERSION}", "upgrade gitmem-store")
    texts = all(isinstance(said.get(field), str) and shape.fullmatch(str(said[field])) for field, shape in _SHAPES.items())
    numbers = all(type(value) is int and 0 <= value < 10**15 for value in (said.get(field) for field in _NUMBERS))
    fields = {*_SHAPES, *_NUMBERS, "sealed"}
    if not (texts and numbers and isinstance(said.get("sealed"), bool) and said.keys() == fields):
        raise _altered(name, "it lacks something, or says more than a manifest does")
    found = Manifest(**cast("dict[str, Any]", said))  # each field's type was just looked at
    if ".." in found.prefix.split("/") or (found.holds and not found.sha256):
        raise _altered(name, "it names a place outside the repository, or no bundle")
    return found


def _altered(name: str, why: str) -> Tampered:
    return Tampered(f"{name}: {why}", "`gitmem backup verify` shows all that is wrong")
