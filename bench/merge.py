"""Merging, against git's own merge of text in the same run: the strategy, `sync`'s merge in process, and the driver.

    python -m bench.merge [--small]

Each way gets fresh copies of the same repository, in turn; medians. The driver is measured on a tenth of the files, for git
starts one process for each, and alone against the start of a Python that does nothing.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.common import row
from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.git.attributes import with_own_lines
from gitmem.git.commits import Identity, commit, refresh_index
from gitmem.git.merge import merge_store
from gitmem.git.places import MARK
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from gitmem.git.worktree import write_worktree

Sides = tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]
WHO = Identity("bench", "bench@example.org")
GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")


class Sizes(NamedTuple):
    """How much is measured: driver starts, records that both sides changed, records where ten were, and rounds."""

    starts: int
    changed: int
    many: int
    rounds: int


FULL = Sizes(starts=60, changed=1000, many=20_000, rounds=5)
SMALL = Sizes(starts=15, changed=200, many=2_000, rounds=3)


def main() -> None:
    """Measure and print."""
    sizes = SMALL if "--small" in sys.argv else FULL
    if sizes is SMALL:
        print("what is wanted holds for 1,000 and 20,000 records: with few, the programs' starts are most of it")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled
    with tempfile.TemporaryDirectory() as folder:
        print_starts(*starts(Path(folder) / "starts", sizes.starts))
        print_changed(sizes.changed, changed(Path(folder) / "changed", sizes.changed, sizes.rounds))
        print_many(sizes.many, many(Path(folder) / "many", sizes.many, sizes.rounds))


def print_starts(wall: float, cpu: float) -> None:
    """The driver's two rows."""
    row("driver, one file: CPU time", cpu, "x", "<= 4, at best 2.5", "of a bare Python's")
    row("driver, one file: wall time", wall, "x", "<= 4, at best 2.5", "of a bare Python's; a sync of the disk is in it")


def print_changed(count: int, seconds: Mapping[str, float]) -> None:
    """The rows of as many records changed on both sides."""
    text, strategy = seconds["text"], seconds["strategy"]
    print(f"{count} records changed on both sides: " + ", ".join(f"{name} {took:.3f} s" for name, took in seconds.items()))
    row("strategy", strategy / text, "x", "<= 4", "of git's merge of text files")
    row("strategy", strategy / seconds["same files as text"], "x", "<= 4", "of git's merge of these files as text, in conflict")
    row("in process, as in sync", seconds["in process"] / text, "x", "<= 4", "of git's merge of text files")
    row("a driver per file", seconds["driver"] / strategy, "x", ">= 40", "of the strategy's time")


def print_many(count: int, seconds: Mapping[str, float]) -> None:
    """The row of many records and few changes."""
    print(f"{count} records, 10 changed on both sides: " + ", ".join(f"{name} {took:.3f} s" for name, took in seconds.items()))
    row("strategy", seconds["strategy"] / seconds["text"], "x", "<= 3", "of git's merge of text files")


def starts(place: Path, times: int) -> tuple[float, float]:
    """The wall and CPU time of a driver that merges two records, as multiples of a bare Python's, started in turn."""
    place.mkdir()
    files = [place / name for name in ("base", "ours", "theirs")]
    for file, side in zip(files, _records(1), strict=True):
        file.write_bytes(next(iter(side.values())))
    bare = [sys.executable, "-c", "pass"]
    driver = [str(Path(sys.executable).with_name("gitmem-merge-driver")), *map(str, files), "7", "memory/team/pattern/x.yaml"]
    _spent(driver)
    rounds = [(_spent(bare), _spent(driver)) for _ in range(times)]
    wall, cpu = ([[one[kind] for one in pair] for pair in rounds] for kind in (0, 1))
    return _median_ratio(wall), _median_ratio(cpu)


def _spent(command: list[str]) -> tuple[float, float]:
    start = time.perf_counter()
    _, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
    assert status == 0
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def _median_ratio(pairs: list[list[float]]) -> float:
    base, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio: float = other / base
    return ratio


