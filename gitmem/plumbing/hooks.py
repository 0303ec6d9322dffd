"""What the shell hooks call: git starts `hooks/<name>`, which starts this."""

from __future__ import annotations

import os
import sys

from gitmem.errors import GitmemError

_GITHEAD = "GITHEAD_"
NAMES = ("pre-commit", "pre-merge-commit")


def run(name: str) -> int:
    """Run the check that goes with a hook; the exit code decides whether git goes on.

    Where no store is checked out there is nothing to check. Raises GitmemError for what must not be committed.
    """
    if name not in NAMES:
        raise GitmemError(f"gitmem has no hook {name!r}", f"it has: {', '.join(NAMES)}")
    for line in _check(_merging() if name == "pre-merge-commit" else []):
        _say(line)
    return 0


def _say(line: str) -> None:
    print(f"gitmem: {line}", file=sys.stderr)  # noqa: T201 - a hook speaks on stderr


def _warn(line: str) -> None:
    _say(f"warning: {line}")


def _merging() -> list[str]:
    """The commits being merged, which git names to this hook in its environment alone (GITHEAD_<commit>, git-merge(1))."""
    return sorted(name.removeprefix(_GITHEAD) for name in os.environ if name.startswith(_GITHEAD))


def _check(merging: list[str]) -> list[str]:
    from gitmem.crypto.lookup import find_identities
    from gitmem.git.repo import Repo
    from gitmem.memory.committing.staged import check_staged
    from gitmem.memory.context import Context
    from gitmem.memory.privacy.overview import tells_who
    from gitmem.store.kinds import Kinds
    from gitmem.store.place import place_at_work
    from gitmem.store.store import Store

    place = place_at_work(Repo.of_environment())
    if place is None:
        return []
    store = Store(*place, find_identities(env=os.environ))
    context = Context(store, Kinds(place.root), warn=_warn)
    try:
        told = check_staged(context, merging)
        if name := tells_who(context):
            told.append(f"this commit is by {name}, and commits of this store are to name nobody: let `gitmem commit` make it")
        return told
    finally:
        store.close()
