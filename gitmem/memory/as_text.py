"""Records as git shows them: the text behind `diff=gitmem`, for `git diff`, `git show` and `git log -p`.

git starts a program for each file, so no store is opened for it: the keys are looked for, and that somebody read is noted.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.core.dots import json_line
from gitmem.core.record import Json, State
from gitmem.core.token import is_token
from gitmem.crypto.lookup import find_identities
from gitmem.errors import GitmemError
from gitmem.memory.auditing import acts
from gitmem.store.config import load_config
from gitmem.store.place import Place, find_place, local_of
from gitmem.store.vault import Vault

_SEALED = "(sealed)"


def text_of(data: bytes, where: str, start: Path, now: datetime) -> str:
    """A record file as text: values in the clear where the store at `start` has a key at hand, else `(sealed)`.

    What was opened is noted as read at `now`. Raises InvalidRecord for what is no record.
    """
    state = parse(data, where)
    lines = [f"{state.kind} {state.id} ({state.scope}){'' if state.alive else ', forgotten'}"]
    place = _place(start)
    vault = place and _vault(place)
    values = [
        (path.split("/")[1], _legible(vault, state, path, key, value))
        for path, register in sorted(state.registers())
        for key, value in sorted(register.items())
    ]
    if place and any(value != _SEALED for _, value in values):
        acts.note_read_by_git(local_of(place.repo), now, state.id)
    lines += [f"{name}: {value}" for name, value in values]
    lines += [f"{name} {state.total(name)}" for name in sorted(state.counts)]
    return "\n".join(lines) + "\n"


def _place(start: Path) -> Place | None:
    try:
        return find_place(start)
    except GitmemError:
        return None


def _vault(place: Place) -> Vault | None:
    try:
        config = load_config(place.root)
    except GitmemError:
        return None
    return Vault(place.root, config.store, config.plain, find_identities())


def _legible(vault: Vault | None, state: State, path: str, key: str, value: Json) -> str:
    try:
        opened = value if vault is None else vault.open(state, path, key, value)
    except GitmemError:
        opened = value
    if is_token(opened):
        return _SEALED
    return opened.replace("\n", "\n    ") if isinstance(opened, str) else json_line(opened)
