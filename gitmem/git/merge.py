"""Merging what belongs to the store in two commits, whole trees at once and in this process.

The result depends on the two sides and on which of them changed a path since the common base, never on the base's content,
so that a base which is no merge base (rebase, cherry-pick) serves as well. Where both sides changed one path:

    1  a record                                     the join of both states (`core.merge`)
    2  changed here, deleted there                  kept as changed
    3  a record that cannot be joined (broken,      one version stays at the path, the other goes beside it under
       or of another id than its path says)         `<path>.kept-<blob>`; which is which is the same on every replica
    4  any other file                               as 3
    5  a log segment, changed on one side only      as 3, the original staying: segments are only ever added

Links, submodules and other things that are no files are never taken over. `StoreMerge.kept` says what a person should see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git.objects import Content
from gitmem.git.repo import BlobRef, Change, Entry, Repo

OWN: Final = ("memory", "log", ".gitmem")
"""The directories that hold the store and nothing else, relative to its root."""

_RECORD: Final = re.compile(r"memory/.+\.yaml|\.gitmem/config\.yaml|\.gitmem/members/[^/]+\.yaml", re.DOTALL)


@dataclass(slots=True)
class StoreMerge:
    """The result of a merge of the store's paths.

    `changes` are relative to our side, `merged` are the paths that both sides had changed, `kept` those that could not be
    merged, each with the reason and where the other version went.
    """

    changes: dict[str, Content] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)


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
    return settle(repo, list(differences(repo, bases, ours, theirs, own)), prefix)


def settle(repo: Repo, differing: Sequence[Difference], prefix: str) -> StoreMerge:
    """Merge the store's paths given that these are the ones on which the sides differ; as `merge_store`."""
    result = StoreMerge()
    _join_records(repo, [one for one in differing if _settle(one, prefix, result)], prefix, result)
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
    if theirs is not None and not _is_file(theirs):
        result.kept.append((one.path, "the other side made it a link or a submodule: not taken over"))
    elif ours is None or theirs is None:
        _take_or_leave(one, result)
    elif ours.id == theirs.id:
        pass  # only the mode differs, and a store's file has no other than ours
    elif path.startswith("log/"):
        original = [entry for entry in (ours, theirs) if entry in bases]
        _keep_both(one, min(original or (ours, theirs)), "a log segment was changed, which nothing may", result)
    elif not _is_file(ours) or (bases and all(base == ours for base in bases)):
        result.changes[one.path] = BlobRef(theirs.id)
    elif not bases or any(base != theirs for base in bases):
        if _RECORD.fullmatch(path):
            return True
        _keep_both(one, min(ours, theirs), "it was changed on both sides", result)
    return False


def _take_or_leave(one: Difference, result: StoreMerge) -> None:
    """One side lacks the file: what was removed on one side goes only if the other has left it as it was."""
    present = one.ours or one.theirs
    if one.bases and all(base == present for base in one.bases):
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
    left = {one.path for one in differing if result.changes.get(one.path, one.ours) is not None}
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
    if path.startswith("memory/") and path != f"memory/{state.scope}/{state.kind}/{state.id[2:4]}/{state.id}.yaml":
        raise InvalidRecord(
            f"{path[:200]}: holds the record {state.id}, whose place is another", "`gitmem doctor` lists such files"
        )
    return state


def _fits(path: str, data: bytes) -> bool:
    try:
        _fitting(path, data)
    except InvalidRecord:
        return False
    return True


def _is_file(entry: Entry) -> bool:
    return entry.mode.startswith("100")


def _old(change: Change) -> Entry | None:
    return Entry(change.old_mode, change.old) if change.old else None


def _new(change: Change) -> Entry | None:
    return Entry(change.new_mode, change.new) if change.new else None
