"""The store's configuration: a plain record, merged by the same algebra as everything else.

Its id is the id of the store, so that two stores can never be taken for one another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from gitmem.core.codec import parse
from gitmem.core.record import MAX_BYTES, Json, State
from gitmem.core.redacting.placeholder import KINDS
from gitmem.errors import InvalidRecord, NoStore
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import CONFIG, STORE_SCOPE

KIND: Final = "config"
SEALED: Final = "sealed"
PLAIN: Final = "plain"
PSEUDONYMS: Final = "privacy.pseudonyms"
ON: Final = "on"
OFF: Final = "off"
REPLACE: Final = "replace"
KEEP: Final = "keep"
MOST: Final = 36_500
"""The largest number a setting may be: a hundred years in days."""


class StoreConfig(NamedTuple):
    """What `.gitmem/config.yaml` says. `values` holds every setting by name, of concurrent ones that with the smallest dot."""

    state: State
    values: dict[str, Json]

    @property
    def store(self) -> str:
        """The id of the store."""
        return self.state.id

    @property
    def plain(self) -> bool:
        """Whether values stand in the clear. Sealed wins over plain: a downgrade is never taken by accident."""
        modes = set(map(str, self.state.fields.get("encryption", {}).values()))
        return modes == {PLAIN}

    @property
    def pseudonyms(self) -> bool:
        """Whether commits name nobody. Where two disagree, they name nobody."""
        return ON in self.state.fields.get(PSEUDONYMS, {}).values()

    @property
    def kept(self) -> frozenset[str]:
        """The kinds of secrets and personal data that are not redacted here. Where two disagree, redacting wins."""
        registers = ((kind, self.state.fields.get(redact_setting(kind), {})) for kind in KINDS)
        return frozenset(kind for kind, register in registers if set(map(str, register.values())) == {KEEP})

    def number(self, name: str, default: int) -> int:
        """A setting that is a whole number up to `MOST`; of concurrent ones the largest, `default` where there is none."""
        values = self.state.fields.get(name, {}).values()
        return max((value for value in values if type(value) is int and 0 <= value <= MOST), default=default)

    @property
    def retired(self) -> frozenset[str]:
        """The replicas that nobody waits for any more."""
        registers = self.state.sets.get("retired", {}).values()
        return frozenset(str(value) for register in registers for value in register.values())


def redact_setting(kind: str) -> str:
    """The name of the setting that says what becomes of a kind of secret or personal data."""
    return f"redact.{kind}"


def load_config(root: Path) -> StoreConfig:
    """Read the configuration of the store at `root`. Raises NoStore when there is none, InvalidRecord when it is damaged."""
    data = read_bounded(inside(root, CONFIG), MAX_BYTES)
    if data is None:
        raise NoStore(f"{root} holds no gitmem store", "`gitmem init` makes one here, `gitmem clone URL` fetches the team's")
    state = parse(data, CONFIG)
    if (state.kind, state.scope) != (KIND, STORE_SCOPE):
        raise InvalidRecord(
            f"{CONFIG} is a {state.kind} of scope {state.scope}, not a store's configuration", "`gitmem doctor`"
        )
    values = {name: min(register.items())[1] for name, register in state.fields.items() if register}
    return StoreConfig(state, values)
