"""What members have agreed to have logged of them: each says so for themselves, in their own record, signed.

Counters of records are not among it: they are kept for each clone, and are what the store finds the best fix by.
"""

from __future__ import annotations

from typing import Final

from gitmem.core.record import State
from gitmem.memory.context import Context
from gitmem.store.marks import Marks

USAGE: Final = "usage"
"""When a record was tried, whether it helped, and how long that took."""
READS: Final = "reads"
"""What was looked up."""
CHOICES: Final = (USAGE, READS)

OPTED_OUT: Final = "opted_out"
"""The set in a member's record of what they do not want logged."""

CHOSEN: Final = "opted out"
"""The key of the note of what whoever works in a clone does not want logged."""


def allowed_by(marks: Marks, what: str) -> bool:
    """Whether a clone may log `what`, by its marks. Raises GitmemError where they cannot be read."""
    return is_allowed(marks.note(CHOSEN), what)


def is_allowed(chosen: str, what: str) -> bool:
    """Whether `what` may be logged, by the note of what its member has chosen."""
    return what not in chosen.split()


def take_note(context: Context) -> None:
    """Note what the member whose clone this is has chosen, here or in another clone of theirs."""
    from gitmem.memory.members.roster import my_name, read_member

    state = read_member(context, my_name(context))
    chosen = " ".join(sorted(opted_out(state)))
    if chosen != context.store.marks.note(CHOSEN):
        context.store.marks.set_note(CHOSEN, chosen)


def opted_out(state: State | None) -> set[str]:
    """What a member does not want to have logged."""
    registers = {} if state is None else state.sets.get(OPTED_OUT, {})
    return {str(value) for register in registers.values() for value in register.values()}.intersection(CHOICES)
