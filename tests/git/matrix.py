"""What may happen to a store on two branches, and every way git has to bring the two together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.git.repo import Repo
from gitmem.git.trees import merge_trees
from tests.git.stores import changed, clean, found_store, path_of, record, tree
from tests.support.git import Git

Files = dict[str, bytes | None]
OWN: Final = ("memory/", "log/", ".gitmem/")
LINES: Final = [f"{n}\n" for n in range(20)]
BASE: Final = record(1, pattern="an error", fix="first", meaning="m", source="s")
PATH: Final = path_of(BASE)


class Scenario(NamedTuple):
    """Files of the first commit, and what each side makes of them (None: removed). `other` are files outside the store."""

    name: str
    base: Files
    ours: Files
    theirs: Files
    other: dict[str, str] = {}  # noqa: RUF012 (never changed)
    clash: bool = False


class Way(NamedTuple):
    """A way of bringing `side` into `main`.

    `whole` says that the merge is made by us as a whole; else by the driver, one file each. `picks`: commit by commit, so that
    more than a first parent's line cannot be brought over.
    """

    name: str
    act: Callable[[Git], None]
    whole: bool = True
    picks: bool = False
    strategy: bool = True


def _files(*states: State) -> Files:
    return {path_of(state): emit(state) for state in states}


def _tagged(state: State, writer: str, *, add: str = "", drop: str = "") -> State:
    pen = Pen(state, writer)
    if add:
        pen.add("tags", add * 26, lambda _path, _dot: add)
    if drop:
        pen.drop("tags", drop * 26)
        pen.live()
    return pen.state


def _readme(first: str = LINES[0], last: str = LINES[-1]) -> dict[str, bytes]:
    return {"README": "".join([first, *LINES[1:-1], last]).encode()}


def _added(writer: str) -> State:
    return record(7, writer=writer, pattern="seven", fix=writer)


_OURS, _THEIRS = "bbbbbbbb-1", "cccccccc-1"
_WE = changed(BASE, _OURS, fix="ours")
_THEY = changed(BASE, _THEIRS, fix="theirs")
_TAGGED = _tagged(_tagged(BASE, "aaaaaaaa-1", add="a"), "aaaaaaaa-1", add="b")
_GONE: Files = {PATH: None}
_TOLD = "fix that needs many words so that two files that hold it look alike to git " * 4
_OLD, _NEW, _NEWER = (record(number, pattern=f"error {number}", fix=_TOLD, meaning=_TOLD) for number in (31, 32, 33))

SCENARIOS: Final = [
    Scenario("same field", _files(BASE), _files(_WE), _files(_THEY)),
    Scenario(
        "different fields", _files(BASE), _files(_WE), _files(changed(BASE, _THEIRS, source="theirs"))
    ),
    Scenario("counters", _files(BASE), _files(changed(BASE, _OURS, count=2)), _files(changed(BASE, _THEIRS, count=3))),
    Scenario("both added", {}, _files(_added(_OURS)), _files(_added(_THEIRS))),
    Scenario("delete here", _files(BASE), _GONE, _files(_THEY)),
    Scenario("delete there", _files(BASE), _files(_WE), _GONE),
    Scenario(
        "tags", _files(_TAGGED), _files(_tagged(_TAGGED, _OURS, add="c")), _files(_tagged(_TAGGED, _THEIRS, add="d", drop="a"))
    ),
    Scenario(
        "moved aside", _files(_OLD), _files(changed(_OLD, _OURS, count=1)),
        {path_of(_OLD): None, "attic/old.yaml": emit(_OLD)}, {"attic/old.yaml": emit(_OLD).decode()},
    ),
    Scenario(
        "false rename", _files(_OLD), {path_of(_OLD): None, **_files(_NEW)}, {path_of(_OLD): None, **_files(_NEWER)},
    ),
    Scenario(
        "record and file", {**_files(BASE), **_readme()},
        {**_files(_WE), **_readme(first="ours\n")},
        {**_files(_THEY), **_readme(last="theirs\n")},
        {"README": _readme("ours\n", "theirs\n")["README"].decode()},
    ),
    Scenario(
        "clash outside", {**_files(BASE), **_readme()},
        {**_files(_WE), **_readme(first="ours\n")},
        {**_files(_THEY), **_readme(first="theirs\n")},
        {"README": "settled\n"}, clash=True,
    ),
]  # fmt: skip


# What a merge file by file cannot settle: git itself decides about files that come and go, and about renames.
BY_FILE_UNSETTLED: Final = {"delete here", "delete there", "moved aside", "false rename"}


def build(git: Git, scenario: Scenario, *, founded: bool = False) -> None:
    """`main` and `side` as the scenario says; `side` in two commits, of which the first adds a record of its own.

    The repository is made a store as far as git is concerned, unless it was `founded` as one.
    """
    _write(git, scenario.base)
    if founded:
        git.commit("first")
    else:
        found_store(git)
    git("branch", "start")
    git("checkout", "--quiet", "-b", "side")
    _write(git, _files(record(20, writer=_THEIRS, pattern="twenty")))
    git.commit("before")
    _write(git, scenario.theirs)
    git.commit("theirs")
    git("checkout", "--quiet", "main")
    _write(git, scenario.ours)
    git.commit("ours")


def expected(git: Git, *tips: str, start: str = "start") -> dict[str, bytes]:
    """The store's files that must come of the commits `tips`, which all come from `start`: by the core alone."""
    base, sides = _store(git, start), [_store(git, tip) for tip in tips]
    result = {}
    for path in sorted({path for side in sides for path in side}):
        held = [side[path] for side in sides if path in side]
        if len(held) < len(sides) and path in base and all(data == base[path] for data in held):
            continue
        result[path] = emit(merge_all([parse(data, path) for data in held])) if len(set(held)) > 1 else held[0]
    return result


