"""Merging what belongs to the store in two commits, whole trees at once and in this process.

The result depends on the two sides and on which of them changed a path since the common base, never on the base's content,
so that a base which is no merge base (rebase, cherry-pick) serves as well. Where both sides changed one path:

    1  a record                                     the join of both states (`core.merge`)
    2  changed here, deleted there                  kept as changed
    3  a record that cannot be joined (broken,      one version stays at the path, the other goes beside it under
       or of another id than its path says)         `<path>.kept-<blob>`; which is which is the same on every replica
    4  any other file                               as 3
    5  a log segment, changed on one side only      as 3, the original staying: segments are only ever added
    6  a list of collected records                  the join, also where one side lacks it or has it as the base has:
                                                    lists only grow

A record that the merged lists name as collected is buried (`core.collected`), whichever side brought it and however it was
changed there. Links, submodules and other things that are no files are never taken over, and one that is on our side alone is
taken out: what is left is the same in both directions, all of it plain files. `StoreMerge.kept` says what a person should see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gitmem.core.codec import emit, parse
from gitmem.core.collected import FOLDER, bury, grave_in, is_list, is_list_path, list_of, place_of
from gitmem.core.merge import merge
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git.objects import Content
from gitmem.git.repo import BlobRef, Change, Entry, Repo

OWN: Final = ("memory", "log", ".gitmem")
"""The directories that hold the store and nothing else, relative to its root."""

_RECORD: Final = re.compile(r"memory/.+\.yaml|\.gitmem/(?:config|members/[^/]+|collected/[^/]+)\.yaml", re.DOTALL)
_FILE_MODE: Final = "100644"


class StoreMerge(NamedTuple):
    """The result of a merge of the store's paths.

    `changes` are relative to our side, `merged` are the paths that both sides had changed, `kept` those that could not be
    merged, each with the reason and where the other version went. `revived` are collected records that somebody wrote to
    without having heard of their deletion: they stand again, without the values that were collected.
    """

    changes: dict[str, Content]
    merged: list[str]
    kept: list[tuple[str, str]]
    revived: list[str]


class Difference(NamedTuple):
    """One path on which the sides differ, with its state in each base. None: absent."""

    path: str
    ours: Entry | None
    theirs: Entry | None
    bases: tuple[Entry | None, ...]


def merge_store(repo: Repo, bases: Sequence[str], ours: str, theirs: str, prefix: str = "") -> StoreMerge:
    """Merge the store's paths of tree-ish `theirs` into `ours`; the store lies at `prefix` (empty, or ending in a slash).

    Never fails for the content of single files. Raises GitmemError when a directory on one side is a file on the other,
    which no merge can settle.
    """
    own = [prefix + name for name in OWN]
    return settle(repo, list(differences(repo, bases, ours, theirs, own)), prefix, ours)


def settle(repo: Repo, differing: Sequence[Difference], prefix: str, ours: str) -> StoreMerge:
    """Merge the store's paths given that these are the ones on which the sides differ; as `merge_store`."""
    result = StoreMerge({}, [], [], [])
    _join_records(repo, [one for one in differing if _settle(one, prefix, result)], prefix, result)
    _bury_collected(repo, differing, prefix, ours, result)
    for one in differing:
        if one.ours and one.ours.mode != _FILE_MODE and _held(one, result) == one.ours:
            result.changes[one.path] = BlobRef(one.ours.id)  # a program: theirs would be taken over as a plain file
    _refuse_clashes(differing, result)
    return result


def differences(repo: Repo, bases: Sequence[str], ours: str, theirs: str, paths: Sequence[str] = ()) -> Iterator[Difference]:
    """The paths (all, or those at or below `paths`) on which the sides differ. Where ours is a base's, no diff lists it."""
    since = [{change.path: _old(change) for change in repo.diff(base, ours, paths)} for base in bases]
    for change in repo.diff(ours, theirs, paths):
        mine = _old(change)
        yield Difference(change.path, mine, _new(change), tuple(changed.get(change.path, mine) for changed in since))


