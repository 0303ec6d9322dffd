"""Dots: the names of single writes, and how registers spell them.

A dot is `<writer>.<n>`, the n-th write of one writer to one record. A register spells it in one of three ways:

- `k3v9q2xa-1.3` for a sealed value, whose own authentication binds it to the dot;
- `k3v9q2xa-1.3~9f3a1c07` for a value in the clear: the check is a hash of the value and its place in the record, so that a hand
  edit that kept the dot, or took a value with its dot to another field, shows in the file itself;
- `k3v9q2xa-1.3#5b0e77aa` for a second sealed value under one dot (a re-encryption race, or a copied clone).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from gitmem.core.record import Json, Register
from gitmem.core.token import epoch_of, epoch_order, is_token
from gitmem.errors import InvalidRecord

DOT_KEY: Final = re.compile(r"([a-z0-9]{1,16}-[a-z0-9]{1,16})\.([1-9][0-9]{0,14})(?:([~#])([0-9a-f]{8}))?")
MAX_NESTING: Final = 64

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_SURROGATE_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Dot(NamedTuple):
    """The name of one write: the `n`-th of `writer` on one record."""

    writer: str
    n: int

    def __str__(self) -> str:
        return f"{self.writer}.{self.n}"


def dot_of(key: str) -> Dot:
    """The dot that a register key spells. Raises ValueError for anything else."""
    match = DOT_KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key[:60]!r} is not a dot")
    return Dot(match[1], int(match[2]))


def json_line(value: Json) -> str:
    """The one spelling of a JSON value on one line: sorted keys, no spaces, nothing a YAML reader would fold.

    Raises InvalidRecord for what could not be read back: a number that is not finite or has thousands of digits, or lists and
    objects nested more than 64 deep (Python's own limit depends on who calls: one program could not read what another wrote).
    """
    if too_deep(value):
        raise InvalidRecord(f"a value is nested more than {MAX_NESTING} deep", "store it as a text, or cite a file with it")
    try:
        text = _ENCODER.encode(value)
    except ValueError as error:
        raise InvalidRecord("a number is not finite or too large to be stored", "store it as a text") from error
    if _SURROGATE_PAIR.search(text):  # halves of one character, as YAML readers make them of JSON's escapes
        return json_line(json.loads(json.dumps(value)))
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def too_deep(value: Json) -> bool:
    """Whether lists and objects are nested more than MAX_NESTING deep in `value`."""
    level = [value]
    for _ in range(MAX_NESTING + 1):
        containers = [item for item in level if isinstance(item, list | dict)]
        if not containers:
            return False
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    return True


def short_hash(*parts: str) -> str:
    """Eight hex digits that stand for `parts` (SHA-256, parts joined by NUL)."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def checked(path: str, dot: str, value: Json) -> str:
    """The register key for `value` in the clear written as `dot` in the register at `path`."""
    return f"{dot}~{short_hash(path, json_line(value))}"


def key_for(path: str, dot: str, value: Json) -> str:
    """The register key for a single value written as `dot`: with a check where the value does not authenticate itself."""
    return dot if is_token(value) else checked(path, dot, value)


def spell(path: str, dot: Dot, values: Iterable[Json]) -> Register:
    """The canonical register entries for the concurrent values of one dot in the register at `path`.

    Sealed values of an older epoch give way to the highest (they are the same value before a re-encryption). The smallest
    remaining value takes the bare dot, the others a hash; values in the clear always carry their check, except in `life`,
    whose two words need none.
    """
    plain_keys = path == "life"
    texts = {json_line(value): value for value in values}
    sealed = sorted((t for t, v in texts.items() if plain_keys or is_token(v)), key=lambda t: (_order(texts[t]), t))
    newest = [t for t in sealed if _order(texts[t]) == _order(texts[sealed[-1]])]
    entries: Register = {}
    for position, text in enumerate(newest):
        entries[str(dot) if position == 0 else f"{dot}#{short_hash(text)}"] = texts[text]
    for text in sorted(texts.keys() - sealed):
        entries[checked(path, str(dot), texts[text])] = texts[text]
    return entries


def _order(value: Json) -> tuple[int, str]:
    return epoch_order(epoch_of(value)) if isinstance(value, str) else (0, "")
