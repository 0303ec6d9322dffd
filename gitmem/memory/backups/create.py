"""Making backups: a bundle of what the branch holds, sealed, and a signed manifest that makes it one.

The bundle lies at its destination, durably, before the manifest does, and a manifest takes its number in one step. So a backup
is there as a whole or not at all, and two that are made at once do not take each other's place.
"""

from __future__ import annotations

import os
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from gitmem.core.auditing.audit import EMPTY
from gitmem.core.backups import FULL, INCREMENTAL, Manifest, Signed, parse_manifest, sets_of, write_manifest
from gitmem.core.membership.members import Members
from gitmem.errors import GitmemError, NoStore, Tampered, UsageError
from gitmem.git import bundles
from gitmem.memory.auditing import acts
from gitmem.memory.backups.chain import (
    destination_of,
    known_of,
    last_link,
    note,
    read_chain,
    read_link,
    remember_place,
    set_lacks,
    unsigned,
)
from gitmem.memory.committing.branch import require_branch
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here
from gitmem.store.destination import Destination, Folder
from gitmem.store.files import disk_error
from gitmem.store.layout import MEMORY
from gitmem.store.scratch import scratch

INCREMENTS: Final = 30
"""After that many increments a backup is a full one again: a restore needs all of a set, and sets are let go as a whole."""

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: its name, type (`full` or `incremental`), size and number of records; when it was made, of which commit, where.

    `created` is false where nothing had changed since: it is the one before, which holds all there is.
    """

    id: str
    type: str
    bytes: int
    records: int
    time: str
    commit: str
    to: str
    sealed: bool
    created: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be backed up where: after the `last` link there, building on it or not (`full`), of `head`, for whom."""

    place: Destination
    last: Signed | None
    full: bool
    head: str
    members: Members
    sealed: bool


def create(context: Context, to: str | None = None, *, full: bool | None = None, sealed: bool = True) -> Backup:
    """Back up everything recorded so far, to a directory or URL (the one this clone remembers, by default).

    That is all of it or what changed since the last backup there: as `full` says, else as fits. All members and the recovery
    identity can open what is `sealed`, as it is unless the store is open. Raises GitmemError where it cannot be done,
    Tampered where something is wrong with what is there, NoKey without the identity that signs.
    """
    if not sealed and not context.store.config.plain:
        raise UsageError("only backups of an open store can be left unsealed", "leave --unsealed out")
    place = destination_of(context, to)
    _refuse_inside(context, place)
    context.progress("committing", 0, 0)
    commit(context)
    head, members = context.store.repo.head(), standing_here(context)
    if head is None:
        raise NoStore("nothing was recorded here yet", "`gitmem learn` first")
    last = _checked_last(context, place, members)
    whole = last is not None and full is not True and _is_whole(context, place, last.manifest)
    if last and whole and full is None and last.manifest.commit == head:
        return _unchanged(context, place, last)
    goes_on = last is not None and whole and _goes_on(context, last.manifest, head)
    if full is False and not goes_on:
        raise GitmemError(f"there is no backup at {place.shown} that an increment of this clone could build on", "--full")
    made = _write(context, _Plan(place, last, not goes_on, head, members, sealed))
    note(context, place, made)
    acts.note(context, acts.BACKUP, [made.manifest.id])
    if to is not None:
        remember_place(context, to)
    return listed(made.manifest, place, created=True)


def _refuse_inside(context: Context, place: Destination) -> None:
    """Raise UsageError for a place that would be lost with the store, and be in the way there."""
    own = (context.store.root, context.store.repo.git_dir, context.store.repo.common_dir)
    if isinstance(place, Folder) and any(place.path.is_relative_to(folder) for folder in own):
        raise UsageError(f"{place.shown} lies in the store that it is to outlive", "name a place outside: --to DIR or URL")


def backups(context: Context, where: str | None = None) -> list[Backup]:
    """The backups at a destination, oldest first. Raises Tampered for a manifest that is none."""
    place = destination_of(context, where)
    chain, problems = read_chain(place)
    if problems:
        raise Tampered(f"{problems[0].where}: {problems[0].why}", "`gitmem backup verify` shows all that is wrong")
    return [listed(one, place) for some in sets_of(chain) for one in some]


def listed(one: Manifest, place: Destination, *, created: bool = False) -> Backup:
    """A backup as it is told."""
    return Backup(one.id, one.type, one.bytes, one.records, one.time, one.commit, place.shown, one.sealed, created)


