"""Dots: the names of single writes, and how registers spell them.

A dot is `<writer>.<n>`, the n-th write of one writer to one record. A register spells it in one of three ways:

- `k3v9q2xa-1.3` for a sealed value, whose own authentication binds it to the dot;
- `k3v9q2xa-1.3~9f3a1c07` for a value in the clear: the check is a hash of the value and its place in the record, so that a hand
  edit that kept the dot, or took a value with its dot to another field, shows in the file itself;
- `k3v9q2xa-1.3#5b0e77aa` for a second sealed value under one dot (a re-encryption race, or a copied clone).
"""

from __future__ import annotations

import re
from collections import namedtuple
from functools import cache, lru_cache

from gitmem.core.token import epoch_of, epoch_order, is_token
from gitmem.errors import InvalidRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from gitmem.core.record import Json, Register

DOT_KEY: Final = re.compile(r"([a-z0-9]{1,16}-[a-z0-9]{1,16})\.([1-9][0-9]{0,14})(?:([~#])([0-9a-f]{8}))?")
MAX_NESTING: Final = 64


class Dot(namedtuple("Dot", ("writer", "n"))):
    """The name of one write: the `n`-th of `writer` on one record."""

    __slots__ = ()
    writer: str
    n: int

    def __str__(self) -> str:
        return f"{self.writer}.{self.n}"


@lru_cache(4096)  # one writer's numbers are the same on every record
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
    if is_token(value):
        return f'"{value}"'
    if too_deep(value):
        raise InvalidRecord(f"a value is nested more than {MAX_NESTING} deep", "store it as a text, or cite a file with it")
    try:
        text = _encoder()(value)
    except ValueError as error:
        raise InvalidRecord("a number is not finite or too large to be stored", "store it as a text") from error
    return text if text.isprintable() else _without_unprintable(text, value)


@cache
def _encoder() -> Callable[[Json], str]:
    from json import JSONEncoder  # like hashlib below: a merge of sealed values needs neither

    return JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def _without_unprintable(text: str, value: Json) -> str:
    import json

    # Halves of one character, as YAML readers make them of JSON's escapes.
    if re.search("[\ud800-\udbff][\udc00-\udfff]", text):
        return json_line(json.loads(json.dumps(value)))
    unprintable = "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
    return re.sub(unprintable, lambda match: f"\\u{ord(match[0]):04x}", text)


def too_deep(value: Json) -> bool:
    """Whether lists and objects are nested more than MAX_NESTING deep in `value`."""
    if not isinstance(value, list | dict):
        return False
    level: list[Json] = [value]
    for _ in range(MAX_NESTING + 1):
        containers = [item for item in level if isinstance(item, list | dict)]
        if not containers:
            return False
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    return True


def short_hash(*parts: str) -> str:
    """Eight hex digits that stand for `parts` (SHA-256, parts joined by NUL)."""
    return long_hash(*parts)[:8]


def long_hash(*parts: str) -> str:
    """The SHA-256 of `parts`, joined by NUL, in hex digits."""
    from hashlib import sha256

    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


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
    texts = {json_line(value): value for value in values}
    bare = sorted(text for text, value in texts.items() if path == "life" or is_token(value))
    newest = max((_order(texts[text]) for text in bare), default=None)
    kept = [text for text in bare if _order(texts[text]) == newest]
    entries: Register = {}
    for position, text in enumerate(kept):
        entries[f"{dot}#{short_hash(text)}" if position else str(dot)] = texts[text]
    for text in texts.keys() - bare:
        entries[checked(path, str(dot), texts[text])] = texts[text]
    return entries


def _order(value: Json) -> tuple[int, str]:
    return epoch_order(epoch_of(str(value)))
