"""Merging the store's part of two trees, case by case."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitmem.core.codec import emit
from gitmem.core.merge import merge
from gitmem.errors import GitmemError
from gitmem.git.merge import StoreMerge, merge_store
from gitmem.git.objects import Draft, write_commits
from gitmem.git.repo import BlobRef, Repo
from gitmem.git.trees import merge_trees
from tests.git.stores import changed, path_of, record
from tests.support.git import Git

MakeRepo = Callable[..., Git]
Files = dict[str, bytes]
WHO = "a <a@b> 0 +0000"
BASE = record(1)
OURS = changed(BASE, "bbbbbbbb-1", fix="ours")
THEIRS = changed(BASE, "cccccccc-1", fix="theirs")
PATH = path_of(BASE)
BROKEN = b"<<<<<<< HEAD\n"


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    """An empty repository."""
    return Repo.find(make_repo().path)


def _tree(repo: Repo, files: Files) -> str:
    return write_commits(repo, [Draft("", WHO, WHO, changes=files)])[0].tree


def _merge(repo: Repo, base: Files | None, ours: Files, theirs: Files) -> tuple[Files, StoreMerge]:
    """The merged files, and the report."""
    bases = [] if base is None else [_tree(repo, base)]
    ours_tree = _tree(repo, ours)
    result = merge_store(repo, bases, ours_tree, _tree(repo, theirs))
    draft = Draft("", WHO, WHO, root=ours_tree, changes=result.changes)
    tree = write_commits(repo, [draft])[0].tree
    entries = repo.ls_tree(tree)
    assert all(entry.mode == "100644" for entry in entries.values())
    return dict(zip(entries, (data for _, data in repo.read_blobs(e.id for e in entries.values())), strict=True)), result


def _both_ways(repo: Repo, base: Files | None, ours: Files, theirs: Files) -> Files:
    """The merged files, after making sure that they are the same in both directions."""
    there, _ = _merge(repo, base, ours, theirs)
    back, _ = _merge(repo, base, theirs, ours)
    assert there == back
    return there


def test_both_changed_a_record(repo: Repo) -> None:
    """Case 1: the join; config and members are records, too."""
    for path in (PATH, ".gitmem/config.yaml", ".gitmem/members/ada.yaml"):
        files = _both_ways(repo, {path: emit(BASE)}, {path: emit(OURS)}, {path: emit(THEIRS)})
        assert files == {path: emit(merge(OURS, THEIRS))}
    _, report = _merge(repo, {PATH: emit(BASE)}, {PATH: emit(OURS)}, {PATH: emit(THEIRS)})
    assert (report.merged, report.kept) == ([PATH], [])


def test_both_added_a_record(repo: Repo) -> None:
    """Two people who learn the same thing get one record."""
    ours, theirs = record(1, writer="bbbbbbbb-1", fix="a"), record(1, writer="cccccccc-1", fix="b")
    for base in ({}, None):
        assert _both_ways(repo, base, {PATH: emit(ours)}, {PATH: emit(theirs)}) == {PATH: emit(merge(ours, theirs))}


def test_one_side_changed_or_added(repo: Repo) -> None:
    """That side's content is taken without being read."""
    other = path_of(record(2))
    files = _both_ways(repo, {PATH: emit(BASE)}, {PATH: emit(BASE)}, {PATH: emit(THEIRS), other: emit(record(2))})
    assert files == {PATH: emit(THEIRS), other: emit(record(2))}


def test_removed_on_one_side(repo: Repo) -> None:
    """Gone if the other side left it as it was; case 2: kept if the other side changed it."""
    base = {PATH: emit(BASE), "log/audit/w/1": b"1", "memory/x": b""}
    assert _both_ways(repo, base, {**base}, {"memory/x": b""}) == {"memory/x": b""}
    assert _both_ways(repo, base, {**base, PATH: emit(OURS)}, {"memory/x": b""}) == {PATH: emit(OURS), "memory/x": b""}


