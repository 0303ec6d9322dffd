"""Getting damaged objects of git back: from the work tree's own files, from backups, from the remote, whichever has them.

An object's name is the hash of its content, so that it does not matter who gave it. What is damaged is set aside and kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from gitmem.errors import GitmemError
from gitmem.git import remote
from gitmem.git.damage import damage, drop_lost_refs, mend_ref, put_back_blobs, set_caches_aside, set_damaged_aside
from gitmem.git.snapshots import REFS as SNAPSHOTS
from gitmem.memory.backups.chain import backup_named, destination_of, read_chain
from gitmem.memory.backups.rebuild import unpack
from gitmem.memory.context import Context
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import ATTRIBUTES, DAMAGED, MAX_FILE, OWN_PREFIXES
from gitmem.store.scratch import scratch


def salvage(context: Context) -> None:
    """Set damaged objects aside and get them back, the nearest source first; what none has stays missing."""
    repo = context.store.repo
    with context.store.lock:
        folder = context.store.local / DAMAGED / "objects"
        mend_ref(repo, folder)
        if not damage(repo):
            return
        set_caches_aside(repo, folder)
        if not damage(repo):
            return
        set_damaged_aside(repo, folder)
        for source in (_from_work_tree, _from_backup, _from_remote):
            if not damage(repo):
                break
            with suppress(GitmemError, OSError):  # the next one may have it; the check tells what none had
                source(context)
        repo.close()  # what was looked for in vain is looked for anew
        mend_ref(repo, folder)
        for name in drop_lost_refs(repo, SNAPSHOTS) if damage(repo) else ():
            context.warn(f"the snapshot {name.removeprefix(SNAPSHOTS)} is lost: nothing has its objects any more")


def _from_work_tree(context: Context) -> None:
    repo = context.store.repo
    put_back_blobs(repo, _files(context))
    repo.run("write-tree")  # the directories as the index has them, which as a rule are HEAD's


def _files(context: Context) -> Iterator[tuple[str, bytes]]:
    """The store's files as they lie in the work tree, each with the id that the index has for it."""
    store = context.store
    wanted = [store.prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    for line in os.fsdecode(store.repo.run("ls-files", "--stage", "-z", "--", *wanted)).split("\0")[:-1]:
        head, _, path = line.partition("\t")
        with suppress(GitmemError):  # a link, or too large: not what git had
            data = read_bounded(inside(store.root, path.removeprefix(store.prefix)), MAX_FILE)
            if data is not None:
                yield head.split(" ")[1], data


def _from_backup(context: Context) -> None:
    place = destination_of(context, None)
    chain, _ = read_chain(place)
    with scratch(context.store.local) as folder:
        for one in backup_named(place, chain, None):
            unpack(place, one, context.store.repo, context.store.vault.identities, folder)


def _from_remote(context: Context) -> None:
    source = remote.upstream(context.store.repo, context.store.repo.branch())
    if source is not None:
        remote.fetch_again(context.store.repo, source)
