"""Scopes: the parts of a store with their own readers. Which there are, and which of them is meant where none is named.

The scope `agents/<name>` is an agent's own: what an agent records goes there unless the call names another scope, so that
nothing it notes reaches the team before somebody wants it to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitmem.core.membership.members import RECOVERY, own_scope
from gitmem.core.nearest import meant, shown
from gitmem.core.record import SCOPE, name_problem
from gitmem.errors import NoKey, UsageError
from gitmem.memory.context import TEAM, Context
from gitmem.store.layout import MEMORY


def scope_names(context: Context) -> list[str]:
    """The scopes there are: those with keys, and in a plain store those with records."""
    return names_in(context.store.root, context.store.vault.scopes())


def names_in(root: Path, keyed: Iterable[str]) -> list[str]:
    """The scopes of the store at `root`, of which `keyed` have keys: the team's always, and each one that has records."""
    return sorted({TEAM, *keyed, *_with_records(root / MEMORY)})


def opens(context: Context, scope: str) -> bool:
    """Whether the caller can read and write a scope as it stands now."""
    return context.store.vault.opens(scope)


def check_scope(name: str) -> str:
    """`name` if a scope may have it. Raises UsageError: it becomes a directory and stands in the clear."""
    if problem := name_problem("scope", name, SCOPE):
        raise UsageError(problem, "a scope is a word such as ops, or two: agents/ci")
    return name


def known_scope(context: Context, name: str) -> str:
    """`name` if there is such a scope. Raises UsageError naming the nearest one."""
    if check_scope(name) == TEAM or context.store.vault.epochs(name):
        return name
    names = scope_names(context)
    if name in names:
        return name
    hint = f"the scopes are: {', '.join(names)}; `gitmem scope add` makes one"
    raise UsageError(f"there is no scope {shown(name)}{meant(name, names)}", hint)


def agent_name(name: str | None, env: Mapping[str, str]) -> str | None:
    """The agent at work: `name`, or what GITMEM_AGENT says; None for a person. Raises UsageError for what is no name."""
    name = name or env.get("GITMEM_AGENT") or None
    if name is not None and name_problem("agent", own_scope(name), SCOPE):
        raise UsageError(f"{shown(name)} cannot be an agent's name", "use lower-case letters, digits, - and _, such as: ci")
    return name


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope: whether the caller opens it, who holds its newest key, and how many records stand in it (None: no index)."""

    scope: str
    opened: bool
    members: list[str]
    records: int | None


def scopes(context: Context) -> list[Scope]:
    """Every scope there is, by name. In a plain store everybody can read all of them."""
    from gitmem.memory.catchup import current_index
    from gitmem.memory.members.roster import members

    vault = context.store.vault
    try:
        counts: dict[str, int] | None = current_index(context).by_scope()
    except NoKey:
        counts = None
    everybody = [member.name for member in members(context)]
    found = []
    for name in scope_names(context):
        epochs = vault.epochs(name)
        holders = [each for each in vault.holders(name, epochs[-1]) if each != RECOVERY] if epochs else everybody
        found.append(Scope(name, opens(context, name), holders, None if counts is None else counts.get(name, 0)))
    return found


def default_scope(context: Context) -> str:
    """Where a record goes whose scope nobody named: to the team, and what an agent records to the agent's own scope."""
    return TEAM if context.agent is None else own_scope(context.agent)


def _with_records(memory: Path) -> Iterator[str]:
    """The scopes that have records: memory/<scope>/<kind>/<two characters>/<id>.yaml, where a scope may be two folders deep."""
    for first in _folders(memory):
        for second in _folders(first):
            name = first.name if _is_kind(second) else f"{first.name}/{second.name}"
            if name_problem("scope", name, SCOPE) is None:
                yield name


def _is_kind(folder: Path) -> bool:
    """Whether records lie two levels below; the first folder that is met says so."""
    return any(file.suffix == ".yaml" for inner in _folders(folder) for file in inner.iterdir())


def _folders(path: Path) -> Iterator[Path]:
    try:
        with os.scandir(path) as entries:
            yield from (path / entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
