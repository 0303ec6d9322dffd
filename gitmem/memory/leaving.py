"""What somebody who leaves takes with them: the records that they could read, and which of those hold a secret.

What they have read they have read. So every removal ends with this list: a secret in it must be changed where it opens
something. It names the record and the field and never the value. What earlier versions of a record said is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from gitmem.core.placeholder import KINDS
from gitmem.core.redact import Policy, Redactor
from gitmem.errors import GitmemError
from gitmem.memory.context import Context
from gitmem.store.layout import MEMORY, is_record_path, parse_record_path
from gitmem.store.opened import open_state

_SECRETS = frozenset({"password", "token", "key"})
_POLICY = Policy(keep=frozenset(KINDS) - _SECRETS)


def record_ids(context: Context, scope: str) -> list[str]:
    """The ids of the records of a scope, deleted ones among them: the leaver has them as well."""
    return sorted(parse_record_path(path)[2] for path in _paths(context, scope))


def secret_fields(context: Context, scopes: Iterable[str]) -> dict[str, list[str]]:
    """The fields of records in these scopes that hold what looks like a secret, by id; what we cannot open is passed over."""
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
