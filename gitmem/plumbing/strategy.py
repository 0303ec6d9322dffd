"""`git-merge-gitmem`: the merge strategy behind `pull.twohead=gitmem` and `pull.octopus=gitmem`.

git starts it for `git merge`, `pull`, `rebase` and `cherry-pick` as `git-merge-gitmem [--option…] <base>… -- <head> <remote>…`.
It leaves index and work tree at the result and ends with 0 (clean), 1 (conflicts are left in files that are not the store's)
or 2 (refused, nothing was changed), see git-merge(1). Where neither side holds the store all is git's own merge.

It must never end with 1 by accident: git would take our side for the result, and wait for `git commit` to make it final.
"""

from __future__ import annotations

import gc
import os
import sys

CLEAN = 0
CONFLICTS = 1
REFUSED = 2


def run() -> int:
    """Merge as git asks on the command line."""
    gc.disable()  # a merge makes no cycles, and looking for them costs a tenth of it
    try:
        from gitmem.git.merging import merge
        from gitmem.git.repo import Repo

        return merge(Repo.of_environment(), sys.argv[1:], os.environ)
    except BaseException as error:  # a bug, a full disk, Ctrl-C: whatever it is, it ends with 2
        return _refuse(error)


def _refuse(error: BaseException) -> int:
    message = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
    hint = getattr(error, "hint", "")
    sys.stderr.write(f"error: {message}\n" + (f"hint: {hint}\n" if hint else ""))
    return REFUSED
