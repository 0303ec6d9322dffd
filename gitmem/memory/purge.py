"""What this clone keeps beside the repository, rid of what was erased, here or by somebody else.

A restore, or a copy that turns up, brings old files back. They are never read: a read buries what a record's grave does not
leave (`Store.read`), and this clone keeps the graves of erased records beside the repository as well (`store.graves`).
`replay_erasures` fetches those that others made since, before anything is read.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from gitmem.core.codec import parse
from gitmem.core.collected import FOLDER as LISTS
from gitmem.core.collected import is_list_path
from gitmem.core.erasure import erased_in
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git import remote, snapshots
from gitmem.memory import quarantine
from gitmem.memory.catchup import drop_index
from gitmem.memory.context import Context
from gitmem.memory.gather import contents_at

_ASIDE = ("damaged", "drafts")


def settle_erasures(context: Context) -> list[str]:
    """Take note of the erasures that came in, and purge this clone of what they are about; the ids of the records."""
    store = context.store
    with store.lock:
        store.refresh()
        news = store.graves.news()
        if news:
            _take(context, news)
        return sorted(grave.id for grave in news.values())


def replay_erasures(context: Context) -> list[str]:
    """The same with the erasures that any ref of this clone knows of, the remote asked first if it answers.

    For whoever has just put an older state back in place: to be called before anything is read.
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
        news = store.graves.news()
        for commit in sorted(commits):
            news |= _erased_at(context, commit)
        if source is not None and back and before:
            repo.run("update-ref", source.tracking, before)  # the next sync is to see that the remote was rewritten
        news = {path: grave for path, grave in news.items() if not store.graves.is_noted(path, grave)}
        if news:
            _take(context, news)
        return sorted(grave.id for grave in news.values())


def _take(context: Context, news: dict[str, State]) -> None:
    purge(context, news)
    context.store.graves.note(news.values())


def purge(context: Context, paths: Collection[str]) -> None:
    """Remove what lies beside the repository of these records: index, snapshots, quarantine, files set aside, drafts."""
    store = context.store
    drop_index(context)
    for path in paths:
        context.paths.pop(_id(path), None)
    snapshots.drop_with(store.repo, [store.prefix + path for path in paths])
    quarantine.drop(context, paths)
    for folder in _ASIDE:
        for path in paths:
            for name in (_id(path), f"{_id(path)}.yaml"):
                (store.local / folder / name).unlink(missing_ok=True)


def _erased_at(context: Context, commit: str) -> dict[str, State]:
    """The graves of erased records in the lists that a commit holds."""
    repo, prefix = context.store.repo, context.store.prefix
    paths = [path.removeprefix(prefix) for path in repo.ls_tree(commit, [prefix + LISTS])]
    found: dict[str, State] = {}
    for path, data in contents_at(context, commit, [path for path in paths if is_list_path(path)]).items():
        with suppress(InvalidRecord):
            found |= erased_in(parse(data, path))
    return found


def _id(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".yaml")
