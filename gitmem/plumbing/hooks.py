"""What the shell hooks call: git starts `hooks/<name>`, which starts this."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gitmem.errors import GitmemError, NoStore

_GITHEAD = "GITHEAD_"
NAMES = ("pre-commit", "pre-merge-commit")


def run(name: str, start: Path | None = None) -> int:
    """Run the check that goes with a hook; the exit code decides whether git goes on.

    In a repository without a store there is nothing to check. Raises GitmemError for what must not be committed.
    """
    if name not in NAMES:
        raise GitmemError(f"gitmem has no hook {name!r}", f"it has: {', '.join(NAMES)}")
    try:
        mended = _check(start or Path.cwd(), _merging() if name == "pre-merge-commit" else [])
    except NoStore:
        return 0
    for line in mended:
        print(f"gitmem: {line}", file=sys.stderr)  # noqa: T201 - a hook speaks on stderr
    return 0


def _merging() -> list[str]:
    """The commits being merged, which git names to this hook in its environment alone (GITHEAD_<commit>, git-merge(1))."""
    return sorted(name.removeprefix(_GITHEAD) for name in os.environ if name.startswith(_GITHEAD))


def _check(start: Path, merging: list[str]) -> list[str]:
    from gitmem.crypto.lookup import find_identities
    from gitmem.git.repo import Repo
    from gitmem.memory.context import Context
    from gitmem.memory.staged import check_staged
    from gitmem.store.config import find_root
    from gitmem.store.kinds import Kinds
    from gitmem.store.store import Store

    root = find_root(start)
    store = Store(root, Repo.of_environment(), find_identities(env=os.environ))
    try:
        return check_staged(Context(store, Kinds(root)), merging)
    finally:
        store.close()
