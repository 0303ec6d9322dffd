"""Backups against restic and borg, on the same records in the same run: full, increment after 1 % changed, verify, restore; and
a pre-commit snapshot against `git stash create`.

python -m bench.backup [RECORDS]

Each tool runs as its command line, in turn with the others. The peers back up the store's files without its git directory,
sealed under a password in a file as they are meant to be used; a backup of ours holds the history besides. Each verifies by its
own check that reads all data (`restic check --read-data`, `borg check --verify-data`); `gitmem backup verify --deep` does more
than they do, and is told without a target. A peer that is not installed is passed over: apt-get install restic borgbackup.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.common import fill, founded, place, row, seconds
from gitmem.git import snapshots
from gitmem.git.repo import Repo
from gitmem.memory.memory import Memory

RECORDS = 10_000
TIMES = 3


class Tool:
    """One way to back the store up: commands by what they do, and where its backups are."""

    def __init__(self, folder: Path, name: str, setup: list[list[str]], **commands: list[str]) -> None:
        self.name = name
        self.folder = folder
        self.there = folder / f"there-{name}"
        self.commands = commands
        self.took: dict[str, list[float]] = {}
        self.bytes: dict[str, list[float]] = {}
        for command in setup:
            self._run(command)

    def do(self, act: str) -> None:
        """Do it once, noting seconds and by how much its backups grew."""
        if act == "restore":
            self._make_room()
        before = _size(self.there)
        self.took.setdefault(act, []).append(seconds(lambda: self._run(self.commands[act])))
        self.bytes.setdefault(act, []).append(_size(self.there) - before)

    def _make_room(self) -> None:
        """An empty place to restore to. What was there is moved away, not removed: see `bench.merge` for what that costs."""
        back = self.folder / f"back-{self.name}"
        if back.exists():
            back.rename(self.folder / f"back-{self.name}-{len(self.took['restore'])}")
        back.mkdir()

    def _run(self, command: list[str]) -> None:
        cwd = self.folder / (f"back-{self.name}" if "extract" in command else "store")
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")


def main() -> None:
    """Run all of it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with place() as folder:
        memory = founded(folder / "store")
        with memory:
            fill(memory, count)
            tools = _tools(folder)
            _backups(memory, tools, max(1, count // 100))
        _report(tools)
        _snapshot(folder / "store")


def _tools(folder: Path) -> list[Tool]:
    (folder / "password").write_text("a password of the bench\n")
    os.environ |= {
        "RESTIC_REPOSITORY": str(folder / "there-restic"),
        "RESTIC_PASSWORD_FILE": str(folder / "password"),
        "RESTIC_CACHE_DIR": str(folder / "cache-restic"),
        "BORG_REPO": str(folder / "there-borg"),
        "BORG_PASSCOMMAND": f"cat {folder / 'password'}",
        "BORG_BASE_DIR": str(folder / "base-borg"),
    }
    files = ["memory", "log", ".gitmem", ".gitattributes"]
    ours = [sys.executable, "-m", "gitmem", "backup"]
    there = str(folder / "there-gitmem")
    tools = [
        Tool(
            folder,
            "gitmem",
            [],
            full=[*ours, "create", "--full", "--to", there],
            increment=[*ours, "create", "--incremental"],
            verify=[*ours, "verify"],
            deep=[*ours, "verify", "--deep"],
            restore=[*ours, "restore", "--from", there, str(folder / "back-gitmem")],
        )
    ]
    if shutil.which("restic"):
        backup = ["restic", "--quiet", "backup", *files]
        check = ["restic", "--quiet", "check", "--read-data"]
        restore = ["restic", "--quiet", "restore", "latest", "--target", str(folder / "back-restic")]
        tools.append(
            Tool(
                folder, "restic", [["restic", "--quiet", "init"]], full=backup, increment=backup, verify=check, restore=restore
            )
        )
    if shutil.which("borg"):
        backup = ["borg", "create", "::{utcnow:%H%M%S%f}", *files]
        check = ["borg", "check", "--verify-data"]
        restore = ["sh", "-c", 'borg extract "::$(borg list --last 1 --short)"', "extract"]
        setup = [["borg", "init", "--encryption=repokey"]]
        tools.append(Tool(folder, "borg", setup, full=backup, increment=backup, verify=check, restore=restore))
    return tools


def _backups(memory: Memory, tools: list[Tool], changed: int) -> None:
    draw = random.Random(3)
    ids = [record.id for record in memory.records(limit=1 << 20)]
    for tool in tools:
        tool.do("full")
    for number in range(TIMES):
        for record in draw.sample(ids, changed):
            memory.edit(record, {"fix": f"another fix, number {number}, {draw.random()}"})
        memory.commit()
        for tool in draw.sample(tools, len(tools)):
            tool.do("increment")
    for act in ("verify", "restore"):
        for _ in range(TIMES):
            for tool in draw.sample(tools, len(tools)):
                tool.do(act)
    tools[0].do("deep")


def _report(tools: list[Tool]) -> None:
    ours, *peers = tools
    if not peers:
        print("neither restic nor borg is here: apt-get install restic borgbackup")
        return
    _compare(ours, peers, "full backup", "full", lambda tool: tool.took, "<= 1.5")
    _compare(ours, peers, "increment after 1 % changed", "increment", lambda tool: tool.took, "< 1")
    _compare(ours, peers, "size of an increment", "increment", lambda tool: tool.bytes, "< 1")
    _compare(ours, peers, "size of a full backup, with its history", "full", lambda tool: tool.bytes, "-")
    _compare(ours, peers, "verify", "verify", lambda tool: tool.took, "<= 1.5")
    _compare(ours, peers, "restore", "restore", lambda tool: tool.took, "<= 1.5")
    row("verify --deep, which rebuilds and audits", ours.took["deep"][0], "s", "-")


def _compare(
    ours: Tool, peers: list[Tool], what: str, act: str, figures: Callable[[Tool], dict[str, list[float]]], target: str
) -> None:
    """Our median over that of the best peer."""
    medians = {tool.name: statistics.median(figures(tool)[act]) for tool in (ours, *peers)}
    best = min(medians[peer.name] for peer in peers)
    shown = ", ".join(f"{name} {value:,.2f}" for name, value in medians.items())
    row(f"{what} / the best peer", medians[ours.name] / best, "x", target, shown)


def _snapshot(root: Path) -> None:
    """Both with the same 100 files changed, half of them staged."""
    some = sorted((root / "memory").rglob("*.yaml"))[:100]
    for file in some:
        file.write_text(file.read_text() + "# changed\n")
    subprocess.run(["git", "add", "--", *map(str, some[:50])], cwd=root, check=True)
    repo, start = Repo.find(root), datetime.now(UTC)  # each at a time of its own: two of one second take two tries for a name
    stash, ours = list[float](), list[float]()
    for number in range(7):
        stash.append(seconds(lambda: subprocess.run(["git", "stash", "create"], cwd=root, check=True, capture_output=True)))
        ours.append(seconds(partial(snapshots.create, repo, "bench", start + timedelta(minutes=number), "")))
    ratio = statistics.median(ours) / statistics.median(stash)
    shown = f"{statistics.median(ours) * 1000:.0f} ms, git {statistics.median(stash) * 1000:.0f} ms"
    row("a snapshot / git stash create", ratio, "x", "<= 1.5", shown)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0


if __name__ == "__main__":
    main()
