"""Putting back what a store is opened with, where a `git revert` or somebody's hand took it out of the tree we stand in.

`heal` brings back all that git's history took, but it needs an open store, and a key to sign with: the configuration, and the
key files of whoever heals. Where HEAD lacks those and a commit that it reaches had them, they are put into the work tree again
for the moment; the sync or the repair that follows commits them and answers for what happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from gitmem.core.record import MAX_BYTES
from gitmem.crypto.identity import Identity
from gitmem.errors import GitmemError, NoStore
from gitmem.git import attributes, lost_head
from gitmem.git.lineage import walk
from gitmem.git.own_files import attribute_files, is_pipe, pipes
from gitmem.git.places import chosen, worktree_of
from gitmem.git.repo import Change, Entry, Repo
from gitmem.git.underway import under_way
from gitmem.memory.auditing.vouched import vouched_for
from gitmem.memory.checkup.halves import keep
from gitmem.memory.context import Context
from gitmem.memory.soundness import is_newer, path_problem, sound_or_none
from gitmem.memory.syncing.heal import examined
from gitmem.memory.syncing.own_keys import can_sign, recall_keys
from gitmem.memory.syncing.quarantine import oddity, purge
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG, KEYS, LOCAL, MEMBERS, OWN_PREFIXES, SCHEMAS
from gitmem.store.opening import open_store
from gitmem.store.place import local_of
from gitmem.store.store import Store

_NOTE = "footing"
_LOCAL_FILES = ("replica.yaml", "marks", "lock", "sync.lock", "acts", "backups.json", "index.db", "index.db.lock")
_LOOKED_AT = 1000  # commits, the latest that this clone knows of
_FOOTING = (CONFIG, KEYS, MEMBERS, SCHEMAS, ATTRIBUTES)


def reopened(start: Path, identities: Iterable[Identity]) -> tuple[Store, set[str]]:
    """The store that belongs to `start`, and the files that were put back for it where HEAD has lost them.

    Raises NoStore, InvalidRecord.
    """
    written: set[str] = set()
    with suppress(NoStore):
        repo, prefixes = _places(Repo.find(start), start)
        there = any(_holds(repo.root / prefix, CONFIG) or _check_out(repo, prefix) for prefix in prefixes)
        looks = ((prefix, look) for prefix in ([] if there else prefixes) for look in (_spoiled, _lost, _cut_off))
        lost = ((prefix, look(repo, prefix)) for prefix, look in looks)
        written = next((_found_again(repo, prefix, some) for prefix, some in lost if CONFIG in some), written)
    store = open_store(start, identities)
    return store, _signed(store, written)


def make_way(start: Path) -> None:
    """Move what is no file, where git or we keep one for this clone, out of the way: nothing could be opened or mended."""
    with suppress(NoStore):
        repo = Repo.find(start)
        _clear_places(repo)  # before anything is read there
        repo, prefixes = _places(repo, start)
        _clear_places(repo)
        if local_of(repo).is_dir():
            with suppress(FileExistsError):  # git, or one that was killed, has locked it: that comes later
                put_back_head(repo)
        _clear_attributes(repo, prefixes)


def in_the_way(repo: Repo) -> list[Path]:
    """What is no file where git or we keep one for this clone, or no directory where ours of the journal belongs."""
    local = local_of(repo)
    files = [
        *(repo.git_dir / "HEAD", repo.index_file, repo.common_dir / "config", repo.common_dir / "packed-refs"),
        *(*(local / name for name in _LOCAL_FILES), *(local / "journal").glob("*")),
    ]
    odd = {file for file in files if not file.is_symlink() and file.exists() and not file.is_file()}
    odd |= {folder for folder in (local / "journal",) if folder.exists() and not folder.is_dir()}
    return sorted({*odd, *pipes((repo.git_dir, repo.common_dir), loose=True)})


def put_back_head(repo: Repo) -> None:
    """Write a damaged HEAD again, make the directories git needs, have git know how objects are named.

    Raises GitmemError if nothing tells where HEAD stood.
    """
    lost_head.make_folders(repo)
    if lost_head.is_lost(repo):
        stood = lost_head.where_it_stood(repo)
        if stood is None:
            raise GitmemError("HEAD is damaged, and nothing tells which branch it was on", head_by_hand(repo))
        if (head := repo.git_dir / "HEAD").exists():
            keep(head, local_of(repo))
        lost_head.put_back(repo, stood)
    if lost_head.lacks_format(repo):
        lost_head.put_back_format(repo)


def head_by_hand(repo: Repo) -> str:
    """What a person can do about a HEAD of which nothing tells where it stood."""
    return f"write the line `ref: refs/heads/BRANCH` into {repo.git_dir / 'HEAD'}"


def _clear_places(repo: Repo) -> None:
    for folder in (repo.common_dir / LOCAL, local_of(repo)):
        if folder.exists() and not folder.is_dir():
            _make_folder(folder)
    for path in in_the_way(repo):
        keep(path, local_of(repo))


def _make_folder(folder: Path) -> None:
    """Put a directory in the place of something else, which is kept in it."""
    new = Path(mkdtemp(dir=folder.parent))
    keep(folder, new)
    new.rename(folder)


def _clear_attributes(repo: Repo, prefixes: Iterable[str]) -> None:
    """Move a pipe in the place of .gitattributes away, at which git would wait, and put back what HEAD has there."""
    for file in {file for prefix in prefixes for file in attribute_files(repo.root, prefix)}:
        if is_pipe(file):
            keep(file, local_of(repo))
            with suppress(GitmemError):  # of a HEAD that is damaged as well: what we need of it is written again later
                held = repo.read_paths(repo.head() or repo.empty_tree(), [file.relative_to(repo.root).as_posix()])
                for data in held.values():
                    write_atomic(file, data)


def put_back_footing(context: Context) -> list[str]:
    """Have what an open store needs before anything can be healed, where a plain `git pull` or a revert took it; in words what
    was set aside for that.

    Where no key is at hand, or what the store was opened with is gone, that is looked for among what HEAD has lost: in commits
    not looked at yet, for some never have a key.
    """
    store = context.store
    context.recalled |= recall_keys(store)
    said = _put_back_changed(context)
    if can_sign(store) and (store.root / CONFIG).exists() and (store.vault.plain or store.vault.scopes()):
        return said
    with store.lock:
        lost = _lost(store.repo, store.prefix, None if can_sign(store) else store.marks.note(_NOTE) or None)
        if lost:
            context.put_back |= _signed(store, _put_back(store.repo, store.root, lost))
        else:
            store.marks.set_note(_NOTE, store.repo.head() or "")
    return said


def _put_back_changed(context: Context) -> list[str]:
    """Where a pull brought a directory or a link in the place of a file, take it out; where it brought something else in the
    place of a member's file, have it as it last was one. Else nobody could be asked who may do what, nor the log be read, and
    nothing could be committed before it is healed."""
    store, head, last = context.store, context.store.repo.head(), next(iter(examined(context)), "")
    if head is None or head == last or store.repo.branch() is None or under_way(store.repo):
        return []
    own = [store.prefix + name for name in OWN_PREFIXES]
    changes = store.repo.diff(last if last and store.repo.resolve(last) else None, head, own)
    with store.lock:
        said = purge(context, head) if any(_is_odd(store, change) for change in changes) else []
        paths = [change.path.removeprefix(store.prefix) for change in changes]
        for path in paths if can_sign(store) else ():
            if path.startswith(f"{MEMBERS}/") and not _holds(store.root, path):
                context.put_back |= _found_again(store.repo, store.prefix, _spoiled(store.repo, store.prefix, path))
    return said


def _is_odd(store: Store, change: Change) -> bool:
    return bool(change.new and oddity(change.path.removeprefix(store.prefix), Entry(change.new_mode, change.new)))


def complete_attributes(context: Context) -> bool:
    """Whether .gitattributes lacked lines (reverted, or an older gitmem's) and has them now; the next commit takes it in.

    The clone's own attributes get theirs, which a clone that an older gitmem set up lacks.
    """
    store = context.store
    if attributes.unprotected(store.repo, store.prefix) and not chosen(store.repo).branch:
        attributes.protect(store.repo, store.prefix)
    file = inside(store.root, ATTRIBUTES)
    data = read_bounded(file, 1 << 20) or b""
    whole = attributes.with_own_lines(data)
    if whole == data or not can_sign(store) or not attributes.misread(store.repo, store.prefix):  # as a rule the first decides
        return False
    write_atomic(file, whole)
    return True


def _places(repo: Repo, start: Path) -> tuple[Repo, list[str]]:
    """The work tree in which the store lay, and where in it: as the clone was told, else here or above, the nearest first."""
    said = chosen(repo)
    if said.branch:
        return worktree_of(repo, said.branch) or repo, [""]
    if said.prefix is not None:
        return repo, [said.prefix]
    here = start.resolve().relative_to(repo.root).parts
    return repo, ["".join(f"{part}/" for part in here[:depth]) for depth in range(len(here), -1, -1)]


def _holds(root: Path, path: str) -> bool:
    """Whether a file of the footing lies in the work tree, and can be read: by a newer gitmem, if not by this one."""
    try:
        data = read_bounded(root / path, MAX_BYTES)
    except GitmemError:
        return False
    return data is not None and (sound_or_none(path, data) is not None or is_newer(data))


def _check_out(repo: Repo, prefix: str) -> bool:
    """Whether the work tree alone lacked the configuration that HEAD holds, or had it damaged: it is written again, with what
    else is gone of the footing, and what lay there is kept. In the middle of a merge it may be what comes in."""
    head, footing, file = repo.head(), [prefix + name for name in _FOOTING], repo.root / prefix / CONFIG
    held = repo.ls_tree(head, footing) if head and under_way(repo) is None else {}
    blobs = {path.removeprefix(prefix): entry.id for path, entry in held.items() if entry.mode.startswith("100")}
    if CONFIG not in blobs or not _is_sound(repo, CONFIG, blobs[CONFIG]):
        return False
    if os.path.lexists(file):
        keep(file, local_of(repo))
    for path, (_, data) in zip(blobs, repo.read_blobs(blobs.values()), strict=True):
        _write_missing(repo.root / prefix, path, data)
    return True


def _is_sound(repo: Repo, path: str, blob: str) -> bool:
    [(_, data)] = repo.read_blobs([blob])
    return sound_or_none(path, data) is not None


def _spoiled(repo: Repo, prefix: str, path: str = CONFIG) -> dict[str, str]:
    """A file of the footing as it last was one, where what HEAD has in its place is none: a plain `git pull` brought that."""
    head, file = repo.head(), prefix + path
    now = repo.ls_tree(head, [file]).get(file) if head else None
    if head is None or now is None or (now.mode.startswith("100") and _is_sound(repo, path, now.id)):
        return {}  # in the last case it is somebody's edit of the work tree, or a merge that is under way
    touched = repo.run("rev-list", "--topo-order", f"--max-count={_LOOKED_AT}", head, "--", file).decode().split()
    held = (repo.ls_tree(commit, [file]).get(file) for commit in touched)
    blobs = (entry.id for entry in held if entry is not None and entry.mode.startswith("100"))
    sound = next((blob for blob in blobs if _is_sound(repo, path, blob)), None)
    return {path: sound} if sound else {}


def _lost(repo: Repo, prefix: str, since: str | None = None) -> dict[str, str]:
    """What HEAD lacks of the footing and a commit (after `since`) took out: path in the store -> the blob it was last."""
    head = repo.head()
    if head is None:
        return {}
    gone: dict[str, str] = {}
    for step in walk(repo, head, since, [prefix + name for name in _FOOTING]):
        blobs = [old.id for old in step.olds if old is not None and old.mode.startswith("100")]
        if blobs and (step.new is None or not step.new.mode.startswith("100")):
            gone[step.path] = blobs[-1]
    there = repo.ls_tree(head, list(gone)) if gone else {}
    return {path.removeprefix(prefix): blob for path, blob in gone.items() if path not in there and not path_problem(path)}


def _cut_off(repo: Repo, prefix: str) -> dict[str, str]:
    """The same where somebody began history anew after the revert: as the last commit had it that this clone knows of.

    Only one whose log HEAD holds a part of: else it is no store that lost its footing. Later commits come first, whatever the
    clocks said.
    """
    head, footing = repo.head(), [prefix + name for name in _FOOTING]
    log = repo.ls_tree(head, [prefix + AUDIT]).items() if head else ()
    seen = (
        repo.run("rev-list", "--all", "--reflog", "--topo-order", f"--max-count={_LOOKED_AT}").decode().split() if log else []
    )
    held = ((commit, repo.ls_tree(commit, [prefix + CONFIG, prefix + AUDIT])) for commit in seen)
    last = next((commit for commit, had in held if prefix + CONFIG in had and log & had.items()), None)
    if head is None or last is None:
        return {}
    there = repo.ls_tree(head, footing)
    had = {path: entry.id for path, entry in repo.ls_tree(last, footing).items() if entry.mode.startswith("100")}
    return {path.removeprefix(prefix): blob for path, blob in had.items() if path not in there and not path_problem(path)}


def _found_again(repo: Repo, prefix: str, lost: dict[str, str]) -> set[str]:
    """Put back what was found of a store's footing; what lies in the place of one of these files is none, and is kept."""
    for file in (repo.root / prefix / path for path in lost):
        if os.path.lexists(file):
            keep(file, local_of(repo))
    return _put_back(repo, repo.root / prefix, lost)


def _put_back(repo: Repo, root: Path, lost: dict[str, str]) -> set[str]:
    """Write what was lost where nothing lies, but for what somebody took out and signed for it."""
    vouched = vouched_for(root, lost)
    wanted = {path: blob for path, blob in lost.items() if all(entry.after is not None for entry in vouched[path].entries)}
    blobs = zip(wanted, repo.read_blobs(wanted.values()), strict=True)
    return {path for path, (_, data) in blobs if _write_missing(root, path, data)}


def _write_missing(root: Path, path: str, data: bytes) -> bool:
    """Whether nothing lay at `path`, and the file does now."""
    with suppress(GitmemError):  # it would lie behind a link
        file = inside(root, path)
        if not file.exists():
            write_atomic(file, data)
            return True
    return False


def _signed(store: Store, written: set[str]) -> set[str]:
    """The files that were put back, if we can sign for them. Else they are taken out again: they would be in git's way."""
    store.vault.look_again()
    if not written:
        return written
    recall_keys(store)
    if can_sign(store):
        return written
    for path in written:
        inside(store.root, path).unlink(missing_ok=True)
    return set()
