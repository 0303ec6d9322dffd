"""Records as people read them."""

from __future__ import annotations

from collections.abc import Callable

from gitmem.core.codec import parse
from gitmem.core.dots import json_line
from gitmem.core.record import Json, State
from gitmem.core.schema import Kind
from gitmem.core.token import is_token
from gitmem.core.usage import usage_of
from gitmem.errors import GitmemError
from gitmem.memory.results import Record, Value
from gitmem.store.opened import Opened
from gitmem.store.vault import Vault

Author = Callable[[str], tuple[str, str] | None]
"""Who wrote a dot and when, or None if the log does not say (yet)."""


def record_of(opened: Opened, kind: Kind, *, created: bool = False, author: Author = lambda _: None) -> Record:
    """The public value of an opened record."""
    state = opened.state
    nested = kind.join(opened.fields, opened.sets)
    conflicts = {
        name: [Value(s.key, s.value, *(author(s.key) or (None, None))) for s in siblings]
        for name, siblings in opened.conflicts.items()
    }
    return Record(
        id=state.id,
        kind=state.kind,
        scope=state.scope,
        schema=state.schema,
        fields={name: value for name, value in nested.items() if name not in opened.sets},
        sets=opened.sets,
        usage=usage_of(state),
        alive=state.alive,
        conflicts=conflicts,
        contested=state.contested,
        created=created,
    )


def sealed_record(state: State) -> Record:
    """What can be told of a record that no key at hand opens: that it is there, and how it was used."""
    return Record(
        id=state.id,
        kind=state.kind,
        scope=state.scope,
        schema=state.schema,
        fields={},
        sets={},
        usage=usage_of(state),
        alive=state.alive,
        conflicts={},
        contested=state.contested,
        sealed=True,
    )


def text_of(data: bytes, where: str) -> str:
    """A record file as text for `git diff` and `git log -p`: values in the clear where a key is at hand, else `(sealed)`.

    Raises InvalidRecord for what is no record.
    """
    state = parse(data, where)
    lines = [f"{state.kind} {state.id} ({state.scope}){'' if state.alive else ', forgotten'}"]
    vault = _vault_at_hand()
    for path, register in sorted(state.registers()):
        name = path.split("/")[1]
        values = [_legible(vault, state, path, key, value) for key, value in sorted(register.items())]
        lines += [f"{name}: {value}" for value in values]
    lines += [f"{name} {state.total(name)}" for name in sorted(state.counts)]
    return "\n".join(lines) + "\n"


def _vault_at_hand() -> Vault | None:
    from pathlib import Path

    from gitmem.crypto.lookup import find_identities
    from gitmem.store.config import load_config
    from gitmem.store.place import find_root

    try:
        root = find_root(Path.cwd())
        config = load_config(root)
    except GitmemError:
        return None
    return Vault(root, config.store, config.plain, find_identities())


def _legible(vault: Vault | None, state: State, path: str, key: str, value: Json) -> str:
    try:
        opened = value if vault is None else vault.open(state, path, key, value)
    except GitmemError:
        opened = value
    if is_token(opened):
        return "(sealed)"
    return opened.replace("\n", "\n    ") if isinstance(opened, str) else json_line(opened)
