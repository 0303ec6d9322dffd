"""Where copies of what was erased may remain: said as far as this clone can know it, and no further."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gitmem.core.auditing.audit import ERASE
from gitmem.core.nearest import counted
from gitmem.git.remote_words import without_password
from gitmem.memory.auditing.replicas import replica_of, replicas_of
from gitmem.memory.backups.chain import every_known
from gitmem.memory.context import Context
from gitmem.memory.members.folded import segments_here

LOG, HISTORY, REFLOG, STASH, REMOTE, CLONE, BACKUP, READERS = (
    *("log", "history", "reflogs", "stash", "remote", "clone", "backups", "readers"),
)
_TIDIED = "`gitmem erase --history` takes it out"


@dataclass(frozen=True, slots=True)
class Remaining:
    """One place where copies may be: its kind (`history`, `clone`, …), which one, and what becomes of it."""

    what: str
    where: str
    until: str


def remains(context: Context, paths: Collection[str], *, tidied: bool = False) -> list[Remaining]:
    """Where copies of these records may be, once they are gone from HEAD and from what this clone keeps beside it.

    `tidied` says that this clone's git has forgotten what nothing refers to.
    """
    return [*_here(context, paths, tidied=tidied), *_remotes(context), *_clones(context, paths), *_beyond(context)]


def _here(context: Context, paths: Collection[str], *, tidied: bool) -> Iterator[Remaining]:
    repo, prefix = context.store.repo, context.store.prefix
    versions = repo.run("rev-list", "--all", "--count", "--", *(prefix + path for path in sorted(paths))) if paths else b"0"
    if int(versions):
        yield Remaining(HISTORY, f"{counted(int(versions), 'commit')} of this clone", _TIDIED)
    for file in sorted(context.store.local.glob("before-*.bundle")):
        yield Remaining(BACKUP, f"{file}, which `erase --history` made", "until you remove it")
    if not tidied:
        yield Remaining(REFLOG, "git's reflogs and unreachable objects in this clone", _TIDIED)
    if repo.ref("refs/stash"):
        yield Remaining(STASH, "what you have stashed in this clone", "`git stash drop`, if it holds any of it")
    hashes = "of the values themselves: a short one can be guessed" if context.store.config.plain else "of sealed values"
    yield Remaining(LOG, f"the audit log: ids, times and counts, and hashes {hashes}", "for good: they prove what was done")


def _remotes(context: Context) -> Iterator[Remaining]:
    config = context.store.repo.config()
    for key, url in sorted(config.items()):
        if key.startswith("remote.") and key.endswith(".url"):
            name = key.removeprefix("remote.").removesuffix(".url")
            until = "until `gitmem erase --history`, and its host has collected garbage"
            yield Remaining(REMOTE, f"{name} ({without_password(url)})", until)


def _clones(context: Context, paths: Collection[str]) -> Iterator[Remaining]:
    """The clones that have ever signed anything, and whether they have heard."""
    segments = segments_here(context)
    told = [(e.writer, e.seq) for s in segments for e in s.entries if e.op == ERASE and e.object in paths]
    for one in sorted(replicas_of(context, segments).values(), key=lambda one: one.last):
        if one.name == context.store.replica.name or one.name in context.store.config.retired:
            continue
        heard = bool(told) and all(one.has_heard([entry]) for entry in told if replica_of(entry[0]) != one.name)
        until = "has heard of it; its history keeps it" if heard else "until it syncs; its history keeps it"
        yield Remaining(CLONE, f"{one.name}, {one.member}'s, last heard of {one.last}", until)


def _beyond(context: Context) -> Iterator[Remaining]:
    for one in every_known(context):
        until = "until `gitmem backup create --full` and `gitmem backup rotate --last 1 --days 0`"
        yield Remaining(BACKUP, f"{one.where}, the last of {one.time[:10]}", until)
    yield Remaining(BACKUP, "bundles, backups and copies made before, and clones that never signed", "until they are removed")
    key = "" if context.store.config.plain else ", and every copy opens with the keys of its readers"
    yield Remaining(READERS, f"what people and agents have read or copied{key}", "change what was secret at its source")
