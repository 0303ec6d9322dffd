"""A store out of its backups alone: no clone, no remote, nothing but the destination and a key that opens it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gitmem.core.auditing.audit import ERASE
from gitmem.core.backups import Manifest, Signed, builds_up, check_links, sequence_of
from gitmem.core.erasure import is_redaction
from gitmem.core.nearest import counted
from gitmem.core.record import RECORD_ID, State
from gitmem.crypto.identity import Identity
from gitmem.errors import GitmemError, NoRoom, NoStore, Tampered, UsageError
from gitmem.git.remote import clone as git_clone
from gitmem.git.repo import Repo
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.pins import pin_of, take_pin
from gitmem.memory.backups.chain import backup_named, note, read_chain, remember_place, unsigned
from gitmem.memory.backups.rebuild import Progress, rebuilt
from gitmem.memory.backups.verify import members_at
from gitmem.memory.context import Context
from gitmem.memory.founding.found import prepare_clone
from gitmem.memory.privacy.purge import erased_at, replay_erasures
from gitmem.store.config import load_config
from gitmem.store.destination import Destination, destination
from gitmem.store.files import is_abandoned, sync_directory
from gitmem.store.kinds import Kinds
from gitmem.store.layout import id_at
from gitmem.store.scratch import scratch
from gitmem.store.store import Store

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RestoredAnew:
    """A store that was restored: where, which, from which backup (and when that was made), and how many records it holds.

    `erased` are the ids of records that were erased and cannot be read any more, `problems` what is wrong with other backups
    there, `notes` what a person should know.
    """

    root: str
    store: str
    backup: str
    time: str
    records: int
    erased: list[str]
    problems: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Source:
    """A destination as it was `named`, its chain, and the backups to be taken from it."""

    named: str
    place: Destination
    chain: list[Signed]
    some: list[Manifest]

    @property
    def links(self) -> list[Signed]:
        """The links of the chain that the backups are."""
        return [one for one in self.chain if one.manifest in self.some]


def restore_anew(
    where: str, target: Path, identities: Iterable[Identity], *, at: str | None = None, progress: Progress = lambda *_: None
) -> RestoredAnew:
    """Restore the store whose backups are at `where` into the directory `target`, which must be empty or absent.

    From the backup named `at`, the newest by default. Nothing is left where that fails. Raises NoStore where there is no
    backup, Tampered where what it takes is missing or altered or by nobody who may, NoKey where no identity opens it.
    """
    place = _one_store(where)
    chain, problems = read_chain(place)
    problems += check_links(chain, place.shown)
    source = _Source(where, place, chain, backup_named(place, chain, at))
    if not builds_up(source.some) or unsigned(source.links, place, lambda _: True):
        lines = "; ".join(f"{one.where}: {one.why}" for one in problems) or "a signature does not hold"
        raise Tampered(f"{source.some[-1].id} cannot be restored: {lines}", "restore another one: --at BACKUP")
    target = target.absolute()
    if target.exists() and (not target.is_dir() or not all(is_abandoned(entry.name) for entry in target.iterdir())):
        raise UsageError(f"{target} is there already and not empty", "gitmem backup restore --from URL DIR, with another DIR")
    with scratch(target if target.exists() else target.parent) as work:  # which may be another disk's
        repo = _checked_out(source, work / target.name, identities, progress)
        told = [f"{one.where}: {one.why}" for one in problems]
        done = _settled(source, repo, identities, told, _erased_since(source, work, identities, told, progress))
        _move(repo.root, target)
    return replace(done, root=str(target / source.some[-1].prefix))


def _move(made: Path, target: Path) -> None:
    """Put the finished clone in its place, in one step: a killed restore leaves nothing there, and nothing half settled.

    A directory that is there already may be somebody's current one: it stays, and what makes it a repository comes last.
    """
    if not target.exists():
        made.rename(target)
        sync_directory(target.parent)
        return
    for entry in sorted(made.iterdir(), key=lambda one: one.name == ".git"):
        entry.rename(target / entry.name)
    sync_directory(target)


def _one_store(where: str) -> Destination:
    """The destination of the one store whose backups are at a place. Raises NoStore, UsageError."""
    above = destination(where)
    names = above.names()
    if any(sequence_of(name) for name in names):
        return above
    stores = [name for name in names if RECORD_ID.fullmatch(name)]
    if not stores:
        raise NoStore(f"there are no backups of a store at {above.shown}", "check the address: --from DIR or URL")
    if len(stores) > 1:
        raise UsageError(f"{above.shown} holds backups of several stores: {', '.join(stores)}", f"--from …/{stores[0]}")
    return destination(where, stores[0])


def _checked_out(source: _Source, target: Path, identities: Iterable[Identity], progress: Progress) -> Repo:
    """A clone at `target` of what the backups hold, once members are seen to have signed them."""
    last = source.some[-1]
    with rebuilt(source.place, source.some, identities, target.parent, progress) as bare:
        progress("checking who signed", 0, 0)
        members = members_at(bare, last.prefix, last.commit)
        if strangers := unsigned(source.links, source.place, lambda key: members.holder(key) is not None):
            raise Tampered(f"{strangers[0].where}: {strangers[0].why}", "restore another one: --at BACKUP")
        progress("checking out", 0, 0)
        repo = git_clone(str(bare.git_dir), target, branch=last.branch.removeprefix("refs/heads/"))
        repo.run("remote", "set-head", "origin", "--delete")
        repo.run("remote", "remove", "origin")
    return repo


def _erased_since(
    source: _Source, work: Path, identities: Iterable[Identity], problems: list[str], progress: Progress
) -> dict[str, State]:
    """The graves of records that the newest backup there knows to be erased; of an older one more would be readable."""
    newest = replace(source, some=backup_named(source.place, source.chain, None))
    last = newest.some[-1]
    if last == source.some[-1]:
        return {}
    try:
        if not builds_up(newest.some):
            raise Tampered(f"{last.id} lacks one that it builds on")
        with rebuilt(source.place, newest.some, identities, work, progress) as bare:
            members = members_at(bare, last.prefix, last.commit)
            if strangers := unsigned(newest.links, source.place, lambda key: members.holder(key) is not None):
                raise Tampered(strangers[0].why)
            if redacted := _redacted_since(bare, last, source.some[-1].commit):
                some = ", ".join(redacted[:_SHOWN])
                problems.append(
                    f"{counted(len(redacted), 'record')} redacted since, and here as it was before: {some}; "
                    "`gitmem erase --subject NAME --redact` takes the mention out again"
                )
            return erased_at(bare, last.prefix, last.commit)
    except NoRoom:
        raise  # with room again it can be known
    except GitmemError as error:
        problems.append(f"what was erased since then is not known, for {last.id} cannot be read: {error.message}")
        return {}


def _redacted_since(repo: Repo, last: Manifest, commit: str) -> list[str]:
    """The ids of records out of which single values were erased after `commit`, by the log of the newest backup."""
    if repo.resolve(commit) is None:
        return []
    before = {path for path, _ in LogAt(repo, last.prefix, commit).files()}
    segments = (one for one in LogAt(repo, last.prefix, last.commit).readable() if one.path not in before)
    entries = (entry for segment in segments for entry in segment.entries if entry.op == ERASE)
    return sorted({id_at(entry.object) for entry in entries if is_redaction(entry.detail)})


def _settled(
    source: _Source, repo: Repo, identities: Iterable[Identity], problems: list[str], since: Mapping[str, State]
) -> RestoredAnew:
    """Make the clone a store to work in, where nothing that was erased can be read."""
    last = source.some[-1]
    root = repo.root / last.prefix if last.prefix else repo.root
    if load_config(root).store != last.store:
        raise Tampered(f"{last.id} holds another store than {last.store}", "restore another one: --at BACKUP")
    notes = prepare_clone(repo, root)
    context = Context(Store(root, repo, identities), Kinds(root))
    try:
        erased = replay_erasures(context, since)
        take_pin(context, pin_of(context))
        note(context, source.place, source.chain[-1])
        remember_place(context, source.named.rstrip("/").removesuffix(f"/{last.store}"))
    finally:
        context.store.close()
    return RestoredAnew(str(root), last.store, last.id, last.time, last.records, erased, problems, notes)
