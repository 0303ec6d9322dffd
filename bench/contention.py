"""Sixteen writers, each a clone and a process of its own, learn, use and sync against one bare remote at the same time.

    python -m bench.contention [--small]

Every push of every kind is counted by the remote's side: the branch, side refs and the removal of folded ones. Beside it, in
the same run: our own sync without side refs, and `git pull --rebase && git push` in a loop as a shell script would do it.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import gitmem.crypto.lookup
import gitmem.memory.recall
import gitmem.memory.recording.counting
import gitmem.memory.recording.learn
import gitmem.memory.syncing.sync
import gitmem.store.store  # noqa: F401 - loaded once, before the forks
from bench.common import founded, place, row
from gitmem.errors import RemoteError
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from gitmem.memory.syncing.sync import PATIENCE, sync

WRITERS, ROUNDS = 16, 25
NEVER = 1_000_000  # refusals after which a side ref would be used
_GIVE_UP = 200  # rounds of the shell script

Work = Callable[[Path, int], None]
"""One turn of one writer: what is recorded, and its sync."""


class Contest(NamedTuple):
    """What the turns of all writers took: the pushes of each, sorted, and the seconds of all together."""

    pushes: list[int]
    seconds: float

    def share(self, part: float) -> int:
        """The pushes that this part of the turns needed at most."""
        return self.pushes[min(len(self.pushes) - 1, int(len(self.pushes) * part))]

    @property
    def words(self) -> str:
        """For the report."""
        mean = statistics.mean(self.pushes)
        return f"mean {mean:.2f}, most {self.pushes[-1]}, {len(self.pushes) / self.seconds:.1f} syncs/s"


def main() -> None:
    """Measure and print."""
    writers, rounds = (6, 5) if "--small" in sys.argv else (WRITERS, ROUNDS)
    with place() as folder:
        _git(folder, "config", "--global", "init.defaultBranch", "main")
        ours = _ours(folder / "ours", writers, rounds, PATIENCE)
        without = _ours(folder / "without", writers, rounds, NEVER)
        script = _script(folder / "script", writers, rounds)
    name = f"{writers} writers x {rounds} syncs"
    row(f"{name}: pushes, 95th percentile", ours.share(0.95), "", "<= 3", ours.words)
    row(f"{name}: pushes, most", ours.pushes[-1], "", "<= 6")
    row("  the same without side refs, 95th percentile", without.share(0.95), "", "-", without.words)
    row("  git pull --rebase && git push, 95th percentile", script.share(0.95), "", "-", script.words)
    row("seconds per sync / without side refs", ours.seconds / without.seconds, "x", "-")
    row("seconds per sync / git's loop on text", ours.seconds / script.seconds, "x", "-")


def _ours(folder: Path, writers: int, rounds: int, patience: int) -> Contest:
    """Every writer uses one shared record and learns one of its own before each sync; afterwards all counts must be exact."""
    shared = _store(folder, writers)

    def turn(path: Path, number: int) -> None:
        with Memory.open(path) as memory:
            memory.used(shared, fixed=True)
            memory.learn("note", {"type": "episodic", "text": f"{path.name}.{number}"})
            _synced(memory, patience)

    found = _contest(folder, writers, rounds, turn)
    _check(folder, writers, rounds, shared)
    return found


def _synced(memory: Memory, patience: int) -> None:
    """Sync until it succeeds: at once with side refs, after several vain tries of a dozen pushes without."""
    while True:
        try:
            report = sync(memory.context, patience=patience)
        except RemoteError:
            if patience < NEVER:
                raise
            continue
        if report.problems:
            raise RuntimeError(f"a sync had problems: {report.problems}")
        return


def _store(folder: Path, writers: int) -> str:
    folder.mkdir()
    remote = _remote(folder)
    with founded(folder / "0") as memory:
        shared = memory.learn("pattern", {"pattern": "what all of them meet", "fix": "restart it"}).id
        _git(folder / "0", "remote", "add", "origin", str(remote))
        memory.sync()
    for number in range(1, writers):
        clone(str(remote), str(folder / str(number)))
    return shared


def _check(folder: Path, writers: int, rounds: int, shared: str) -> None:
    """After a final round of syncs every clone holds every use and every note, and all are the same."""
    for _ in range(2):
        for number in range(writers):
            with Memory.open(folder / str(number)) as memory:
                memory.sync()
    heads = {_git(folder / str(number), "rev-parse", "HEAD") for number in range(writers)}
    with Memory.open(folder / "0") as memory:
        notes, fixed = len(memory.records("note", limit=10**6)), memory.get(shared).usage.fixed
        problems = memory.verify().problems
    if (len(heads), notes, fixed, problems) != (1, writers * rounds, writers * rounds, []):
        raise RuntimeError(f"not exact: {len(heads)} heads, {notes} notes, {fixed} uses, {problems[:3]}")
    if left := _git(folder / "remote.git", "for-each-ref", "refs/gitmem/"):
        raise RuntimeError(f"side refs are left: {left}")


def _script(folder: Path, writers: int, rounds: int) -> Contest:
    """A file of one's own per commit, so that nothing ever conflicts; pull and push until the push goes through."""
    folder.mkdir()
    remote = _remote(folder)
    for number in range(writers):
        _git(folder, "clone", "--quiet", str(remote), str(number))
        _git(folder / str(number), "config", "core.fsync", "all")
    (folder / "0/first").write_text("first\n")
    _commit_all(folder / "0")
    _git(folder / "0", "push", "--quiet", "origin", "HEAD:main")
    for number in range(writers):
        _git(folder / str(number), "pull", "--quiet", "--rebase", "origin", "main")

    def turn(path: Path, number: int) -> None:
        (path / f"{path.name}.{number}").write_text("a line\n" * 20)
        _commit_all(path)
        for _ in range(_GIVE_UP):
            _git(path, "pull", "--quiet", "--rebase", "origin", "main")
            if _git(path, "push", "--quiet", "origin", "HEAD:main", check=False) is not None:
                return
            time.sleep(random.uniform(0, 0.1))
        raise RuntimeError("the loop never came through")

    return _contest(folder, writers, rounds, turn)


