"""What this clone keeps beside the repository, rid of what was erased, here or by somebody else.

A restore, or a copy that turns up, brings old files back. They are never read: a read buries what a record's grave does not
leave (`Store.read`), and this clone keeps the graves of erased records beside the repository as well (`store.graves`).
`replay_erasures` fetches those that others made since, before anything is read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType

from gitmem.core.codec import emit, parse
from gitmem.core.collected import FOLDER as LISTS
from gitmem.core.collected import is_list_path
from gitmem.core.erasure import Rule, erased_in
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git import remote, snapshots
from gitmem.git.repo import Repo
from gitmem.memory.catchup import drop_index
from gitmem.memory.context import Context
from gitmem.memory.privacy import erasures
from gitmem.memory.privacy.erasures import left_of
from gitmem.memory.soundness import kept_of
from gitmem.memory.syncing import quarantine
from gitmem.store.files import inside
from gitmem.store.layout import id_at

_ASIDE = ("damaged", "drafts")
_REPLAYED = "replayed"


def settle_erasures(context: Context) -> str:
    """Take note of what was erased elsewhere, and purge this clone of it; in words what for and of what, if there was anything.

    Once the log holds for this clone nothing that was signed without the right to it: see `enforcing`.
    """
    store = context.store
    if erasures.has_looked(context):
        return ""
    with store.lock:
        store.refresh()
        graves, told = _signed_for(context, store.graves.news()), erasures.news(context)
        paths = graves.keys() | told.keys()
        dropped = purge(context, paths, told) if paths else []
        store.graves.note(graves.values())
        erasures.looked(context)
    records = f"{len(paths)} record{'s were' if len(paths) > 1 else ' was'} erased or redacted elsewhere"
    return f"{records}, and this clone is rid of what held it: {', '.join(dropped)}" if dropped else ""


def _signed_for(context: Context, graves: dict[str, State]) -> dict[str, State]:
    """Those of the graves that somebody with the right to it signed for: any other holds as long as its list does."""
    known = erasures.rules(context) if graves else {}
    return {path: grave for path, grave in graves.items() if path in known}


def replay_erasures(context: Context, more: Mapping[str, State] = MappingProxyType({})) -> list[str]:
    """The same with the erasures that any ref of this clone knows of, the remote asked first if it answers; and with `more`.

    For whoever has just put an older state back in place: to be called before anything is read. The ids of what was erased.
    """
    store, repo = context.store, context.store.repo
    source = remote.upstream(repo, repo.branch())
    before, back = None, False
    if source is not None:
        before = repo.ref(source.tracking)
        with suppress(GitmemError):  # a remote that is away is asked by the next sync
            found = remote.fetch(repo, source, force=True).commit
            back = bool(before and found and not repo.is_ancestor(before, found))
    refs = repo.run("for-each-ref", "--format=%(objectname) %(objecttype)").decode().splitlines()
    commits = {line.partition(" ")[0] for line in refs if line.endswith(" commit")}
    with store.lock:
        store.refresh()
        news = {**store.graves.news(), **more}
        for commit in sorted(commits):
            news |= erased_at(repo, store.prefix, commit)
        if source is not None and back and before:
            repo.run("update-ref", source.tracking, before)  # the next sync is to see that the remote was rewritten
        news = {path: grave for path, grave in news.items() if not store.graves.is_noted(path, grave)}
        if news:
            purge(context, news)
            store.graves.note(news.values())
            store.marks.set_note(_REPLAYED, json.dumps(sorted(replayed(context) | (news.keys() & more.keys()))))
            _bury_files(context, news)
        return sorted(grave.id for grave in news.values())


def replayed(context: Context) -> set[str]:
    """The paths of the records whose erasure this clone knows from a backup alone: its log may never tell of it."""
    return set(json.loads(context.store.marks.note(_REPLAYED, "[]")))


def _bury_files(context: Context, paths: Iterable[str]) -> None:
    """Leave in the work tree of these records what their graves do: the commit that says so is still to come."""
    store = context.store
    for path in paths:
        left = None
        with suppress(InvalidRecord):  # one that cannot be read may hold anything
            left = store.read(path)
        if left is None:
            inside(store.root, path).unlink(missing_ok=True)
        else:
            store.put_file(path, emit(left))


def purge(context: Context, paths: Collection[str], rules: Mapping[str, Rule] = MappingProxyType({})) -> list[str]:
    """Remove what lies beside the repository of these records: index, snapshots, quarantine, files set aside, drafts.

    A snapshot stays if it holds of them no more than `rules` leave; without a rule for a record, if it does not hold it. What
    was removed, in words.
    """
    store = context.store
    gone = ["the index"] if drop_index(context) else []
    for path in paths:
        context.paths.pop(id_at(path), None)
    dropped = _drop_snapshots(context, paths, rules)
    aside = quarantine.drop(context, paths)
    for folder in _ASIDE:
        for path in paths:
            for file in (store.local / folder / name for name in (id_at(path), f"{id_at(path)}.yaml")):
                aside += file.exists()
                file.unlink(missing_ok=True)
    counts = ((dropped, "snapshot"), (aside, "file"))
    return gone + [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count]


def _drop_snapshots(context: Context, paths: Collection[str], rules: Mapping[str, Rule]) -> int:
    """Drop the snapshots that hold what was erased, also in a copy that a merge kept beside its record; how many."""
    repo, prefix = context.store.repo, context.store.prefix

    @cache
    def holds(path: str, blob: str) -> bool:
        path = path.removeprefix(prefix)
        record = kept_of(path) or path
        if record not in paths or record not in rules:
            return record in paths
        return any(left_of(record, data, rules[record]) != data for _, data in repo.read_blobs([blob], MAX_BYTES))

    folders = sorted({f"{prefix}{path.rpartition('/')[0]}" for path in paths})
    return len(snapshots.drop_with(repo, folders, holds))


def erased_at(repo: Repo, prefix: str, commit: str) -> dict[str, State]:
    """The graves of erased records in the lists that a commit holds, of the store below `prefix`."""
    lists = repo.ls_tree(commit, [prefix + LISTS])
    blobs = {path.removeprefix(prefix): entry.id for path, entry in lists.items() if is_list_path(path.removeprefix(prefix))}
    found: dict[str, State] = {}
    for path, (_, data) in zip(blobs, repo.read_blobs([*blobs.values()], MAX_BYTES), strict=True):
        with suppress(InvalidRecord):
            found |= erased_in(parse(data, path))
    return found