def store_files(git: Git, revision: str = "HEAD") -> dict[str, bytes]:
    """The store's files of a commit."""
    return _store(git, revision)


def _store(git: Git, revision: str) -> dict[str, bytes]:
    return {path: text.encode("utf-8", "surrogateescape") for path, text in tree(git, revision).items() if path.startswith(OWN)}


def _write(git: Git, files: Files) -> None:
    for path, data in files.items():
        target = git.path / path
        if data is None:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def go_on(git: Git) -> list[str]:
    """Settle conflicts outside the store as a person does, until git is done; returns the store's paths left unmerged."""
    for _ in range(9):
        names = git("diff", "--name-only", "-z", "--diff-filter=U").split("\0")[:-1]
        own = sorted({name for name in names if name.startswith(OWN)})
        if own:
            return own
        for name in names:
            (git.path / name).write_text("settled\n")
            git("add", name)
        words = _unfinished(git)
        if not words:
            return []
        if words == ["cherry-pick", "--continue"] and clean(git):
            words = ["cherry-pick", "--skip"]  # all that it would bring is there already
        git("-c", "core.editor=true", *words, check=False)
    raise AssertionError(f"git does not come to an end: {git('status')}")


def staged(git: Git, paths: list[str]) -> dict[str, bytes]:
    """What a merge of the index's stages of unmerged paths gives; only sides count, and both or one of them may be there."""
    found: dict[str, list[bytes]] = {}
    for line in git("ls-files", "--unmerged", "-z", "--", *paths).split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        _, blob, stage = meta.split(" ")
        if stage != "1":
            found.setdefault(path, []).append(git.raw("cat-file", "blob", blob))
    return {path: emit(merge_all([parse(data, path) for data in datas])) for path, datas in found.items()}


def _unfinished(git: Git) -> list[str]:
    folder = git.path / ".git"
    for mark, words in (
        ("rebase-merge", ["rebase", "--continue"]),
        ("rebase-apply/applying", ["am", "--continue"]),
        ("rebase-apply", ["rebase", "--continue"]),
        ("sequencer/todo", ["cherry-pick", "--continue"]),
        ("CHERRY_PICK_HEAD", ["cherry-pick", "--continue"]),
        ("REVERT_HEAD", ["revert", "--continue"]),
        ("MERGE_HEAD", ["commit", "--no-edit"]),
    ):
        if (folder / mark).exists():
            return words
    return []


