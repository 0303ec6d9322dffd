"""Trees read by ourselves say what git's own `ls-tree -r` and `diff-tree -r` say."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from gitmem.errors import GitmemError
from gitmem.git.repo import Change, Entry, Repo
from tests.support.git import Git

MakeRepo = Callable[..., Git]

_NAMES = ("a", "a.b", "a-", "ab", "memory", "m", "line\nbreak", "tab\t", "\udcff", "ü", "*", ":x")
_MODES = ("100644", "100755", "120000", "160000")
_PATHS = ((), ("a",), ("memory/a", "m/"), ("a/", "ü"), ("memory/a/ab", "absent", "a.b/a"), ("m/a/", "m/a.b"))


def test_random_trees(make_repo: MakeRepo) -> None:
    """Files, programs, links and submodules, directories that become one of them, strange names, and parts of it all."""
    git, rng = make_repo(), Random(7)
    trees = _history(git, rng, 12)
    repo = Repo.find(git.path)
    for old, new in pairwise(trees):
        for paths in _PATHS:
            assert list(repo.ls_tree(new, paths).items()) == _ls_tree(git, new, paths)
            assert repo.diff(old, new, paths) == _diff_tree(git, old, new, paths)
    assert [change.path for change in repo.diff(None, trees[-1])] == list(repo.ls_tree(trees[-1]))
    assert repo.diff(trees[-1], None) == [Change(p, e.mode, "000000", e.id, None) for p, e in repo.ls_tree(trees[-1]).items()]
    assert repo.diff(trees[0], trees[0]) == []


def test_hostile_trees(make_repo: MakeRepo) -> None:
    """Modes written in other ways, names that no file may have, and the same name twice: read as git reads them."""
    git = make_repo()
    blob = git("hash-object", "-w", "--stdin", stdin="x")
    inner = _tree(git, ("100644", "x", blob))
    odd = _tree(
        git,
        ("100600", "..", blob),
        ("0100664", ".git", blob),
        ("100775", "a/b", blob),
        ("140000", "socket", blob),
        ("100644", "twice", blob),
        ("040000", "twice", inner),
        ("40000", "z", inner),
    )
    plain = _tree(git, ("100644", "..", blob), ("40000", "z", inner))
    repo = Repo.find(git.path)
    for paths in ((), ("a",), ("z", "twice")):
        assert repo.ls_tree(odd, paths) == dict(_ls_tree(git, odd, paths))
    assert repo.diff(plain, odd) == _diff_tree(git, plain, odd, ())


@pytest.mark.parametrize("data", [b"100644 a\0short", b"100644 \0" + b"1" * 20, b"9 a\0" + b"1" * 20, b"\0" * 30])
def test_a_damaged_tree_is_refused(make_repo: MakeRepo, data: bytes) -> None:
    """What git could not read either is an error, not a shorter list."""
    git = make_repo()
    tree = git.raw("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=data).decode().strip()
    with pytest.raises(GitmemError, match="git ls-tree failed"):
        Repo.find(git.path).ls_tree(_tree(git, ("40000", "d", tree)))


def test_what_is_no_tree(make_repo: MakeRepo) -> None:
    """A file in the place of a directory, and a revision that is not there."""
    git = make_repo()
    blob = git("hash-object", "-w", "--stdin", stdin="x")
    with pytest.raises(GitmemError, match="git ls-tree failed"):
        Repo.find(git.path).ls_tree(_tree(git, ("40000", "d", blob)))
    with pytest.raises(GitmemError, match="lacks the object nothing"):
        Repo.find(git.path).diff("nothing", None)


def _history(git: Git, rng: Random, length: int) -> list[str]:
    """The commits of a random history, written by one git."""
    stream = [b"blob\nmark :1\ndata 1\nx\nblob\nmark :2\ndata 1\ny\n"]
    for _ in range(length):
        stream.append(b"commit refs/heads/main\ncommitter a <a@b> 0 +0000\ndata 0\n")
        for _ in range(rng.randint(1, 12)):
            path = "/".join(rng.choices(_NAMES, k=rng.randint(1, 3)))
            mode = rng.choice(_MODES)
            what = "1" * 40 if mode == "160000" else rng.choice((":1", ":2"))
            quoted = os.fsencode(path).replace(b"\n", b"\\n").replace(b"\t", b"\\t")
            stream.append(b'D "%b"\n' % quoted if rng.random() < 0.2 else f'M {mode} {what} "'.encode() + quoted + b'"\n')
        stream.append(b"\n")
    git.raw("fast-import", "--quiet", stdin=b"".join(stream))
    return git("rev-list", "--reverse", "main").split()


def _tree(git: Git, *entries: tuple[str, str, str]) -> str:
    data = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(object_id) for mode, name, object_id in entries)
    return git.raw("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=data).decode().strip()


def _ls_tree(git: Git, tree: str, paths: tuple[str, ...]) -> list[tuple[str, Entry]]:
    lines = git.raw("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths).split(b"\0")[:-1]
    pairs = (os.fsdecode(line).split("\t", 1) for line in lines)
    return [(path, Entry(*head.split(" ")[::2])) for head, path in pairs]


def _diff_tree(git: Git, old: str, new: str, paths: tuple[str, ...]) -> list[Change]:
    args = ("--literal-pathspecs", "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new, "--", *paths)
    fields = os.fsdecode(git.raw(*args)).split("\0")[:-1]
    metas = [meta[1:].split(" ") for meta in fields[::2]]
    return [
        Change(path, a, b, None if a == "000000" else old_id, None if b == "000000" else new_id)
        for path, (a, b, old_id, new_id, _) in zip(fields[1::2], metas, strict=True)
    ]
