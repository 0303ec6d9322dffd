"""Whether a word looks like a secret: drawn at random by a machine, or chosen by a person, and not a name, a path or a hash."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gitmem.core.redacting.words import NOTHING

_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Our own ids, ULIDs, mangled names of C++, Rust and Swift, public keys and digests: random to look at, and no secrets.
_PUBLIC = re.compile(
    r"[a-z]-[0-9a-z]{26}(?:\.yaml)?|[0-7][0-9A-HJKMNP-TV-Z]{25}|(?:_Z|__Z|_R[A-Z]|\$s|_\$s).*|AAAA[A-Z][0-9].*|age1[0-9a-z]{58}|sha\d+[-~:=].*"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT.*")
_NAME_PARTS = re.compile(r"^(?:[A-Za-z]{1,12}[_-])+")
_RUN = re.compile(r"[A-Za-z0-9]+")
_STEP = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")

# Two neighbours of a random word are of different classes (small, capital, digit) in 62 % of places with all three, in 40 %
# with one case and digits; in names made of words it is one place in four. The bounds leave three standard deviations at 32.
_MIXED: Final = 0.38
_ONE_CASE: Final = 0.26
_LETTERS: Final = 0.42
# Of one case, in one run of 40 and more; such as base32 with six digits among 32 characters: 30 % less 1.5.
_LONG_RUN: Final = 0.2

_REFERENCE = re.compile(
    r"\$[\w{(].*|%\w+%|\{\{.*|\{[\w.]*\}.*|[*.x\u2022]{3,}|-+|[|>][-+\d]{0,2}|\.\.\.|\[.*|<.*|\(.*|[~./\\].*[/\\].*|~/.*|@\w+\.json|file:.*|env:.*|vault:.*|replace[_-]?(?:me|this)|[\w-]*placeholder[\w-]*"
    r"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*[(\[].*|(?:self|this|os|env|process|config|settings|args|opts|options|params|request|req|ctx|var|local|data|secrets)\..*",
    re.IGNORECASE,
)


_METHOD: Final = re.compile(
    r"(?:scram|s?sha|md|base|utf|[bs]crypt|aes|pbkdf|unicode|o?auth|x?oauth|argon|ldap|v)[\w-]*\d.*|\d{1,3}[-\s]?[a-z]{1,12}|.*[./].*",
    re.IGNORECASE,
)
_LONG: Final = re.compile(r"[\w+/=-]{12,}", re.ASCII)


def is_left(text: str) -> bool:
    """Whether a text holds a word that could still be a token of some vendor; hardly a text without secrets does."""
    return any(_steps(word) >= 4 and is_likely(word) for word in _LONG.findall(text))


@lru_cache(maxsize=16_384)
def is_likely(word: str) -> bool:
    """Whether a word might be a token at all: a cheap look at every long word of a text."""
    if _HEX.fullmatch(word) or _UUID.fullmatch(word):
        return False
    return _steps(word) >= 2 or word.isupper() or re.search("[0-9]", word) is not None


@lru_cache(maxsize=16_384)
def is_random(word: str) -> bool:
    """Whether a word of 20 characters and more was drawn at random. Hashes in hexadecimal and UUIDs do not count."""
    if len(word) < 20 or _HEX.fullmatch(word) or _PUBLIC.fullmatch(word) or _TIME.fullmatch(word) or _UUID.search(word):
        return False
    body = _NAME_PARTS.sub("", word)
    return is_mixed(body, 24) if 16 <= len(body) < len(word) else is_mixed(word, 32)


def is_mixed(word: str, least: int) -> bool:
    """Whether small letters, capitals and digits stand as mixed as in a random word; of one case only in `least` and more."""
    runs = _RUN.findall(word)
    pairs = sum(map(len, runs)) - len(runs)
    if pairs < 12:
        return False
    share = _steps(word) / pairs
    digits = any(map(str.isdigit, word))
    small, capital = any(map(str.islower, word)), any(map(str.isupper, word))
    if small and capital:
        return digits and share >= _MIXED
    bound = _ONE_CASE if len(word) < 40 or len(runs) > 1 else _LONG_RUN
    return digits and len(word) >= least and share >= bound and not any(_HEX.fullmatch(run) for run in runs if len(run) >= 12)


def is_secret(word: str) -> bool:
    """Whether a word that stands where a token would is one: 8 characters and more, no name, path, number, time or code."""
    if len(word) < 8 or is_nothing(word) or _TIME.fullmatch(word):
        return False
    if _UUID.fullmatch(word) or is_hidden_hex(word, 16):
        return True
    if not any(map(str.isdigit, word)):
        return (
            len(word) >= 16 and word.replace("-", "").replace("_", "").isalpha() and _steps(word) >= _LETTERS * (len(word) - 1)
        )
    return _steps(word) >= 3 and any(map(str.isalpha, word)) and not _is_dotted_name(word)


def _steps(word: str) -> int:
    """How often neighbours are of different classes: small letters, capitals, digits."""
    return len(_STEP.findall(word))


def is_nothing(word: str) -> bool:
    """Whether a value says that there is none, or names the place where it is: `null`, `$TOKEN`, `****`, `get_token()`."""
    bare = word.strip("\"'`.,;:!?()[]{}")
    return not bare or bare.lower() in NOTHING or is_reference(word)


def is_chosen(word: str) -> bool:
    """Whether a word of a sentence has letters and digits, and is no word for nothing."""
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word)) and not is_nothing(word)


def is_method(word: str) -> bool:
    """Whether a word says how something is kept, proved or counted: `scram-sha-256`, `OAuth2`, `8-digit`."""
    return _METHOD.fullmatch(word) is not None


def is_reference(word: str) -> bool:
    """Whether a value names the place where the value is: `$TOKEN`, `{{ token }}`, `get_token()`."""
    return _REFERENCE.fullmatch(word) is not None


def is_word(text: str) -> bool:
    """Whether a text is made of letters alone, as words are."""
    return all(part.isalpha() for part in re.split(r"[-_']", text) if part)


def _is_dotted_name(word: str) -> bool:
    """`org.apache.hadoop.FileSystem$2`, `job_1445144423722_0020`: words and numbers joined by marks."""
    parts = [part for part in re.split(r"[._$@:/-]", word) if part]
    return all(part.isalpha() or part.isdigit() for part in parts)


def is_hidden_hex(word: str, least: int) -> bool:
    """Whether a word is a number of at least so many hexadecimal digits."""
    return len(word) >= least and not word.isdigit() and re.fullmatch(r"[0-9a-fA-F]+", word) is not None
