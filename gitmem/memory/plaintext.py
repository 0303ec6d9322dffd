"""Secret values that stand in the clear where all are sealed: no commit may hold one."""

from __future__ import annotations

from gitmem.core.record import State
from gitmem.core.token import is_token
from gitmem.errors import InvalidRecord
from gitmem.memory.context import Context


class Exposed(InvalidRecord):
    """A secret field of a sealed store stands in the clear."""


def refuse_plaintext(context: Context, state: State, path: str) -> None:
    """Raise Exposed if a secret field of a sealed store stands in the clear."""
    if context.store.config.plain:
        return
    for at, register in state.registers():
        if not all(map(is_token, register.values())):
            raise Exposed(
                f"{path}: {at} holds plaintext, and this store is sealed",
                f"write it with `gitmem edit {state.id}`; if it was committed before, change what it gives away",
            )