def _merge(git: Git) -> None:
    git("merge", "--quiet", "--no-edit", "side", check=False)


def _named(git: Git) -> None:
    git("merge", "--quiet", "--no-edit", "-s", "gitmem", "--no-ff", "side", check=False)


def _in_process(git: Git) -> None:
    """As `gitmem sync` does, without its journal and its remote."""
    repo = Repo.find(git.path)
    merged = merge_trees(repo, repo.merge_bases("HEAD", "side"), "HEAD", "side")
    if merged.tree is None:
        _merge(git)  # `gitmem sync` leaves conflicts outside the store to git as well
        return
    git("reset", "--quiet", "--hard", git("commit-tree", merged.tree, "-p", "HEAD", "-p", "side", stdin="merged"))


def _pull(git: Git) -> None:
    git("pull", "--quiet", "--no-rebase", "--no-edit", ".", "side", check=False)


def _pull_rebase(git: Git) -> None:
    git("pull", "--quiet", "--rebase", ".", "side", check=False)


def _rebase(git: Git) -> None:
    git("rebase", "--quiet", "side", check=False)


def _rebase_apply(git: Git) -> None:
    git("rebase", "--quiet", "--apply", "side", check=False)


def _rebase_interactive(git: Git) -> None:
    git("-c", "sequence.editor=true", "rebase", "--quiet", "--interactive", "--no-ff", "side", check=False)


def _cherry_pick(git: Git) -> None:
    git("merge", "--quiet", "--no-edit", "side~1")
    git("cherry-pick", "side", check=False)


def _cherry_pick_range(git: Git) -> None:
    git("cherry-pick", "start..side", check=False)


def _stash_pop(git: Git) -> None:
    git("merge", "--quiet", "--no-edit", "side~1")
    git("branch", "before-stash")
    git("checkout", "--quiet", "side")
    git("reset", "--quiet", "--soft", "HEAD~1")
    git("stash", "--include-untracked")
    git("checkout", "--quiet", "--force", "main")
    git("stash", "pop", check=False)
    if not git("diff", "--name-only", "--diff-filter=U"):
        git.commit("popped")


def _squash(git: Git) -> None:
    git("-c", "merge.ff=true", "merge", "--quiet", "--squash", "side", check=False)


def _mail(git: Git) -> None:
    patches = git.raw("format-patch", "--stdout", "--full-index", "--binary", "start..side")
    git.run("am", "--quiet", "-3", stdin=patches)


def octopus(git: Git) -> None:
    """Merge `side` and `third`, a new branch from the start, into `main` at once."""
    git("checkout", "--quiet", "-b", "third", "start")
    _write(
        git,
        _files(changed(BASE, "dddddddd-1", fix="third"), record(21, pattern="more"))
        if (git.path / PATH).exists()
        else _files(record(21, pattern="more")),
    )
    git.commit("third")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-edit", "side", "third", check=False)


WAYS: Final = [
    Way("merge", _merge),
    Way("merge -s gitmem --no-ff", _named),
    Way("merge by driver", _merge, whole=False, strategy=False),
    Way("in process", _in_process),
    Way("pull", _pull),
    Way("pull --rebase", _pull_rebase, picks=True),
    Way("rebase", _rebase, picks=True),
    Way("rebase by driver", _rebase, whole=False, picks=True, strategy=False),
    Way("rebase --apply", _rebase_apply, whole=False, picks=True),
    Way("rebase -i", _rebase_interactive, picks=True),
    Way("cherry-pick", _cherry_pick, picks=True),
    Way("cherry-pick of a range", _cherry_pick_range, picks=True),
    Way("stash pop", _stash_pop, whole=False, picks=True),
    Way("merge --squash", _squash),
    Way("am -3", _mail, whole=False, picks=True),
]