def _checked_last(context: Context, place: Destination, members: Members) -> Signed | None:
    """The last link at a destination, sound as far as it alone can be. Raises Tampered, also where this clone knows of more."""
    last = last_link(place)
    known = known_of(context, place, last.manifest.chain if last else None)
    there = 0 if last is None else last.manifest.sequence
    if known and last and (known.chain, known.sequence) != (last.manifest.chain, min(known.sequence, there)):
        raise Tampered(
            f"{place.shown} held b-{known.chain}-{known.sequence:04d}, and does not any more",
            "`gitmem backup verify` tells more; a backup to another place is safe: --to",
        )
    if known and last is None:
        context.warn(f"{place.shown} held backups on {known.time[:10]} and holds none any more: this one begins anew")
    if last is None:
        return None
    problems = unsigned([last], place, lambda key: members.holder(key) is not None)
    if problems or last.manifest.store != context.store.id:
        why = problems[0].why if problems else f"it is of the store {last.manifest.store}"
        raise Tampered(f"{place.shown}/{last.manifest.name}: {why}", "`gitmem backup verify` tells more")
    return last


def _is_whole(context: Context, place: Destination, last: Manifest) -> bool:
    """Whether all files of the newest set are there, and in order: nothing that builds on it could be restored else."""
    lacks = set_lacks(place, last)
    if lacks:
        some = ", ".join(lacks)
        context.warn(f"{place.shown} has lost {some}, or holds another there: no increment can build on that any more")
    return not lacks


def _unchanged(context: Context, place: Destination, last: Signed) -> Backup:
    """The newest backup, which holds all there is already."""
    chain, _ = read_chain(place)
    newest = next(one.manifest for one in reversed(chain) if one.manifest.holds)
    note(context, place, last)
    return listed(newest, place)


def _goes_on(context: Context, last: Manifest, head: str) -> bool:
    """Whether an increment can build on what is there: this clone's branch goes on from it, and its set is not long yet."""
    repo = context.store.repo
    short = last.sequence - last.first < INCREMENTS and last.commit != head
    return short and repo.resolve(last.commit) is not None and repo.is_ancestor(last.commit, head)


def _write(context: Context, plan: _Plan) -> Signed:
    store, place, before = context.store, plan.place, plan.last.manifest if plan.last else None
    branch, base = f"refs/heads/{require_branch(context)}", "" if plan.full or before is None else before.commit
    sequence = before.sequence + 1 if before else 1
    with _spooled(context, place) as (file, path):
        with bundles.reading(store.repo, plan.head, base, branch) as bundle:
            digest, size = _poured(context, bundle, file, plan)
        manifest = Manifest(
            chain=before.chain if before else b32encode(context.entropy(5)).decode().lower(),
            store=store.id,
            sequence=sequence,
            prev=plan.last.digest if plan.last else EMPTY,
            time=context.now(),
            type=INCREMENTAL if base else FULL,
            first=before.first if base and before else sequence,
            commit=plan.head,
            base=base,
            branch=branch,
            prefix=store.prefix,
            records=_records(context, plan.head),
            bytes=size,
            sha256=digest,
            sealed=plan.sealed,
        )
        place.put(manifest.bundle, path)
    return add_link(context, place, manifest)


def add_link(context: Context, place: Destination, manifest: Manifest) -> Signed:
    """Sign a manifest and give it its number. Raises GitmemError where somebody else was faster."""
    key = context.store.vault.signing_key()
    data = write_manifest(manifest, key.sign, key.public)
    if not place.add(manifest.name, data):
        with suppress(Tampered):
            if read_link(place, manifest.sequence).manifest.bundle != manifest.bundle:  # two clones may make the same one
                place.remove(manifest.bundle)
        raise GitmemError(f"somebody else made a backup at {place.shown} meanwhile", "run the command again")
    return parse_manifest(data, manifest.name)


class _Counted:
    """A file that is written, with the number of its bytes and their hash."""

    def __init__(self, context: Context, file: BinaryIO) -> None:
        self._context = context
        self._file = file
        self.hash = sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self.hash.update(data)
        self.size += len(data)
        self._context.progress("writing the bundle, kB", self.size >> 10, 0)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _poured(context: Context, bundle: bundles.Stream, file: BinaryIO, plan: _Plan) -> tuple[str, int]:
    """Write a bundle into a file, sealed or not; the hash and the size of what was written."""
    counted = _Counted(context, file)
    if plan.sealed:
        from gitmem.crypto.envelope import seal

        everybody = [*plan.members.by_name.values(), *([plan.members.recovery] if plan.members.recovery else [])]
        seal(bundle, counted, [one for member in everybody for one in member.recipients])
    else:
        while data := bundle.read(_PIECE):
            counted.write(data)
    counted.flush()
    return counted.hash.hexdigest(), counted.size


@contextmanager
def _spooled(context: Context, place: Destination) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file to write a bundle into, where its destination wants it, with its path; it is gone afterwards."""
    with scratch(context.store.local) as folder:
        path = place.spool(folder) / f".bundle.{os.getpid()}.tmp"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                yield file, path
        except OSError as error:
            raise disk_error(error, f"cannot write a backup to {place.shown}") from error
        finally:
            with suppress(OSError):
                path.unlink()


def _records(context: Context, commit: str) -> int:
    """How many records a commit holds."""
    folder = context.store.prefix + MEMORY
    return context.store.repo.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", folder).count(b".yaml\0")
