"""Words of a text, and how much each of them says.

One definition of a word serves the index, the queries and the scoring: a run of letters and digits, without case and
without diacritics. Masking (see `mask`) comes before it, where it is wanted.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from gitmem.core.recall.background import RATES

MAX_WORD: Final = 64  # characters; what is longer is data, not a word

# POSIX error names and what strerror(3) says for them: programs print the one or the other.
ERRNO: Final = {
    "eacces": "permission denied",
    "eaddrinuse": "address already in use",
    "eaddrnotavail": "cannot assign requested address",
    "eagain": "resource temporarily unavailable",
    "ebusy": "device or resource busy",
    "econnaborted": "software caused connection abort",
    "econnrefused": "connection refused",
    "econnreset": "connection reset by peer",
    "eexist": "file exists",
    "ehostunreach": "no route to host",
    "einval": "invalid argument",
    "eio": "input output error",
    "eisdir": "is a directory",
    "eloop": "too many levels of symbolic links",
    "emfile": "too many open files",
    "enametoolong": "file name too long",
    "enetunreach": "network is unreachable",
    "enoent": "no such file or directory",
    "enoexec": "exec format error",
    "enomem": "cannot allocate memory",
    "enospc": "no space left on device",
    "enotconn": "transport endpoint is not connected",
    "enotdir": "not a directory",
    "enotempty": "directory not empty",
    "enotfound": "name or service not known",
    "eperm": "operation not permitted",
    "epipe": "broken pipe",
    "erofs": "read only file system",
    "etimedout": "connection timed out",
    "etxtbsy": "text file busy",
    "exdev": "invalid cross device link",
}

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"<[a-z]{1,4}>|[^\W_]+")


def fold(text: str) -> str:
    """`text` without case and diacritics, for comparing: `Über` and `uber` are one."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def words(text: str) -> list[str]:
    """The words of `text` in order, folded; the name of a POSIX error brings its description along."""
    found = [word for word in _WORD.findall(fold(text)) if len(word) <= MAX_WORD]
    return found + [word for name in set(found) & ERRNO.keys() for word in ERRNO[name].split()]


def tokens(masked: str) -> list[str]:
    """The words and placeholders of a masked text in order; the name of a POSIX error is followed by its description."""
    found: list[str] = []
    for token in _TOKEN.findall(fold(masked)):
        if len(token) <= MAX_WORD:
            found.append(token)
            found += ERRNO.get(token, "").split()
    return found


class Rarity:
    """How much a word says: about 1 for a word nobody has seen, near 0 for boilerplate.

    `frequencies` counts the records that hold a word, `total` the records. Both are blended with the background rates as
    if `PRIOR` further records had been seen, so that a small store does not take "not found" for something special.
    """

    PRIOR = 300.0
    UNSEEN = 0.0005  # rate of a word that the background does not know
    SPREAD = 12.0  # an error text is many messages long: its words are that much more common than a message's
    PLACEHOLDER = 0.1
    LEAST = 0.05
    SHARPNESS = 1.5

    def __init__(self, frequencies: Mapping[str, int], total: int) -> None:
        self.frequencies = frequencies
        self.total = total
        self._known: dict[str, float] = {}

    def __call__(self, token: str) -> float:
        """The weight of a word or placeholder, 0..1."""
        weight = self._known.get(token)
        if weight is None:
            weight = self._known[token] = self._weigh(token)
        return weight

    def _weigh(self, token: str) -> float:
        if token.startswith("<"):
            return self.PLACEHOLDER
        rate = min(1.0, RATES.get(token, 0.0) * self.SPREAD + self.UNSEEN)
        records = self.total + self.PRIOR
        seen = self.frequencies.get(token, 0) + self.PRIOR * rate
        most = math.log(records / (1 + self.PRIOR * self.UNSEEN))
        return float(min(1.0, max(self.LEAST, math.log(records / seen) / most)) ** self.SHARPNESS)
