"""Verifying backups: manifests, signatures and chain, every byte of every bundle; and, if asked, by rebuilding all there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import Problem
from gitmem.core.backups import GONE, Manifest, Signed, bundle_sequence, check_links, floor_of, sets_of
from gitmem.core.membership.members import Members
from gitmem.errors import GitmemError, NoKey, NoRoom, Tampered
from gitmem.git import bundles
from gitmem.git.repo import Repo
from gitmem.memory.auditing.audit import verify as verify_audit
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.verifying import noted
from gitmem.memory.backups.chain import destination_of, lost_since, note, read_chain, unsigned
from gitmem.memory.backups.rebuild import fetched, rebuilt
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing, standing_here
from gitmem.store.destination import Destination
from gitmem.store.scratch import scratch, workplace

ALTERED_BUNDLE = "altered bundle"
UNSOUND = "unsound backup"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was found at a destination: problems (`ok` means none), how many backups and bytes were read, and what to know."""

    ok: bool
    problems: list[Problem]
    backups: int
    bytes: int
    where: str
    deep: bool = False
    notes: list[str] = field(default_factory=list)


def verify(context: Context, where: str | None = None, *, deep: bool = False) -> BackupReport:
    """Verify all backups of this store at a destination; with `deep` by a rebuild of each set, `git fsck` and its audit log.

    What is wrong is in the report. Raises GitmemError where the destination cannot be read, or holds none and never did, NoKey
    where none of our keys opens what is to be rebuilt.
    """
    place = destination_of(context, where)
    chain, problems = read_chain(place)
    members = standing_here(context)
    problems += check_links(chain, place.shown)
    problems += unsigned(chain, place, lambda key: members.holder(key) is not None)
    problems += [
        Problem(UNSOUND, f"{place.shown}/{one.manifest.name}", f"it is of the store {one.manifest.store}")
        for one in chain
        if one.manifest.store != context.store.id
    ]
    problems += lost_since(context, place, chain)
    sets = sets_of(chain)
    with scratch(workplace(context.store.local)) as folder:
        problems += _bundles(context, place, [one for some in sets for one in some], folder)
        if deep and not problems:
            problems += _rebuilt(context, place, sets, folder)
    if not chain and not problems:
        raise GitmemError(f"there are no backups of this store at {place.shown}", "gitmem backup create --to DIR (or a URL)")
    if not problems:
        noted(context, lambda: note(context, place, chain[-1]))
    kept = [one for some in sets for one in some]
    size = sum(one.bytes for one in kept)
    return BackupReport(not problems, problems, len(kept), size, place.shown, deep, _notes(place, chain, kept))


def _bundles(context: Context, place: Destination, kept: Sequence[Manifest], folder: Path) -> Iterator[Problem]:
    """The bundles that are missing or altered: each is read to its end."""
    for number, one in enumerate(kept):
        context.progress("reading bundles", number, len(kept))
        try:
            file = fetched(place, one, folder)
        except Tampered as error:
            there = one.bundle in place.names()
            yield Problem(ALTERED_BUNDLE if there else GONE, f"{place.shown}/{one.bundle}", error.message)
            continue
        if file.parent == folder:
            file.unlink()


def _rebuilt(context: Context, place: Destination, sets: Sequence[list[Manifest]], folder: Path) -> Iterator[Problem]:
    """What is wrong with what the sets hold, each rebuilt in `folder`. NoKey if all else is well and one stays shut."""
    sealed: NoKey | None = None
    sound = True
    for some in sets:
        where = f"{place.shown}/{some[-1].name}"
        try:
            with rebuilt(place, some, context.store.vault.identities, folder, context.progress) as repo:
                context.progress("checking what they hold", 0, 0)
                found = [*check_rebuilt(repo, some, where)]
        except NoRoom:
            raise  # which says nothing of the backup
        except NoKey as error:  # nor does that: it was made before we were a member
            sealed, found = error, []
        except GitmemError as error:
            found = [Problem(UNSOUND, where, error.message)]
        sound &= not found
        yield from found
    if sealed and sound:
        raise sealed


def check_rebuilt(repo: Repo, some: Sequence[Manifest], where: str) -> Iterator[Problem]:
    """What is wrong with a rebuilt repository: for git, by its audit log, and with who signed the backups."""
    if why := bundles.fsck(repo):
        yield Problem(UNSOUND, where, f"git fsck: {why}")
        return
    for problem in verify_audit(repo, some[-1].prefix, some[-1].commit).problems:
        yield Problem(problem.what, f"{some[-1].id}: {problem.where}", problem.why)


def members_at(repo: Repo, prefix: str, commit: str) -> Members:
    """Who was a member of a store, by the log that a commit holds. What cannot be read counts for nothing."""
    return standing(LogAt(repo, prefix, commit).files())


def _notes(place: Destination, chain: Sequence[Signed], kept: Sequence[Manifest]) -> list[str]:
    """What is there beside the backups, and harms nothing."""
    if not chain:
        return [f"there is no backup of this store at {place.shown}"]
    floor, named = floor_of(chain), {one.bundle for one in kept}
    odd = [name for name in place.names() if (number := bundle_sequence(name)) and number >= floor and name not in named]
    return [f"{name} belongs to no backup: one was cut short; `gitmem backup rotate` removes it" for name in odd]
