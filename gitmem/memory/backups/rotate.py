"""Letting old backups go: whole sets, with a signed word in the chain before anything is removed.

Cut short anywhere, what is left is a sound chain with some files too many, which the next rotation removes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from gitmem.core.backups import ROTATION, Signed, bundle_sequence, check_links, floor_of, floor_to_keep, sequence_of, sets_of
from gitmem.errors import Tampered, UsageError
from gitmem.memory.auditing import acts
from gitmem.memory.backups.chain import destination_of, lost_since, note, read_chain, unsigned
from gitmem.memory.backups.create import Backup, add_link, listed
from gitmem.memory.context import Context, timestamp
from gitmem.memory.members.folded import standing_here
from gitmem.store.config import MOST
from gitmem.store.destination import Destination
from gitmem.store.files import is_abandoned

LAST: Final = "backups.last"
DAYS: Final = "backups.days"
KEEP_LAST: Final = 10
KEEP_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class RotationReport:
    """Which backups went (or, when `dry_run`, would go), how many stay, and how many other files were removed."""

    dry_run: bool
    removed: list[Backup]
    kept: int
    leftovers: int = 0


def rotate(
    context: Context, where: str | None = None, *, last: int | None = None, days: int | None = None, dry_run: bool = False
) -> RotationReport:
    """Let go of backups, but for the newest `last` sets and those with a backup of the last `days` (by the store's policy).

    A set is a full backup and the increments on it; the newest always stays. Raises Tampered for a chain that is not sound,
    UsageError for more days than a setting may have.
    """
    if days is not None and days > MOST:
        raise UsageError(f"backups can be kept for {MOST:,} days, not {days:,}", "give a smaller number of days")
    config, place = context.store.config, destination_of(context, where)
    chain = _sound(context, place)
    since = context.clock() - timedelta(days=config.number(DAYS, KEEP_DAYS) if days is None else days)
    wanted = floor_to_keep(chain, timestamp(since), config.number(LAST, KEEP_LAST) if last is None else last)
    every = [one for some in sets_of(chain) for one in some]
    removed = [listed(one, place) for one in every if one.sequence < wanted]
    if dry_run or not chain:
        return RotationReport(dry_run, removed, len(every) - len(removed))
    if wanted > floor_of(chain):
        chain.append(_say_so(context, place, chain[-1], wanted))
    gone = [*_superfluous(place, chain)]
    for number, name in enumerate(gone):
        context.progress("removing files", number, len(gone))
        place.remove(name)
    return RotationReport(False, removed, len(every) - len(removed), max(0, len(gone) - 2 * len(removed)))


def _say_so(context: Context, place: Destination, before: Signed, floor: int) -> Signed:
    """Add the link which says that the chain begins at `floor` from here on."""
    told = replace(
        before.manifest,
        sequence=before.manifest.sequence + 1,
        prev=before.digest,
        time=context.now(),
        type=ROTATION,
        base="",
        bytes=0,
        sha256="",
        sealed=False,
        floor=floor,
    )
    link = add_link(context, place, told)
    note(context, place, link)
    acts.note(context, acts.BACKUP, [told.id])
    return link


def _sound(context: Context, place: Destination) -> list[Signed]:
    """The chain, if nothing is wrong with it: what is missing must not be let go as well."""
    chain, problems = read_chain(place)
    members = standing_here(context)
    problems += check_links(chain, place.shown)
    problems += unsigned(chain, place, lambda key: members.holder(key) is not None)
    problems += lost_since(context, place, chain)
    if problems:
        raise Tampered(f"{problems[0].where}: {problems[0].why}", "`gitmem backup verify` shows all that is wrong")
    return chain


def _superfluous(place: Destination, chain: list[Signed]) -> Iterator[str]:
    """The files of what was let go, and bundles that belong to no backup because somebody else took their number."""
    floor, last = floor_of(chain), chain[-1].manifest.sequence
    named = {one.manifest.bundle for one in chain if one.manifest.holds and one.manifest.sequence >= floor}
    for name in place.names():
        manifest, bundle = sequence_of(name), bundle_sequence(name)
        old = (manifest and manifest < floor) or (bundle and bundle <= last and name not in named)
        if old or is_abandoned(name):  # what a killed process was writing
            yield name