@pytest.mark.parametrize("bad", [BROKEN, b"", emit(record(2)), b"x" * (3 << 20)], ids=["markers", "empty", "other id", "3 MiB"])
def test_a_record_that_cannot_be_joined(repo: Repo, bad: bytes) -> None:
    """Case 3: the sound version stands at the path, the other beside it, on whichever side it was."""
    files = _both_ways(repo, {PATH: emit(BASE)}, {PATH: emit(OURS)}, {PATH: bad})
    aside = next(path for path in files if path != PATH)
    assert aside.startswith(f"{PATH}.kept-")
    assert files == {PATH: emit(OURS), aside: bad}
    _, report = _merge(repo, {PATH: emit(BASE)}, {PATH: emit(OURS)}, {PATH: bad})
    assert [path for path, _ in report.kept] == [PATH]
    assert aside in report.kept[0][1]


def test_two_broken_versions(repo: Repo) -> None:
    """Case 3: both are kept, the same one at the path on every replica."""
    files = _both_ways(repo, {PATH: emit(BASE)}, {PATH: BROKEN}, {PATH: b"other\n"})
    assert sorted(files.values()) == sorted([BROKEN, b"other\n"])


def test_one_bad_file_does_not_stop_the_others(repo: Repo) -> None:
    """Every other record is merged as usual."""
    other = path_of(record(2))
    more = [emit(changed(record(2), f"{w}-1", fix=w)) for w in ("bbbbbbbb", "cccccccc")]
    base = {PATH: emit(BASE), other: emit(record(2))}
    files, report = _merge(repo, base, {PATH: BROKEN, other: more[0]}, {PATH: emit(THEIRS), other: more[1]})
    assert b"bbbbbbbb" in files[other]
    assert b"cccccccc" in files[other]
    assert files[PATH] == emit(THEIRS)
    assert len(report.kept) == 1


@pytest.mark.parametrize(
    "path", ["log/events/w/1.yaml", ".gitmem/keys/team/1/ada.age", ".gitmem/schemas/x/1.json", "memory/README"]
)
def test_other_files_of_the_store(repo: Repo, path: str) -> None:
    """Case 4: added on both sides with different content, both stay."""
    files = _both_ways(repo, {}, {path: b"1", f"{path}a": b"a"}, {path: b"2", f"{path}b": b"b"})
    assert len(files) == 4
    assert sorted(files.values()) == [b"1", b"2", b"a", b"b"]


def test_a_changed_log_segment_is_not_taken(repo: Repo) -> None:
    """Case 5: the original stays at its place, what was made of it is kept beside it as evidence."""
    path = "log/audit/bbbbbbbb-1/000/1.jsonl"
    files = _both_ways(repo, {path: b"true\n"}, {path: b"true\n"}, {path: b"forged\n"})
    assert files[path] == b"true\n"
    assert sorted(files.values()) == [b"forged\n", b"true\n"]


@pytest.mark.parametrize("mode", ["120000", "160000"])
@pytest.mark.parametrize("path", [PATH, "memory/new"])
def test_links_and_submodules_are_not_taken(repo: Repo, mode: str, path: str) -> None:
    """What is no file is left out, and reported; ours stays."""
    base = _tree(repo, {PATH: emit(BASE)})
    blob = next(iter(repo.ls_tree(base).values())).id
    target = write_commits(repo, [Draft("", WHO, WHO)])[0].commit if mode == "160000" else blob
    theirs = write_commits(repo, [Draft("", WHO, WHO, root=base, changes={path: BlobRef(target, mode)})])[0].tree
    result = merge_store(repo, [base], base, theirs)
    assert result.changes == {}
    assert [kept for kept, _ in result.kept] == [path]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"memory/a": b"1"}, {"memory/a/b": b"1"}),
        ({"memory/a/b/c/d": b"1"}, {"memory/a": b"1"}),
        ({"memory": b"1"}, {"memory/a": b"1"}),
        ({"log/a": b""}, {"log": b"1"}),
    ],
)
def test_a_file_against_a_directory(repo: Repo, ours: Files, theirs: Files) -> None:
    """No merge can settle that; it is refused rather than that one side vanishes."""
    with pytest.raises(GitmemError, match="is a directory on one side"):
        _merge(repo, {}, ours, theirs)


