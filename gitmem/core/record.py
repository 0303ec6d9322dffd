"""The state of one record: what a record file holds, as a value.

Everything that changes is kept in one of five containers, and the container alone says how it merges (`core.merge`).
The leaves of `fields`, `sets` and `life` are *registers*: a map from the dot of a write to what it wrote. One entry is the
usual case; several entries are siblings, concurrent values that wait for a person.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # git starts the merge driver once a file; `typing` alone is a fifth of what that costs
if TYPE_CHECKING:
    from collections.abc import Iterator
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


class State:
    """One record as it is stored, values sealed (or in the clear in a plain store).

    `seen` is a version vector: writer -> highest number of its writes this state includes. `fields` and `sets` hold registers
    by dotted field name (and element key), `life` one register of `alive`/`dead`, `counts` one grow-only counter per writer,
    `last` the latest RFC 3339 UTC time of something. A container that is not given is a new, empty one.
    """

    # Written out, for making a dataclass costs every process 8 ms.
    __slots__ = ("kind", "schema", "scope", "id", "seen", "fields", "sets", "life", "counts", "last")  # noqa: RUF023 (as in a file)
    # The data model's spelling of "it can change, so it has no hash"; typeshed knows methods only.
    __hash__ = None  # type: ignore[assignment]

    def __init__(  # noqa: PLR0913, PLR0917 (one for each part of a file)
        self,
        kind: str,
        schema: int,
        scope: str,
        id: str,  # noqa: A002 (the name it has in a file)
        seen: dict[str, int] | None = None,
        fields: dict[str, Register] | None = None,
        sets: dict[str, dict[str, Register]] | None = None,
        life: Register | None = None,
        counts: dict[str, dict[str, int]] | None = None,
        last: dict[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.schema = schema
        self.scope = scope
        self.id = id
        self.seen: dict[str, int] = {} if seen is None else seen
        self.fields: dict[str, Register] = {} if fields is None else fields
        self.sets: dict[str, dict[str, Register]] = {} if sets is None else sets
        self.life: Register = {} if life is None else life
        self.counts: dict[str, dict[str, int]] = {} if counts is None else counts
        self.last: dict[str, str] = {} if last is None else last

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

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
