"""A verdict on a store that does not open, because somebody removed or spoiled its configuration."""

from __future__ import annotations

import os
from pathlib import Path

from gitmem.core.auditing.audit import Problem
from gitmem.core.record import MAX_BYTES
from gitmem.errors import GitmemError, InvalidRecord, NoStore
from gitmem.git.repo import Repo
from gitmem.memory.auditing.audit import TRUNCATION, AuditReport, examine, notes, report
from gitmem.memory.soundness import is_newer
from gitmem.store.config import load_config
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import AUDIT, CONFIG

_UNASKED = "the store does not open: only what HEAD holds was looked at, and neither a pin nor a witness statement was asked"


def verify_closed(start: Path) -> AuditReport | None:
    """The report on the store at or above `start`, with what keeps it from being opened among the problems.

    None where no commit holds a store's log there, where its configuration is sound, or where a newer gitmem reads it.
    """
    try:
        repo = Repo.find(start)
    except NoStore:
        return None
    prefix, head = _prefix(repo, Path(os.path.realpath(start))), repo.head()
    why = None if prefix is None else _flaw(repo.root / prefix)
    if prefix is None or head is None or why is None:
        return None
    found = examine(repo, prefix, None)
    if not any(problem.where.startswith(CONFIG) for problem in found.problems):
        found.problems.append(Problem("no configuration", CONFIG, why))
    return report(found, [*notes(repo, prefix), _UNASKED, TRUNCATION])


def _prefix(repo: Repo, start: Path) -> str | None:
    """Where the store lies whose log HEAD holds: the nearest at or above a directory, the only one below it otherwise."""
    head = repo.head()
    tree = [] if head is None else repo.ls_tree(head)
    logs = {path.partition(f"{AUDIT}/")[0] for path in tree if f"/{AUDIT}/" in f"/{path}"}
    above = [prefix for prefix in logs if start.is_relative_to(repo.root / prefix)]
    return max(above, key=len) if above else next(iter(logs)) if len(logs) == 1 else None


def _flaw(root: Path) -> str | None:
    """What is wrong with the configuration of the store at `root`; None if that is not for an auditor to tell."""
    try:
        if is_newer(read_bounded(inside(root, CONFIG), MAX_BYTES) or b""):
            return None
        load_config(root)
    except InvalidRecord as error:
        return error.message
    except GitmemError:
        return "it is gone from the work tree"
    return None