def changed(place: Path, count: int, rounds: int) -> dict[str, float]:
    """Median seconds for `count` files changed on both sides, by way of merging; the driver's are reckoned from a tenth."""
    place.mkdir()
    records, few = _records(count), _records(max(count // 10, 1))
    ways: dict[str, tuple[Path, Callable[[Path], None]]] = {
        "text": (_repository(place / "text", _texts(records)), _git_merge),
        "same files as text": (_repository(place / "same", records, ours=False), _git_merge_in_conflict),
        "strategy": (_repository(place / "strategy", records), _git_merge),
        "in process": (_repository(place / "process", records), _merge_in_process),
        "driver": (_repository(place / "driver", few, strategy=False), _git_merge),
    }
    took = _in_turn({name: partial(_on_a_copy, *way) for name, way in ways.items()}, rounds)
    return took | {"driver": took["driver"] * count / len(few[0])}


def many(place: Path, count: int, rounds: int) -> dict[str, float]:
    """Median seconds for two branches of `count` files which both changed the same ten."""
    place.mkdir()
    base, ours, theirs = _records(count)
    ten = list(base)[:10]
    records = base, {path: ours[path] for path in ten}, {path: theirs[path] for path in ten}
    roots = {"text": _repository(place / "text", _texts(records)), "strategy": _repository(place / "strategy", records)}
    return _in_turn({name: partial(_once_more, root) for name, root in roots.items()}, rounds)


def _in_turn(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    took = [[act() for act in ways.values()] for _ in range(rounds)]
    return dict(zip(ways, (statistics.median(column) for column in zip(*took, strict=True)), strict=True))


def _on_a_copy(root: Path, act: Callable[[Path], None]) -> float:
    """A merge writes objects, which it would find there the second time.

    The copy stays until the end: an ext4 without a journal gives no inode away for up to five minutes after its file went
    (Jan Kara, "ext4: Avoid ENOSPC when avoiding to reuse recently deleted inodes", 2020), and passes all of those by whenever
    a file is made. Removing ten copies made git's own merge take 3 s in place of 0.3 s.
    """
    copy = Path(tempfile.mkdtemp(prefix=f"{root.name}-", dir=root.parent))
    shutil.copytree(root, copy, symlinks=True, dirs_exist_ok=True)
    _git(copy, "status")
    return _timed(copy, act)


def _once_more(root: Path) -> float:
    _git(root, "reset", "--quiet", "--hard", "refs/heads/main")
    _git(root, "checkout", "--quiet", "-B", "try", "main")
    _git(root, "status")
    return _timed(root, _git_merge)


def _timed(root: Path, act: Callable[[Path], None]) -> float:
    start = time.perf_counter()
    act(root)
    return time.perf_counter() - start


def _git_merge(root: Path) -> None:
    _git(root, "merge", "--quiet", "--no-edit", "side")


def _git_merge_in_conflict(root: Path) -> None:
    done = subprocess.run([*GIT, "merge", "--quiet", "--no-edit", "side"], cwd=root, check=False, capture_output=True)
    assert done.returncode == 1


def _merge_in_process(root: Path) -> None:
    repo = Repo.find(root)
    ours, theirs = repo.head() or "", repo.ref("refs/heads/side") or ""
    result = merge_store(repo, repo.merge_bases(ours, theirs), ours, theirs)
    made = commit(repo, result.changes, "merge", parents=[ours, theirs], ref="refs/heads/main", expected=ours, fallback=WHO)
    changes = repo.diff(ours, made)
    write_worktree(repo, changes)
    refresh_index(repo, changes)


def _repository(root: Path, sides: Sides, *, ours: bool = True, strategy: bool = True) -> Path:
    """A repository at `main` whose branch `side` has changed the same files; records are `ours` to merge unless told."""
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch", "main")
    repo = Repo.find(root)
    base, mine, theirs = sides
    if ours and next(iter(base)).startswith("memory/"):
        configure(repo)
        base = {**base, ".gitattributes": with_own_lines(b""), MARK: b"gitmem: 1\n"}
    if not strategy:
        repo.config_set("pull.twohead", None)
    first = commit(repo, base, "base", parents=[], ref="refs/heads/main", expected=None, fallback=WHO)
    commit(repo, theirs, "theirs", parents=[first], ref="refs/heads/side", expected=None, fallback=WHO)
    commit(repo, mine, "ours", parents=[first], ref="refs/heads/main", expected=first, fallback=WHO)
    _git(root, "reset", "--quiet", "--hard")
    return root


def _records(count: int) -> Sides:
    """Sealed records of a usual size; each side counts, and writes the same field."""
    draw = random.Random(1)
    base: dict[str, bytes] = {}
    ours: dict[str, bytes] = {}
    theirs: dict[str, bytes] = {}
    for number in range(count):
        state = _new_record(draw, number)
        path = f"memory/team/pattern/{state.id[2:4]}/{state.id}.yaml"
        base[path] = emit(state)
        for side, writer in ((ours, "bbbbbbbb-1"), (theirs, "cccccccc-1")):
            pen = Pen(state, writer)
            pen.set("fix", lambda _path, _dot: _sealed(draw, 90))
            pen.count("fixed")
            side[path] = emit(pen.state)
    return base, ours, theirs


def _new_record(draw: random.Random, number: int) -> State:
    shard = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz234567", k=2))
    pen = Pen(State("pattern", 1, "team", f"p-{shard}{number:024d}"), "aaaaaaaa-1")
    for name, size in (("pattern", 80), ("meaning", 120), ("fix", 90), ("commands", 60)):
        sealed = _sealed(draw, size)
        pen.set(name, partial(_given, sealed))
    for tag in range(2):
        pen.add("tags", f"e{'ab'[tag] * 25}", lambda _path, _dot: _sealed(draw, 30))
    pen.live()
    pen.count("matched")
    return pen.state


def _given(sealed: str, _path: str, _dot: str) -> str:
    return sealed


def _sealed(draw: random.Random, size: int) -> str:
    return f"ENC[1-9f3a1c07,{urlsafe_b64encode(draw.randbytes(size)).decode().rstrip('=')}]"


def _texts(records: Sides) -> Sides:
    """Text files of the same sizes; one side changes the first line of each, the other the last."""
    base: dict[str, bytes] = {}
    for number, data in enumerate(records[0].values()):
        lines = [f"{number} {line} {'word ' * 10}\n".encode() for line in range(len(data) // 60)]
        base[f"text/{number % 1024:03x}/{number}.txt"] = b"".join(lines)
    some = list(base)[: len(records[1])]
    return base, {path: b"ours\n" + base[path] for path in some}, {path: base[path] + b"theirs\n" for path in some}


def _git(root: Path, *args: str) -> bytes:
    return subprocess.run([*GIT, *args], cwd=root, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
