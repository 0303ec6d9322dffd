"""The state of one record: what a record file holds, as a value.

Everything that changes is kept in one of five containers, and the container alone says how it merges (`core.merge`).
The leaves of `fields`, `sets` and `life` are *registers*: a map from the dot of a write to what it wrote. One entry is the
usual case; several entries are siblings, concurrent values that wait for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Register: TypeAlias = "dict[str, Json]"

FORMAT: Final = 1
ALIVE: Final = "alive"
DEAD: Final = "dead"
MAX_BYTES: Final = 1 << 20
MAX_NUMBER: Final = 10**15 - 1  # of a write or a counter: fifteen digits, which every JSON reader holds exactly

KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
SCOPE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}(?:/[a-z0-9][a-z0-9_-]{0,63})?")
RECORD_ID: Final = re.compile(r"[a-z]-[a-z0-9][a-z0-9_-]{0,63}")
WRITER: Final = re.compile(r"[a-z0-9]{1,16}-[a-z0-9]{1,16}")
# YAML 1.1 readers take these for booleans or null, so that no name of ours may be one of them.
RESERVED: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(slots=True)
class State:
    """One record as it is stored, values sealed (or in the clear in a plain store).

    `seen` is a version vector: writer -> highest number of its writes this state includes. `fields` and `sets` hold registers
    by dotted field name (and element key), `life` one register of `alive`/`dead`, `counts` one grow-only counter per writer,
    `last` the latest RFC 3339 UTC time of something.
    """

    kind: str
    schema: int
    scope: str
    id: str
    seen: dict[str, int] = field(default_factory=dict)
    fields: dict[str, Register] = field(default_factory=dict)
    sets: dict[str, dict[str, Register]] = field(default_factory=dict)
    life: Register = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)

    def copy(self) -> State:
        """An independent copy; values themselves are never changed in place and are shared."""
        return State(
            self.kind,
            self.schema,
            self.scope,
            self.id,
            dict(self.seen),
            {name: dict(register) for name, register in self.fields.items()},
            {name: {key: dict(r) for key, r in elements.items()} for name, elements in self.sets.items()},
            dict(self.life),
            {name: dict(by_writer) for name, by_writer in self.counts.items()},
            dict(self.last),
        )

    @property
    def alive(self) -> bool:
        """Whether the record stands: a concurrent edit outlives a deletion, a record without any life entry is a fragment."""
        return ALIVE in self.life.values() or not self.life

    @property
    def contested(self) -> bool:
        """Whether one replica deleted the record while another edited it."""
        return len(set(map(str, self.life.values()))) > 1

    def registers(self) -> Iterator[tuple[str, Register]]:
        """Every register of values with its path: `fields/<name>` or `sets/<name>/<key>`."""
        for name, register in self.fields.items():
            yield f"fields/{name}", register
        for name, elements in self.sets.items():
            for key, register in elements.items():
                yield f"sets/{name}/{key}", register

    def total(self, counter: str) -> int:
        """The sum of one counter over all writers."""
        return sum(self.counts.get(counter, {}).values())


def name_problem(what: str, name: str, shape: re.Pattern[str]) -> str | None:
    """Why `name` may not be used as a kind, scope or id (None: it may). Names become paths, so nothing else is let through."""
    if not shape.fullmatch(name):
        return f"{what} {name[:80]!r} is not of the form {shape.pattern}"
    if RESERVED.intersection(name.split("/")):
        return f"{what} {name!r} is a word that YAML reads as a boolean"
    return None
