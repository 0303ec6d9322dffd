"""Who belongs to the store as the log in the work tree says, by what it holds that is truly signed."""

from __future__ import annotations

from gitmem.core.members import Members
from gitmem.core.membership import fold
from gitmem.memory.audit_checks import bad_signatures
from gitmem.memory.context import Context
from gitmem.memory.replicas import all_segments


def standing(context: Context) -> Members:
    """The members, their recipients and the scopes: what keys are wrapped by. Raises Tampered for a log that cannot be read."""
    segments = list(all_segments(context.store.root))
    forged = {problem.where for problem in bad_signatures(segments)}
    members, _ = fold(segment for segment in segments if segment.path not in forged)
    return members