def join_record(path: str, ours: bytes, theirs: bytes) -> bytes:
    """The join of two versions of the record at `path`. Raises InvalidRecord if either is broken or belongs elsewhere."""
    return emit(merge(_fitting(path, ours), _fitting(path, theirs)))


def _settle(one: Difference, prefix: str, result: StoreMerge) -> bool:
    """Decide one path, unless that takes the contents: True for a record that both sides hold and have changed."""
    path, ours, theirs, bases = one.path.removeprefix(prefix), one.ours, one.theirs, one.bases
    if path in OWN:
        raise _clash(one.path)
    if not (_is_file(ours) and _is_file(theirs)):
        _leave_links(one, result)
    elif ours is None or theirs is None:
        _take_or_leave(one, result, grows=is_list_path(path))
    elif ours.id == theirs.id:
        pass  # only the mode differs
    elif path.startswith("log/"):
        original = [entry for entry in (ours, theirs) if entry in bases]
        _keep_both(one, min(original or (ours, theirs)), "a log segment was changed, which nothing may", result)
    else:
        return is_list_path(path) or _settle_changed(
            one, ours, theirs, is_record=_RECORD.fullmatch(path) is not None, result=result
        )
    return False


def _settle_changed(one: Difference, ours: Entry, theirs: Entry, *, is_record: bool, result: StoreMerge) -> bool:
    """The same for two files of different content, of which one may be the base's."""
    if one.bases and all(base == ours for base in one.bases):
        result.changes[one.path] = BlobRef(theirs.id)
    elif not one.bases or any(base != theirs for base in one.bases):
        if is_record:
            return True
        _keep_both(one, min(ours, theirs), "it was changed on both sides", result)
    return False


def _leave_links(one: Difference, result: StoreMerge) -> None:
    """A side has something that is no file: the other's file stands, and none where that has none either."""
    stays = next((entry for entry in (one.ours, one.theirs) if entry and _is_file(entry)), None)
    if stays != one.ours:
        result.changes[one.path] = BlobRef(stays.id) if stays else None
    side = "the other side" if _is_file(one.ours) else "this side"
    result.kept.append((one.path, f"{side} made it a link or a submodule, which have no place in a store: not taken over"))


def _take_or_leave(one: Difference, result: StoreMerge, *, grows: bool) -> None:
    """One side lacks the file: what was removed on one side goes only if the other left it as it was, and if it may shrink."""
    present = one.ours or one.theirs
    if not grows and one.bases and all(base == present for base in one.bases):
        if one.theirs is None:
            result.changes[one.path] = None
        return
    if one.theirs is not None:
        result.changes[one.path] = BlobRef(one.theirs.id)
    if any(one.bases):
        result.merged.append(one.path)


def _join_records(repo: Repo, joins: Sequence[Difference], prefix: str, result: StoreMerge) -> None:
    sides = [(one, one.ours, one.theirs) for one in joins if one.ours and one.theirs]
    contents = repo.read_blobs((entry.id for _, *pair in sides for entry in pair if entry), limit=MAX_BYTES)
    for (one, _, theirs), (_, mine), (_, other) in zip(sides, contents, contents, strict=True):
        path = one.path.removeprefix(prefix)
        result.merged.append(one.path)
        try:
            joined = join_record(path, mine, other)
        except InvalidRecord as error:
            _keep_both(one, _better(one, path, mine, other), error.message, result)
            continue
        if joined != mine:
            result.changes[one.path] = BlobRef(theirs.id) if joined == other else joined


def _bury_collected(repo: Repo, differing: Sequence[Difference], prefix: str, ours: str, result: StoreMerge) -> None:
    """Bring each record on which the sides differ to what its grave leaves of it."""
    held = [(one.path, one.path.removeprefix(prefix), _held(one, result)) for one in differing]
    records = [(path, name, content) for path, name, content in held if content and name.startswith("memory/")]
    if not records:
        return
    lists = _lists(repo, {list_of(name) for _, name, _ in records}, prefix, ours, result)
    for path, name, content in records:
        grave = grave_in(lists[list_of(name)], name) if list_of(name) in lists else None
        if grave is not None:
            _bury_one(path, name, _read(repo, content), grave, result)


