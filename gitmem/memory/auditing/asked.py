"""What somebody asks the log for, held against the words there are: a misspelt one would look like a clean log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitmem.core.membership.members import RECOVERY
from gitmem.core.nearest import meant, shown
from gitmem.errors import UsageError
from gitmem.memory.auditing.log import OPS, LogEntry
from gitmem.memory.auditing.told import ACTS
from gitmem.memory.context import Context
from gitmem.memory.members.folded import standing_here


def check_asked(context: Context, found: Sequence[LogEntry], *, acts: bool, **wanted: str | None) -> None:
    """Where nothing was `found`, raise UsageError for an operation, a kind or a member that there neither is nor was."""
    if found:
        return
    if (op := wanted.get("op")) is not None:
        here, there = (ACTS, OPS) if acts else (OPS, ACTS)
        if op in there and op not in here:
            raise UsageError(f"{op!r} is {'a change' if acts else 'no change'}", f"{'without' if acts else 'with'} --acts")
        _check("operation", op, here)
    if (kind := wanted.get("kind")) is not None:
        _check("kind", kind, context.kinds.names())
    if (member := wanted.get("member")) is not None:
        who = standing_here(context)
        _check("member", member, who.by_name.keys() | who.removed.keys() | {RECOVERY})


def _check(what: str, word: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if word not in names:
        raise UsageError(f"the log knows no {what} {shown(word)}{meant(word, names)}", f"the {what}s are: {', '.join(names)}")
