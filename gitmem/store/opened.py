"""A record as its reader sees it: values opened, siblings found, equal ones collapsed."""

from __future__ import annotations

from typing import NamedTuple

from gitmem.core.dots import Dot, dot_of, json_line, spell
from gitmem.core.record import Json, Register, State
from gitmem.core.token import epoch_of, epoch_order, is_token
from gitmem.store.vault import Vault


class Sibling(NamedTuple):
    """One of several concurrent values of a field: the register key it stands under, and the value."""

    key: str
    value: Json


class Opened(NamedTuple):
    """A record's values in the clear.

    `fields` holds one value per dotted field name: the only one, or of several the one written last by (number, writer),
    which says nothing about time and is just the same choice everywhere. `conflicts` holds all of them where they differ.
    """

    state: State
    fields: dict[str, Json]
    sets: dict[str, list[Json]]
    conflicts: dict[str, list[Sibling]]


def open_state(vault: Vault, state: State) -> Opened:
    """Open every value of `state`. Raises NoKey without the scope's key, Tampered for a value that does not authenticate."""
    fields: dict[str, Json] = {}
    conflicts: dict[str, list[Sibling]] = {}
    for name, register in state.fields.items():
        siblings = _siblings(vault, state, f"fields/{name}", register)
        fields[name] = siblings[-1].value
        if len(siblings) > 1:
            conflicts[name] = siblings
    sets = {name: _elements(vault, state, name, elements) for name, elements in state.sets.items()}
    return Opened(state, fields, {name: values for name, values in sets.items() if values}, conflicts)


def resealed(vault: Vault, state: State) -> State:
    """`state` with every value sealed in the scope's newest epoch, under the dots they have; itself where all are.

    Whoever does it gets the same tokens. Raises NoKey without the newest key, or without that of a value.
    """
    newest = vault.newest_epoch(state.scope)
    old = {path for path, register in state.registers() if any(_is_older(value, newest) for value in register.values())}
    if not old:
        return state
    result, sealer = state.copy(), vault.sealer(state.scope, state.kind, state.id, newest)
    for path, register in result.registers():
        if path in old:
            values: dict[Dot, list[Json]] = {}
            for key, value in register.items():
                dot = dot_of(key)
                older = _is_older(value, newest)
                again = sealer.seal_alike(path, str(dot), vault.open(state, path, key, value)) if older else value
                values.setdefault(dot, []).append(again)
            register.clear()
            for dot, several in values.items():
                register.update(spell(path, dot, several))
    return result


def _is_older(value: Json, newest: str) -> bool:
    return is_token(value) and epoch_order(epoch_of(str(value))) < epoch_order(newest)


def _siblings(vault: Vault, state: State, path: str, register: Register) -> list[Sibling]:
    """The distinct values of a register, in an order that is the same on every replica."""
    ordered = sorted(register, key=lambda key: (dot_of(key).n, dot_of(key).writer, key))
    distinct: dict[str, Sibling] = {}
    for key in ordered:
        value = vault.open(state, path, key, register[key])
        distinct.setdefault(json_line(value), Sibling(key, value))
    return list(distinct.values())


def _elements(vault: Vault, state: State, name: str, elements: dict[str, Register]) -> list[Json]:
    values: dict[str, Json] = {}
    for key, register in elements.items():
        for dot, stored in register.items():
            value = vault.open(state, f"sets/{name}/{key}", dot, stored)
            values[json_line(value)] = value
    return [values[text] for text in sorted(values)]