def test_equal_sides_cost_nothing(repo: Repo) -> None:
    """The same change on both sides is no merge."""
    _, report = _merge(repo, {PATH: emit(BASE)}, {PATH: emit(OURS)}, {PATH: emit(OURS)})
    assert report == StoreMerge({}, [], [], [])


def test_what_ours_includes_already(repo: Repo) -> None:
    """A join that adds nothing to our side changes nothing; one that equals theirs takes their blob."""
    later = changed(OURS, "bbbbbbbb-1", fix="later")
    _, report = _merge(repo, {PATH: emit(BASE)}, {PATH: emit(later)}, {PATH: emit(OURS)})
    assert report == StoreMerge({}, [PATH], [], [])
    _, report = _merge(repo, {PATH: emit(BASE)}, {PATH: emit(OURS)}, {PATH: emit(later)})
    assert isinstance(report.changes[PATH], BlobRef)


def test_several_bases(repo: Repo) -> None:
    """A side counts as unchanged only if it is what every base is."""
    ours, theirs = {PATH: emit(OURS)}, {PATH: emit(THEIRS)}
    trees = [_tree(repo, files) for files in (ours, theirs)]
    result = merge_store(repo, trees, *trees)
    assert result.changes == {PATH: emit(merge(OURS, THEIRS))}


def test_a_base_that_is_no_ancestor(repo: Repo) -> None:
    """Cherry-picking a commit brings what its record holds, joined with ours, and what ours lacks."""
    picked = changed(THEIRS, "cccccccc-1", meaning="picked")
    other = path_of(record(2))
    base = {PATH: emit(THEIRS), other: emit(record(2))}
    theirs = {PATH: emit(picked), other: emit(changed(record(2), "cccccccc-1", fix="x"))}
    files, _ = _merge(repo, base, {PATH: emit(OURS)}, theirs)
    assert files == {PATH: emit(merge(OURS, picked)), other: theirs[other]}


def test_whole_trees(repo: Repo) -> None:
    """Other files: theirs alone, ours alone, both without conflict, both with one."""
    lines = [f"{n}\n".encode() for n in range(20)]
    base = {PATH: emit(BASE), "README": b"".join(lines), "sub/x": b"1"}
    ours = {**base, PATH: emit(OURS)}
    theirs = {**base, PATH: emit(THEIRS)}
    joined = {PATH: emit(merge(OURS, THEIRS))}
    first = {"README": b"".join([b"first\n", *lines[1:]])}
    last = {"README": b"".join([*lines[:-1], b"last\n"])}
    both = {"README": b"".join([b"first\n", *lines[1:-1], b"last\n"])}
    cases: list[tuple[Files, Files, Files]] = [
        ({}, first, first),
        (first, {}, first),
        (first, last, both),
        (first, first, first),
    ]
    for our_change, their_change, wanted in cases:
        trees = [_tree(repo, files) for files in (base, {**ours, **our_change}, {**theirs, **their_change})]
        merged = merge_trees(repo, trees[:1], *trees[1:])
        assert merged.tree == _tree(repo, {**base, **joined, **wanted})
        assert merged.clashes == []
    trees = [_tree(repo, files) for files in (base, {**ours, "README": b"1"}, {**theirs, "README": b"2"})]
    merged = merge_trees(repo, trees[:1], *trees[1:])
    assert (merged.tree, merged.clashes) == (None, ["README"])
    assert merged.store.changes == joined
