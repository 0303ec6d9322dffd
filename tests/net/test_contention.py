"""Who is refused twice pushes to a ref of their own, which everybody else folds in: nobody starves, nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.memory.founding.cloning import clone
from tests.net.team import Team, note
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory, share

HERE = Path(__file__).parent


def _side(team: Team, name: str) -> str:
    memory = team.ada if name == "ada" else team.bob
    return f"refs/gitmem/{memory.context.store.replica.writer}"


def _aside(team: Team, text: str) -> None:
    """Bob learns something and gets it to the remote by his side ref only."""
    note(team.bob, text)
    with team.busy_branch():
        assert team.bob.sync().side == _side(team, "bob")


def test_a_side_ref_grows_until_it_is_folded(team: Callable[..., Team]) -> None:
    """Several syncs without luck go to the same ref; the owner's own next luck removes it as well."""
    both = team()
    _aside(both, "first")
    _aside(both, "second")
    assert both.side_refs() == [_side(both, "bob")]
    report = both.bob.sync()
    assert (report.side, report.attempts, both.side_refs()) == (None, 1, [])
    both.settle()
    both.agree("first", "second")


def test_everybody_sees_what_is_aside(team: Callable[..., Team]) -> None:
    """Others read it although the branch lacks it, also who cannot push to the branch at that moment either."""
    both = team()
    _aside(both, "from bob")
    note(both.ada, "from ada")
    with both.busy_branch():
        report = both.ada.sync()
    assert (report.folded, report.side) == (1, _side(both, "ada"))
    assert {record.fields["text"] for record in both.ada.records("note")} == {"from bob", "from ada"}
    assert both.side_refs() == sorted([_side(both, "ada"), _side(both, "bob")])
    assert both.bob.sync().pushed > 0
    assert both.side_refs() == []
    both.settle()
    both.agree("from bob", "from ada")


def test_what_was_pushed_aside_meanwhile_is_not_deleted(team: Callable[..., Team]) -> None:
    """The owner pushes on while somebody else folds: the ref holds more than was folded, and stays."""
    both = team()
    _aside(both, "folded")
    note(both.bob, "pushed meanwhile")
    both.bob.commit()
    newer = both.git("bob")("rev-parse", "HEAD")
    both.remote("fetch", "--quiet", both.folder / "bob", "main")
    both.hook(
        "update", f'unset GIT_QUARANTINE_PATH; [ "$1" != refs/heads/main ] || git update-ref {_side(both, "bob")} {newer}'
    )
    assert both.ada.sync().folded == 1
    assert both.remote("rev-parse", _side(both, "bob")) == newer
    (both.folder / "srv/team.git/hooks/update").unlink()
    assert both.ada.sync().folded == 1
    assert both.side_refs() == []
    both.settle()
    both.agree("folded", "pushed meanwhile")


def test_a_fold_that_was_not_tidied_up(team: Callable[..., Team]) -> None:
    """A ref whose folder was killed before the deletion is removed by the next who pushes, or by its owner."""
    both = team()
    _aside(both, "aside")
    commit = both.remote("rev-parse", _side(both, "bob"))
    both.ada.sync()
    for name, push in (("ada", True), ("bob", False)):
        both.remote("update-ref", _side(both, "bob"), commit)
        memory = both.ada if name == "ada" else both.bob
        if push:
            assert memory.sync().attempts == 0
            assert both.side_refs() == [_side(both, "bob")]
            note(memory, "another")
        memory.sync()
        assert both.side_refs() == []
    both.settle()
    both.agree("aside", "another")


def test_side_refs_alone(team: Callable[..., Team]) -> None:
    """A remote whose branch is gone still gives what is aside."""
    both = team()
    _aside(both, "aside")
    both.remote("update-ref", "-d", "refs/heads/main")
    assert both.ada.sync().folded == 1
    both.settle()
    both.agree("aside")


def test_what_is_no_side_ref(team: Callable[..., Team], tmp_path: Path) -> None:
    """Other names, other objects, other stores and conflicts of other files keep nobody from syncing, and are not deleted."""
    both = team()
    _aside(both, "aside")
    head = both.remote("rev-parse", "main")
    blob = both.remote("hash-object", "-w", "--stdin", stdin="a blob")
    for name, held in {"odd/of-some-1": head, "snapshots/x": head, "incoming/o/abcdefgh-1": head, "b-1": blob}.items():
        both.remote("update-ref", f"refs/gitmem/{name}", held)
    found(tmp_path / "other", plain=True)
    Git(tmp_path / "other")("push", "--quiet", both.remote.path, "HEAD:refs/gitmem/stranger-1")
    clash = both.remote.clone(tmp_path / "clash")
    clash.commit("a file of their own", {"README": "theirs"})
    clash("push", "--quiet", "origin", "HEAD:refs/gitmem/clashing-1")
    both.git("ada").commit("a file of our own", {"README": "ours"})
    before = both.side_refs()
    report = both.ada.sync()
    assert report.folded == 1
    assert sorted(problem.split()[0] for problem in report.problems) == ["refs/gitmem/clashing-1", "refs/gitmem/stranger-1"]
    assert both.side_refs() == [name for name in before if name != _side(both, "bob")]
    assert both.git("ada")("status", "--porcelain") == ""
    assert not both.git("ada")("for-each-ref", "refs/gitmem/incoming/origin/snapshots", "refs/gitmem/incoming/origin/incoming")


