"""Records and repositories for the tests of merging, made with the core alone."""

from __future__ import annotations

from pathlib import Path

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen
from gitmem.core.record import Json, State
from gitmem.git.attributes import with_own_lines
from gitmem.git.places import MARK
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from tests.support.git import Git


def record(number: int = 1, *, writer: str = "aaaaaaaa-1", kind: str = "pattern", **fields: Json) -> State:
    """A living record, by default with one field."""
    pen = Pen(State(kind, 1, "team", f"p-{number:026d}"), writer)
    for name, value in (fields or {"fix": "first"}).items():
        pen.set(name, lambda _path, _dot, value=value: value)
    pen.live()
    return pen.state


def path_of(state: State) -> str:
    """Where the record belongs."""
    return f"memory/{state.scope}/{state.kind}/{state.id[2:4]}/{state.id}.yaml"


def changed(state: State, writer: str, *, count: int = 0, **fields: Json) -> State:
    """The record after `writer` has set fields, and counted."""
    pen = Pen(state, writer)
    for name, value in fields.items():
        pen.set(name, lambda _path, _dot, value=value: value)
    if count:
        pen.count("fixed", count)
    return pen.state


def values(data: bytes | str, name: str) -> list[Json]:
    """All concurrent values of a field in a record file."""
    raw = data.encode() if isinstance(data, str) else data
    return sorted(parse(raw, "test").fields[name].values(), key=str)


def put(git: Git, *states: State) -> None:
    """Write records into the work tree."""
    for state in states:
        target = git.path / path_of(state)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(emit(state))


def found_store(git: Git, *states: State, driver: bool = True) -> str:
    """Make the repository a store as far as git is concerned, and commit the records."""
    if driver:
        configure(Repo.find(git.path))
    (git.path / ".gitattributes").write_bytes(with_own_lines(b""))
    write(git.path, MARK, emit(record(kind="store", writer="00000000-1", encryption="none")))
    put(git, *states)
    return git.commit("first")


def tree(git: Git, revision: str = "HEAD") -> dict[str, str]:
    """Path -> content of a commit."""
    paths = git("ls-tree", "-r", "-z", "--name-only", revision).split("\0")[:-1]
    return {path: git.raw("show", f"{revision}:{path}").decode("utf-8", "surrogateescape") for path in paths}


def clean(git: Git) -> bool:
    """Whether index and work tree are as HEAD says."""
    return git("status", "--porcelain") == ""


def two_branches(git: Git, base: list[State], ours: list[State], theirs: list[State], driver: bool = True) -> None:
    """`main` and `side`, checked out at `main`, both one commit after the first."""
    found_store(git, *base, driver=driver)
    git("checkout", "--quiet", "-b", "side")
    put(git, *theirs)
    git.commit("theirs")
    git("checkout", "--quiet", "main")
    put(git, *ours)
    git.commit("ours")


def write(root: Path, path: str, content: str | bytes) -> None:
    """Write a file below `root`, its directories included."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
