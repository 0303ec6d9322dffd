"""Settling what git left unmerged: in a clone without our configuration a merge stops at every record that both sides changed.

The store's files are settled from the commits that git was bringing together, never from conflict markers; where git does not
name them (`stash pop`, `am`) from the versions in the index. What a person has meanwhile made of a record is taken in as far as
it adds to that. Files that are not the store's keep their conflicts. A merge in which nothing else is left is then concluded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from gitmem.core.codec import emit
from gitmem.core.heal import settled
from gitmem.core.merge import merge, merge_all
from gitmem.core.nearest import counted
from gitmem.errors import ConflictsLeft, GitmemError, InvalidRecord
from gitmem.git import process
from gitmem.git.commits import identity_line
from gitmem.git.merge import merge_store
from gitmem.git.objects import DURABLE, Content, Draft, write_commits
from gitmem.git.repo import BlobRef, Entry, Repo
from gitmem.git.underway import UnderWay, under_way
from gitmem.memory.committing.commit import author
from gitmem.memory.committing.staged import check_staged
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, sound_or_none
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import MAX_FILE, OWN_PREFIXES, is_record_path

Stages = dict[str, dict[int, Entry]]
"""The versions that the index holds of unmerged paths, by path and stage (2 ours, 3 theirs)."""


def settle_unmerged(context: Context) -> list[str]:
    """Settle the store's files, and conclude a merge that has no other conflict; what was done, in words.

    Raises ConflictsLeft for conflicts in other files, and GitmemError when git is in the middle of something else than a merge:
    the store's files are settled then, and the error names the command to go on with.
    """
    store = context.store
    with store.lock:
        store.refresh()
        now = under_way(store.repo)
        stages = _stages(context)
        own = {path: found for path, found in stages.items() if _is_own(context, path)}
        if now is None and not own:
            return _none_left(stages)
        wanted = _wanted(context, now, own)
        _settle(context, wanted)
        told = [f"settled what git left unmerged in {counted(len(own), 'file')} of the store"] if own else []
        foreign = sorted(stages.keys() - own.keys())
        if now is not None and now.name == "merge" and not foreign:
            check_staged(context)
            told.append("concluded the merge that was under way")
    if now is None or foreign:
        _refuse_foreign(foreign)
    if now is not None and now.name == "merge":
        _conclude(context)
    elif now is not None:
        raise _go_on(context, now)
    return told


def _none_left(stages: Stages) -> list[str]:
    _refuse_foreign(sorted(stages))
    return []


def _refuse_foreign(foreign: list[str]) -> None:
    if foreign:
        raise ConflictsLeft(
            f"files that are not gitmem's are in conflict: {', '.join(foreign[:5])}",
            "settle them and `git add` them, then run this again; the store's own files are settled",
        )


def _go_on(context: Context, now: UnderWay) -> GitmemError:
    goes_on_empty = (context.store.repo.git_dir / "rebase-merge").exists()  # other than with `rebase --apply` and `am`
    how = "continue" if goes_on_empty or context.store.repo.staged("HEAD") else "skip"
    return GitmemError(
        f"a git {now.name} is under way in {context.store.repo.root}; the store's files in it are settled",
        f"`{context.store.git_here} {now.name} --{how}`, then run this again",
    )


def _is_own(context: Context, path: str) -> bool:
    return path.startswith(tuple(f"{context.store.prefix}{name}/" for name in OWN_PREFIXES))


def _stages(context: Context) -> Stages:
    found: Stages = {}
    listed = context.store.repo.run("ls-files", "--unmerged", "-z")
    for line in os.fsdecode(listed).split("\0")[:-1]:
        head, _, path = line.partition("\t")
        mode, blob, stage = head.split(" ")
        found.setdefault(path, {})[int(stage)] = Entry(mode, blob)
    return found


def _wanted(context: Context, now: UnderWay | None, own: Stages) -> dict[str, Content]:
    """What each of the store's files in question should hold, by path below the repository's root."""
    repo, head = context.store.repo, context.store.repo.head()
    touched = own.keys() | {change.path for change in repo.staged(head) if _is_own(context, change.path)}
    if now is None or head is None or not (now.merging or now.picked or now.name == "revert"):
        return dict(_from_stages(context, head, own))
    wanted: dict[str, Content] = {}
    for other, bases in _others(context, head, now):
        wanted |= merge_store(repo, bases, head, other, context.store.prefix).changes
    rest = sorted(path for path in touched - wanted.keys() if path in own or _only_grows(context, path))
    held = repo.ls_tree(head, rest) if rest else {}
    kept = {path: BlobRef(entry.id) for path, entry in held.items() if entry.mode.startswith("100")}
    return {**dict.fromkeys(own, None), **kept, **wanted}


def _only_grows(context: Context, path: str) -> bool:
    name = path.removeprefix(context.store.prefix)
    return holds_record(name) or name.startswith("log/")


def _others(context: Context, head: str, now: UnderWay) -> Iterator[tuple[str, list[str]]]:
    """The commits that are being brought in, each with what it and HEAD come from."""
    repo = context.store.repo
    for other in now.merging:
        yield other, repo.merge_bases(head, other)
    if now.picked:
        parent = repo.resolve(f"{now.picked}^")
        yield now.picked, [parent] if parent else []


def _from_stages(context: Context, head: str | None, own: Stages) -> Iterator[tuple[str, Content]]:
    """As far as the index alone tells: the join of both versions and HEAD's, else the side that is there, ours first."""
    repo, prefix = context.store.repo, context.store.prefix
    held = repo.ls_tree(head, sorted(own)) if head else {}
    versions = {
        path: [entry.id for entry in (found.get(2), found.get(3), held.get(path)) if entry and entry.mode.startswith("100")]
        for path, found in own.items()
    }
    contents = dict(repo.read_blobs(sorted({blob for blobs in versions.values() for blob in blobs}), MAX_FILE))
    for path, blobs in versions.items():
        states = [state for blob in blobs if (state := sound_or_none(path.removeprefix(prefix), contents[blob]))]
        yield path, emit(merge_all(states)) if states else BlobRef(blobs[0]) if blobs else None