def _commit_all(path: Path) -> None:
    _git(path, "add", "--all")
    _git(path, "commit", "--quiet", "--message", "change")


def _contest(folder: Path, writers: int, rounds: int, turn: Work) -> Contest:
    """Let all writers take their turns, each in a process of its own."""
    for number in range(writers):
        counted = f"echo x >> '{folder}/pushes.{number}'; git-receive-pack"
        _git(folder / str(number), "config", "remote.origin.receivepack", counted)
    started = time.perf_counter()
    children = [_forked(folder, number, rounds, turn) for number in range(writers)]
    if any(os.waitpid(child, 0)[1] for child in children):
        raise RuntimeError("a writer failed")
    took = time.perf_counter() - started
    for number in range(writers):
        _git(folder / str(number), "config", "--unset", "remote.origin.receivepack")
    return Contest(sorted(_all(json.loads((folder / f"turns.{n}").read_text()) for n in range(writers))), took)


def _all(lists: Iterable[list[int]]) -> list[int]:
    return [one for some in lists for one in some]


def _forked(folder: Path, number: int, rounds: int, turn: Work) -> int:
    child = os.fork()
    if child:
        return child
    try:
        pushes = []
        for each in range(rounds):
            before = _pushes(folder, number)
            turn(folder / str(number), each)
            pushes.append(_pushes(folder, number) - before)
        (folder / f"turns.{number}").write_text(json.dumps(pushes))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _pushes(folder: Path, number: int) -> int:
    """How often a writer's git has opened a connection to push."""
    log = folder / f"pushes.{number}"
    return log.stat().st_size // 2 if log.exists() else 0


def _remote(folder: Path) -> Path:
    remote = folder / "remote.git"
    _git(folder, "init", "--quiet", "--bare", str(remote))
    return remote


def _git(cwd: Path, *args: str, check: bool = True) -> str | None:
    """What git printed; None if it failed and that is no matter."""
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    done = subprocess.run(["git", *who, *args], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode and check:
        raise RuntimeError(f"git {args[0]} failed: {done.stderr}")
    return None if done.returncode else done.stdout.strip()


if __name__ == "__main__":
    main()
