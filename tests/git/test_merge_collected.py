"""Merging trees in which records were collected, in both directions; and what else must come to the same from either side."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, permutations

import pytest

from gitmem.core.codec import emit
from gitmem.core.collected import bury, empty_list, grave_of, list_of, with_graves
from gitmem.core.edit import Pen
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.git.merge import StoreMerge, merge_store
from gitmem.git.objects import Content, Draft, write_commits
from gitmem.git.repo import BlobRef, Repo
from tests.git.stores import changed, path_of, record
from tests.support.git import Git
from tests.support.stores import EFFORT

MakeRepo = Callable[..., Git]
Files = dict[str, bytes]
WHO = "a <a@b> 0 +0000"
LIVING = record(1)
PATH = path_of(LIVING)
LIST = list_of(PATH)
OTHER = path_of(record(2))


def _dead(state: State, writer: str = "aaaaaaaa-1") -> State:
    pen = Pen(state, writer)
    pen.die()
    return pen.state


DEAD = _dead(LIVING)
GRAVE = grave_of(DEAD)
COLLECTED = {LIST: emit(with_graves(empty_list(LIST), "gggggggg-1", [GRAVE]))}


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    """An empty repository."""
    return Repo.find(make_repo().path)


def _tree(repo: Repo, files: dict[str, Content], root: str | None = None) -> str:
    return write_commits(repo, [Draft("", WHO, WHO, root=root, changes=files)])[0].tree


def _merged(repo: Repo, bases: list[str], ours: str, theirs: str, prefix: str = "") -> tuple[str, StoreMerge]:
    result = merge_store(repo, bases, ours, theirs, prefix)
    return _tree(repo, result.changes, ours), result


def _files(repo: Repo, tree: str) -> Files:
    entries = repo.ls_tree(tree)
    assert {entry.mode for entry in entries.values()} <= {"100644"}
    return dict(zip(entries, (data for _, data in repo.read_blobs(e.id for e in entries.values())), strict=True))


def _both_ways(repo: Repo, base: Files | None, ours: Files, theirs: Files) -> Files:
    bases = [] if base is None else [_tree(repo, {**base})]
    sides = [_tree(repo, {**files}) for files in (ours, theirs)]
    trees = {_merged(repo, bases, *order)[0] for order in (sides, sides[::-1])}
    assert len(trees) == 1
    return _files(repo, trees.pop())


def test_collected_here_left_alone_there(repo: Repo) -> None:
    """The file goes, with a base, with another one, and with none."""
    other = {path_of(record(2)): emit(record(2))}
    theirs = {PATH: emit(DEAD), **other}
    for base in ({PATH: emit(DEAD)}, {PATH: emit(LIVING)}, {}, None):
        assert _both_ways(repo, base, COLLECTED, theirs) == COLLECTED | other


def test_collected_here_an_older_version_there(repo: Repo) -> None:
    """A side that has not heard of the deletion cannot bring the record back."""
    for state in (LIVING, DEAD):
        for base in ({PATH: emit(record(1, fix="older"))}, None):
            assert _both_ways(repo, base, COLLECTED, {PATH: emit(state)}) == COLLECTED


def test_collected_here_counted_there(repo: Repo) -> None:
    """The count is kept in a tombstone without values."""
    late = changed(DEAD, "bbbbbbbb-1", count=2)
    files = _both_ways(repo, {PATH: emit(DEAD)}, COLLECTED, {PATH: emit(late)})
    assert files == COLLECTED | {PATH: emit(changed(GRAVE, "bbbbbbbb-1", count=2))}


def test_collected_here_edited_there(repo: Repo) -> None:
    """The edit stands, contested; and is named, because values are missing that were collected."""
    late = Pen(LIVING, "bbbbbbbb-1")
    late.set("meaning", lambda _path, _dot: "late")
    late.live()
    left = bury(late.state, GRAVE)
    assert left is not None
    files = _both_ways(repo, {PATH: emit(LIVING)}, COLLECTED, {PATH: emit(late.state)})
    assert files == COLLECTED | {PATH: emit(left)}
    sides = [_tree(repo, {**COLLECTED}), _tree(repo, {PATH: emit(late.state)})]
    assert _merged(repo, [], *sides)[1].revived == [PATH]
    again = [_tree(repo, {**files}), _tree(repo, {PATH: emit(DEAD), **COLLECTED})]
    assert _merged(repo, [], *again)[1].revived == []


def test_learned_again_on_both_sides(repo: Repo) -> None:
    """Both began from the grave: the join of both."""
    again = [changed(GRAVE, f"{writer}-1", fix=writer) for writer in ("bbbbbbbb", "cccccccc")]
    sides = [COLLECTED | {PATH: emit(state)} for state in again]
    assert _both_ways(repo, COLLECTED, *sides) == COLLECTED | {PATH: emit(merge(*again))}


def test_collected_on_both_sides(repo: Repo) -> None:
    """Lists join, of one record as of several."""
    other = grave_of(_dead(record(2)))
    more = with_graves(empty_list(LIST), "hhhhhhhh-1", [grave_of(_dead(DEAD, "hhhhhhhh-1")), other])
    theirs = {LIST: emit(more)}
    joined = {LIST: emit(merge(more, with_graves(empty_list(LIST), "gggggggg-1", [GRAVE])))}
    for base in ({PATH: emit(DEAD)}, {}, None, COLLECTED, theirs):
        assert _both_ways(repo, base, COLLECTED, theirs) == joined


def test_lists_only_grow(repo: Repo) -> None:
    """A revert of the commit that collected takes nothing back: the list stays, and so the file stays away."""
    reverted = {PATH: emit(DEAD)}
    assert _both_ways(repo, COLLECTED, COLLECTED, reverted) == COLLECTED
    assert _both_ways(repo, COLLECTED, COLLECTED, {}) == COLLECTED


def test_a_store_in_a_subdirectory(repo: Repo) -> None:
    """Lists are found below the store's own root."""
    ours = _tree(repo, {f"sub/{path}": data for path, data in COLLECTED.items()})
    theirs = _tree(repo, {f"sub/{PATH}": emit(DEAD)})
    for sides in permutations((ours, theirs)):
        assert _merged(repo, [], *sides, "sub/")[0] == ours