def _settle(context: Context, wanted: Mapping[str, Content]) -> None:
    """Put the wanted contents into the index, and into the work tree what a person or the journal adds to them."""
    store, prefix = context.store, context.store.prefix
    contents = dict(store.repo.read_blobs([one.id for one in wanted.values() if isinstance(one, BlobRef)], MAX_FILE))
    datas = {path: contents[one.id] if isinstance(one, BlobRef) else one for path, one in wanted.items()}
    files = {path: _completed(context, path.removeprefix(prefix), data) for path, data in datas.items()}
    blobs = {path: data for path, data in files.items() if data is not None}
    who = identity_line(store.repo, "COMMITTER", author(context))
    [written] = write_commits(store.repo, [Draft("", who, who, changes=blobs)])
    ids = store.repo.ls_tree(written.tree) if blobs else {}
    zero = store.repo.zero_id()
    lines = [f"100644 {ids[path].id}\t{path}\0" if path in ids else f"000000 {zero}\t{path}\0" for path in files]
    if lines:
        store.repo.run("update-index", "-z", "--index-info", input=os.fsencode("".join(lines)))
    for path, data in files.items():
        _bring(context, path.removeprefix(prefix), data)
    store.repo.run("update-index", "-q", "--refresh", ok=(0, 1))


def _completed(context: Context, path: str, data: bytes | None) -> bytes | None:
    """The content, with what the work tree's record has beyond it."""
    expected, chosen = sound_or_none(path, data), sound_or_none(path, _on_disk(context, path))
    return data if expected is None or chosen is None else emit(settled(chosen, expected))


def _on_disk(context: Context, path: str) -> bytes | None:
    try:
        return read_bounded(inside(context.store.root, path), MAX_FILE)
    except InvalidRecord:
        return None


def _bring(context: Context, path: str, data: bytes | None) -> None:
    store = context.store
    with suppress(InvalidRecord):  # it lies behind a link, which the next step takes out
        file = inside(store.root, path)
        if data is None:
            file.unlink(missing_ok=True)
            return
        pending = store.pending.get(path) if is_record_path(path) else None
        state = None if pending is None else sound_or_none(path, data)
        whole = data if pending is None or state is None else emit(merge(state, pending))
        if _on_disk(context, path) != whole:
            write_atomic(file, whole)


def _conclude(context: Context) -> None:
    """Commit the merge: its files have been checked, and the commit gets what the check has staged.

    It is unsigned as all that gitmem commits: nobody may be there to unlock git's key.
    """
    repo = context.store.repo
    name, _, rest = identity_line(repo, "COMMITTER", author(context)).rpartition(" <")
    who = ("-c", f"user.name={name}", "-c", f"user.email={rest.partition('>')[0]}")
    message = ["--no-edit"] if _has_message(repo) else ["--message", "gitmem: merge"]
    args = (*DURABLE, *who, "commit", "--quiet", "--no-verify", "--no-gpg-sign", *message, "--cleanup=strip")
    done = repo.call(*args)
    if done.code:
        raise process.failure(args, repo.root, done)


def _has_message(repo: Repo) -> bool:
    """Whether git has written down what the merge is to be called: it does that last, and may have been killed before."""
    file = repo.git_dir / "MERGE_MSG"
    lines = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
    return any(line.strip() and not line.startswith("#") for line in lines)
