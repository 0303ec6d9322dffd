"""What somebody who leaves takes with them: the records that they could read, and which of those hold a secret.

What they have read they have read. So every removal ends with this list: a secret in it must be changed where it opens
something. It names the record and the field and never the value. What earlier versions of a record said is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitmem.core.redacting.placeholder import KINDS
from gitmem.core.redacting.redact import Policy, Redactor
from gitmem.errors import GitmemError
from gitmem.memory.context import Context
from gitmem.store.journal import Position
from gitmem.store.layout import MEMORY, is_record_path, parse_record_path
from gitmem.store.opened import open_state

_SECRETS = frozenset({"password", "token", "key"})
_POLICY = Policy(keep=frozenset(KINDS) - _SECRETS)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a leaver could read in some scopes: ids by scope (`read`) and the fields that hold what looks like a secret, by id.

    `state` is what the store held then: its commit, and how far its journal had come.
    """

    read: dict[str, list[str]]
    secrets: dict[str, list[str]]
    state: tuple[str | None, Position]


def taken(context: Context, scopes: list[str], shown: Taken | None = None) -> Taken:
    """What whoever could read these scopes takes with them, deleted records included; what we cannot open has no secrets here.

    A list that was `shown` before is that list, if nothing was written since: looking for secrets takes 0.8 ms a record.
    """
    context.store.refresh()
    state = context.store.repo.head(), context.store.journal.position
    if shown is not None and shown.state == state and [*shown.read] == scopes:
        return shown
    return Taken({scope: _record_ids(context, scope) for scope in scopes}, _all_secret_fields(context, scopes), state)


def _record_ids(context: Context, scope: str) -> list[str]:
    return sorted(parse_record_path(path)[2] for path in _paths(context, scope))


def _all_secret_fields(context: Context, scopes: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for scope in scopes:
        for path in _paths(context, scope):
            with suppress(GitmemError):
                if fields := _secret_fields(context, path):
                    found[parse_record_path(path)[2]] = fields
    return dict(sorted(found.items()))


def _paths(context: Context, scope: str) -> Iterator[str]:
    root = context.store.root
    for file in (root / MEMORY / scope).rglob("*.yaml"):
        path = file.relative_to(root).as_posix()
        if is_record_path(path) and parse_record_path(path)[0] == scope:
            yield path


def _secret_fields(context: Context, path: str) -> list[str]:
    state = context.store.read(path)
    if state is None:
        return []
    opened = open_state(context.store.vault, state)
    values: list[tuple[str, Any]] = [*opened.fields.items(), *opened.sets.items()]
    values += [(name, one.value) for name, several in opened.conflicts.items() for one in several]
    return sorted({name for name, value in values if Redactor(_POLICY).redact_value(name.rpartition(".")[2], value)[1]})
