"""Merging records that both sides changed: the strategy, `sync`'s merge and the driver against git's own merge of text.

    python -m bench.merge [RECORDS]

All in one run, as ratios to `git merge` of as many text files of the same size without any conflict. The driver is measured
on a tenth of the files, for git starts one process for each.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.git.attributes import with_own_lines
from gitmem.git.commits import Identity, commit, refresh_index
from gitmem.git.merge import merge_store
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from gitmem.git.worktree import write_worktree

Sides = tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]
RECORDS = 1000
WHO = Identity("bench", "bench@example.org")
GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    seconds = measure(count)
    text = seconds["git, text files"]
    for name, took in seconds.items():
        print(f"{name:34} {took:8.3f} s {took / text:8.2f} x")


def measure(count: int = RECORDS) -> dict[str, float]:
    """Seconds for `count` files changed on both sides, by way of merging; the driver's are extrapolated from a tenth."""
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", os.defpath)])
    records, few = _records(count), _records(max(count // 10, 1))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return {
            "git, text files": _timed(_repository(place / "text", _texts(records)), _git_merge),
            "gitmem, strategy": _timed(_repository(place / "strategy", records), _git_merge),
            "gitmem, in process as in sync": _timed(_repository(place / "process", records), _merge_in_process),
            "gitmem, driver (extrapolated)": 10 * _timed(_repository(place / "driver", few, strategy=False), _git_merge),
        }


def _timed(root: Path, act: Callable[[Path], None]) -> float:
    start = time.perf_counter()
    act(root)
    took = time.perf_counter() - start
    assert not _git(root, "status", "--porcelain")
    return took


def _git_merge(root: Path) -> None:
    _git(root, "merge", "--quiet", "--no-edit", "side")


def _merge_in_process(root: Path) -> None:
    repo = Repo.find(root)
    ours, theirs = repo.head() or "", repo.ref("refs/heads/side") or ""
    result = merge_store(repo, repo.merge_bases(ours, theirs), ours, theirs)
    made = commit(repo, result.changes, "merge", parents=[ours, theirs], ref="refs/heads/main", expected=ours, fallback=WHO)
    changes = repo.diff(ours, made)
    write_worktree(repo, changes)
    refresh_index(repo, changes)


def _repository(root: Path, sides: Sides, *, strategy: bool = True) -> Path:
    """A repository at `main` whose branch `side` has changed the same files."""
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch", "main")
    repo = Repo.find(root)
    base, ours, theirs = sides
    if next(iter(base)).startswith("memory/"):
        configure(repo)
        base = {**base, ".gitattributes": with_own_lines(b"")}
    if not strategy:
        repo.config_set("pull.twohead", None)
    first = commit(repo, base, "base", parents=[], ref="refs/heads/main", expected=None, fallback=WHO)
    commit(repo, theirs, "theirs", parents=[first], ref="refs/heads/side", expected=None, fallback=WHO)
    commit(repo, ours, "ours", parents=[first], ref="refs/heads/main", expected=first, fallback=WHO)
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
        pen.set(name, lambda _path, _dot, sealed=sealed: sealed)  # type: ignore[misc]
    for tag in range(2):
        pen.add("tags", f"e{'ab'[tag] * 25}", lambda _path, _dot: _sealed(draw, 30))
    pen.live()
    pen.count("matched")
    return pen.state


def _sealed(draw: random.Random, size: int) -> str:
    return f"ENC[1-9f3a1c07,{urlsafe_b64encode(draw.randbytes(size)).decode().rstrip('=')}]"


def _texts(records: Sides) -> Sides:
    """Text files of the same sizes; one side changes the first line of each, the other the last."""
    base: dict[str, bytes] = {}
    for number, data in enumerate(records[0].values()):
        lines = [f"{number} {line} {'word ' * 10}\n".encode() for line in range(len(data) // 60)]
        base[f"text/{number % 1024:03x}/{number}.txt"] = b"".join(lines)
    ours = {path: b"ours\n" + data for path, data in base.items()}
    theirs = {path: data + b"theirs\n" for path, data in base.items()}
    return base, ours, theirs


def _git(root: Path, *args: str) -> bytes:
    return subprocess.run([*GIT, *args], cwd=root, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