def test_the_branch_and_what_is_aside_are_one_merge(team: Callable[..., Team], tmp_path: Path) -> None:
    """However many side refs there are, taking them in with the branch makes one commit."""
    both = team()
    start = both.remote("rev-parse", "main")
    for name in ("cloneone", "clonetwo"):
        each = both.remote.clone(tmp_path / name)
        each.commit(f"a file of {name}", {name: "theirs"})
        each("push", "--quiet", "origin", f"HEAD:refs/gitmem/{name}-1")
    note(both.bob, "on the branch")
    both.bob.commit()
    both.git("bob")("push", "--quiet", "origin", "HEAD:main")
    note(both.ada, "from ada")
    report = both.ada.sync()
    assert (report.folded, report.problems) == (2, [])
    merges = both.remote("rev-list", "--parents", "--merges", f"{start}..main").splitlines()
    assert [len(line.split()) - 1 for line in merges] == [4]
    assert both.side_refs() == []
    both.settle()
    both.agree("on the branch", "from ada")


def test_one_side_ref_within_another(team: Callable[..., Team], tmp_path: Path) -> None:
    """Of refs that contain each other the greatest is taken in; if that one will not do, the others are all the same."""
    both = team()
    _aside(both, "good")
    carol = both.remote.clone(tmp_path / "carol")
    carol("fetch", "--quiet", "origin", _side(both, "bob"))
    carol("reset", "--quiet", "--hard", "FETCH_HEAD")
    carol.commit("a clash", {"README": "theirs"})
    carol("push", "--quiet", "origin", "HEAD:refs/gitmem/carolcar-1")
    both.git("ada").commit("a file of our own", {"README": "ours"})
    report = both.ada.sync()
    assert [record.fields["text"] for record in both.ada.records("note")] == ["good"]
    assert (report.folded, len(report.problems)) == (1, 1)
    assert both.side_refs() == ["refs/gitmem/carolcar-1"]


def _clones(folder: Path, count: int) -> tuple[list[Path], str]:
    """Clones of one new store, and a record in it."""
    Git(folder)("init", "--quiet", "--bare", "remote.git")
    found(folder / "0", plain=True)
    with open_memory(folder / "0") as memory:
        record = memory.learn("pattern", {"pattern": "shared", "fix": "restart"}).id
    share(folder / "0", folder / "remote.git")
    paths = [folder / str(number) for number in range(count)]
    for path in paths[1:]:
        clone(str(folder / "remote.git"), str(path))
    return paths, record


def _contend(rounds: int, record: str, paths: list[Path]) -> list[int]:
    words = [sys.executable, HERE / "contending.py", str(rounds), record, *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    attempts: list[int] = json.loads(done.stdout)
    return attempts


@pytest.mark.parametrize(("clones", "each"), [(4, 1), (2, 2)], ids=["four clones", "two processes in each of two clones"])
def test_many_at_once(tmp_path: Path, clones: int, each: int) -> None:
    """All use one record, learn and sync at the same time: exact counts, every note, few pushes, one commit at the end."""
    paths, record = _clones(tmp_path, clones)
    rounds = 2 * EFFORT
    attempts = _contend(rounds, record, paths * each)
    assert len(attempts) == rounds * clones * each
    assert max(attempts) <= 6
    for _ in range(2):
        for path in paths:
            with open_memory(path) as memory:
                assert memory.sync().problems == []
    heads = {Git(path)("rev-parse", "HEAD") for path in paths}
    assert len(heads) == 1
    for path in paths:
        with open_memory(path) as memory:
            assert memory.get(record).usage.fixed == len(attempts)
            assert len(memory.records("note", limit=10_000)) == len(attempts)
            assert memory.verify().problems == []
        assert Git(path)("status", "--porcelain") == ""
    assert Git(tmp_path / "remote.git")("for-each-ref", "refs/gitmem/") == ""


# A stand-in for git that ends its caller (SIGKILL) before or after the N-th git of a sync, not counting the one that reads
# objects: that changes nothing, and it ends with the sync.
SHIM = """#!/bin/sh
if [ "$*" = "cat-file --batch" ]; then exec '{git}' "$@"; fi
echo x >> '{count}'
if [ "$(wc -l < '{count}')" -ne "$KILL_AT" ]; then exec '{git}' "$@"; fi
case "$KILL_WHEN $*" in
before*) ;;
*) '{git}' "$@" > /dev/null < /dev/stdin ;;
esac
kill -9 $PPID
"""


def _synced_until(team: Team, path: Path, at: int, when: str) -> bool:
    """Whether a sync of `path` was killed before or after its git number `at`; False if it had fewer."""
    folder = team.folder / "shim"
    folder.mkdir(exist_ok=True)
    (folder / "count").write_text("")
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "git").write_text(SHIM.format(count=folder / "count", git=real))
    (folder / "git").chmod(0o755)
    child = os.fork()
    if child == 0:
        try:
            os.environ |= {"PATH": f"{folder}:{os.environ['PATH']}", "KILL_AT": str(at), "KILL_WHEN": when}
            with open_memory(path) as memory:
                memory.sync()
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_between_any_two_steps(team: Callable[..., Team], when: str) -> None:
    """Whichever git of a sync is the last one, with side refs of both under way: the next syncs have everything."""
    both = team()
    texts = []
    step = 1 if EFFORT > 1 else 19
    for at in range(1 if when == "before" else 3, 1000, step):
        both.bob.sync()
        _aside(both, f"bob {at}")
        note(both.ada, f"ada {at}")
        texts += [f"ada {at}", f"bob {at}"]
        if at % 2:
            with both.busy_branch():
                killed = _synced_until(both, both.folder / "ada", at, when)
        else:
            killed = _synced_until(both, both.folder / "ada", at, when)
        if not killed:
            break
    assert at > 10
    both.settle()
    both.agree(*texts)
    assert both.side_refs() == []
