"""A sync of records that both sides changed against git's own merge of as many text files without a conflict.

python -m bench.sync [RECORDS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.common import fill, founded, place, row, seconds
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory

RECORDS = 1000


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with place() as folder:
        ours, theirs = _changed_on_both_sides(folder, count)
        with theirs:
            theirs.sync()
        with ours:
            ours.commit()
            took = seconds(ours.sync)
        text = _text_files(folder / "text", count)
    row(f"sync of {count:,} records / git, text files", took / text, "x", "<= 4", f"{took:.2f} s")


def _changed_on_both_sides(folder: Path, count: int) -> tuple[Memory, Memory]:
    remote = folder / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    ours = founded(folder / "ours")
    subprocess.run(["git", "-C", str(folder / "ours"), "remote", "add", "origin", str(remote)], check=True)
    fill(ours, count)
    ours.sync()
    clone(str(remote), str(folder / "theirs"))
    theirs = Memory.open(folder / "theirs")
    for record in ours.records(limit=count):
        ours.used(record.id, fixed=True)
        theirs.used(record.id, fixed=False)
    return ours, theirs


def _text_files(root: Path, count: int) -> float:
    """Seconds that git takes to do the same with text: fetch, merge what both sides changed in different lines, push."""
    git = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "core.fsync=all")
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", "--bare", str(root / "remote.git")], check=True)
    subprocess.run([*git, "clone", "--quiet", "remote.git", "ours"], cwd=root, check=True, capture_output=True)
    body = "".join(f"line {number} of some length to make a record\n" for number in range(30))
    _commit(git, root / "ours", count, body)
    subprocess.run([*git, "push", "--quiet", "origin", "HEAD"], cwd=root / "ours", check=True)
    subprocess.run([*git, "clone", "--quiet", "remote.git", "theirs"], cwd=root, check=True)
    _commit(git, root / "theirs", count, "theirs\n" + body)
    subprocess.run([*git, "push", "--quiet", "origin", "HEAD"], cwd=root / "theirs", check=True)
    _commit(git, root / "ours", count, body + "ours\n")
    pull = [*git, "pull", "--quiet", "--no-rebase", "--no-edit"]
    return seconds(
        lambda: (
            subprocess.run([*pull, "origin"], cwd=root / "ours", check=True, capture_output=True),
            subprocess.run([*git, "push", "--quiet", "origin", "HEAD"], cwd=root / "ours", check=True),
        )
    )


def _commit(git: tuple[str, ...], root: Path, count: int, body: str) -> None:
    for number in range(count):
        file = root / f"{number % 100:02d}" / f"{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{body}{number}\n" if body.endswith("record\n") else body)
    subprocess.run([*git, "add", "--all"], cwd=root, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "change"], cwd=root, check=True)


if __name__ == "__main__":
    main()