def test_a_list_that_is_none_buries_nothing(repo: Repo) -> None:
    """Damage there loses no record; the sound version of it stands, as that of a record does."""
    assert _both_ways(repo, {}, {LIST: b"broken\n"}, {PATH: emit(DEAD)}) == {LIST: b"broken\n", PATH: emit(DEAD)}
    files = _both_ways(repo, {}, {LIST: b"broken\n"}, COLLECTED | {PATH: emit(DEAD)})
    assert files[LIST] == COLLECTED[LIST]
    assert PATH not in files


@pytest.mark.parametrize("mode", ["120000", "160000", "100755"])
@pytest.mark.parametrize("path", [OTHER, "memory/new", "log/events/w/1.yaml", LIST])
def test_all_that_is_left_are_plain_files(repo: Repo, path: str, mode: str) -> None:
    """A link, a submodule or a program of either side: the same plain files in both directions, and no file lost to a link."""
    base = _tree(repo, {OTHER: emit(record(2)), **COLLECTED, "log/events/w/1.yaml": b"1\n"})
    blob = next(iter(repo.ls_tree(base, [OTHER]).values())).id
    odd = write_commits(repo, [Draft("", WHO, WHO)])[0].commit if mode == "160000" else blob
    plain = _tree(repo, {"memory/else": b"1"}, base)
    for start in (base, _tree(repo, {}), plain):
        strange = _tree(repo, {path: BlobRef(odd, mode)}, start)
        trees = [_merged(repo, [start], *sides) for sides in permutations((plain, strange))]
        assert trees[0][0] == trees[1][0]
        files = _files(repo, trees[0][0])
        assert "memory/else" in files
        assert mode == "100755" or files.get(path) == _files(repo, plain).get(path)


def test_kept_files_do_not_multiply(repo: Repo) -> None:
    """However often and in whatever order the sides meet again, each version that did not fit is kept once."""
    versions = [{PATH: data} for data in (emit(LIVING), b"<<<<<<< HEAD\n", b"other\n", emit(record(2)))]
    schema = ".gitmem/schemas/x/1.json"
    sides = [files | {schema: f"{n}\n".encode()} for n, files in enumerate(versions)]
    results = set()
    for order in islice(permutations(sides), None, None, 5 if EFFORT == 1 else 1):  # each side comes first once
        tree, *others = (_tree(repo, {**files}) for files in order)
        for other in [*others, *others, *others[::-1]]:
            tree = _merged(repo, [], tree, other)[0]
            tree = _merged(repo, [other], tree, other)[0]
            tree = _merged(repo, [], other, tree)[0]
        results.add(tree)
    assert len(results) == 1
    files = _files(repo, results.pop())
    assert files[PATH] == emit(LIVING)
    assert len(files) == 2 + 3 + 3
