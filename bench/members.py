"""Removing a member from a store: new keys, and all that stands sealed with them; and how many files an invitation takes.

python -m bench.members [RECORDS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.common import fill, founded, place, row, seconds
from gitmem.crypto.identity import new_identity
from gitmem.memory.members.joining import add_member
from gitmem.memory.members.recovery import vault_key
from gitmem.memory.members.removal import remove
from gitmem.memory.members.requesting import Request
from gitmem.memory.members.rotation import waiting
from gitmem.memory.memory import Memory

RECORDS = 10_000


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with place() as folder, founded(folder / "store") as memory:
        fill(memory, count)
        _enrol(memory, "bob")
        files = _changed(folder / "store")
        took = seconds(lambda: remove(memory.context, "bob"))
        left = len(waiting(memory.context, ["team"]))
    row("files that a new member changes", files, "", "<= 3")
    row(f"removing a member, {count:,} records", took, "s", f"<= {60 * count / RECORDS:.0f}", f"{left} left as they were")


def _enrol(memory: Memory, name: str) -> None:
    identity = new_identity(name)
    key = vault_key(memory.context.store.vault, identity)
    add_member(memory.context, Request(memory.context.store.id, name, identity.recipient, key))


def _changed(root: Path) -> int:
    listed = subprocess.run(
        ["git", "-C", str(root), "show", "--format=", "--name-only", "HEAD"], check=True, capture_output=True, text=True
    )
    return len(listed.stdout.split())


if __name__ == "__main__":
    main()