def _bury_one(path: str, name: str, data: bytes, grave: State, result: StoreMerge) -> None:
    if not _fits(name, data):
        return
    left = bury(_fitting(name, data), grave)
    if left is None:
        result.changes[path] = None
    elif emit(left) != data:
        result.changes[path] = emit(left)
        result.revived.extend([path] if left.alive else [])


def _lists(repo: Repo, wanted: set[str], prefix: str, ours: str, result: StoreMerge) -> dict[str, State]:
    """Those of the `wanted` lists of collected records that there are after the merge, by path below the store's root."""
    found: dict[str, Content | Entry] = dict(repo.ls_tree(ours, [prefix + FOLDER]))
    found |= {path: content for path, content in result.changes.items() if path.startswith(f"{prefix}{FOLDER}/")}
    contents = {path.removeprefix(prefix): content for path, content in found.items() if content is not None}
    datas = {path: _read(repo, content) for path, content in contents.items() if path in wanted}
    return {path: _fitting(path, data) for path, data in datas.items() if _fits(path, data)}


def _held(one: Difference, result: StoreMerge) -> Content | Entry:
    """What the merge leaves at a path."""
    return result.changes.get(one.path, one.ours)


def _read(repo: Repo, content: bytes | BlobRef | Entry) -> bytes:
    if isinstance(content, bytes):
        return content
    return next(data for _, data in repo.read_blobs([content.id], MAX_BYTES))


def _better(one: Difference, path: str, ours: bytes, theirs: bytes) -> Entry:
    """Which of two versions that do not join stays at the path: the sound one; of two alike, the same on every replica."""
    pairs = [(entry, data) for entry, data in ((one.ours, ours), (one.theirs, theirs)) if entry]
    sound = [entry for entry, data in pairs if _fits(path, data)]
    return min(sound or [entry for entry, _ in pairs])


def _keep_both(one: Difference, stays: Entry, why: str, result: StoreMerge) -> None:
    goes = one.theirs if stays == one.ours else one.ours
    assert goes is not None  # noqa: S101 (both sides hold the path)
    aside = f"{one.path}.kept-{goes.id[:12]}"
    if goes == one.ours:
        result.changes[one.path] = BlobRef(stays.id)
    result.changes[aside] = BlobRef(goes.id)
    result.kept.append((one.path, f"{why}; the other version is kept as {aside}"))


def _refuse_clashes(differing: Sequence[Difference], result: StoreMerge) -> None:
    """Writing `a/b` where a file `a` stays would remove `a` without a word."""
    left = {one.path for one in differing if _held(one, result) is not None}
    for path in left:
        above = path.rpartition("/")[0]
        while above:
            if above in left:
                raise _clash(above)
            above = above.rpartition("/")[0]


def _clash(path: str) -> GitmemError:
    return GitmemError(
        f"{path[:200]!r} is a directory on one side and something else on the other",
        "see who did that: git log --raw --all -- memory log .gitmem",
    )


def _fitting(path: str, data: bytes) -> State:
    state = parse(data, path)
    if path.startswith("memory/") and path != place_of(state):
        raise InvalidRecord(
            f"{path[:200]}: holds the record {state.id}, whose place is another", "`gitmem doctor` lists such files"
        )
    if path.startswith(f"{FOLDER}/") and not is_list(path, state):
        raise InvalidRecord(f"{path[:200]}: holds no list of collected records", "`gitmem doctor` lists such files")
    return state


def _fits(path: str, data: bytes) -> bool:
    try:
        _fitting(path, data)
    except InvalidRecord:
        return False
    return True


def _is_file(entry: Entry | None) -> bool:
    """Whether there is nothing else than a file."""
    return entry is None or entry.mode.startswith("100")


def _old(change: Change) -> Entry | None:
    return Entry(change.old_mode, change.old) if change.old else None


def _new(change: Change) -> Entry | None:
    return Entry(change.new_mode, change.new) if change.new else None
