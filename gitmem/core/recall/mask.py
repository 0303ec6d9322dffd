"""Volatile parts of an error text, replaced by placeholders.

Two runs of one failure differ in paths, numbers, hashes, addresses and times. `mask` makes them equal, on the learnt
side and on the asked side alike. The text is cut into chunks at spaces, quotes and brackets, and each chunk is looked at
by itself: the work is linear in the text, whatever the text is (it comes from programs, logs and other people).

Placeholders, stable because stored words depend on them:
`<url> <path> <host> <mail> <time> <mac> <uuid> <hex> <id> <q> <n>`; `<q>` is one quoted word,
`<host>` a name or an address.
Left alone because they tell errors apart: error codes (`E11000`, `ORA-01017`), numbers right after a word such as
`errno`, `status` or `code`, one digit inside a word (`utf8`), and quoted text of several words.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.core.escapes import ESCAPES
from gitmem.core.redacting.redact import comparable

MAX_CHUNK: Final = 512  # characters; a longer chunk holds no words a person would know it by

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control, zero-width and direction characters carry no meaning and can hide text.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_SPACES = re.compile(r"[ \t\xa0]+")

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[AP]M\b)?"
_TIMES = re.compile(
    rf"\b\d{{4}}[-/]\d\d[-/]\d\d(?:[T ]{_CLOCK}(?:Z| ?[+-]\d\d:?\d\d)?)?(?!\w)"
    rf"|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_MONTHS})  ?\d{{1,2}}(?: \d{{4}})?(?: {_CLOCK})?(?: \d{{4}})?(?![\w-])"
    rf"|\b\d{{1,2}}[ /](?:{_MONTHS})[ /]\d{{4}}(?:[: ]{_CLOCK}(?: [+-]\d{{4}})?)?(?!\w)"
    rf"|\b{_CLOCK}(?![\w:])"
)
_PIECES = re.compile(
    r"(?P<keep>(?<!\w)(?i:err(?:no|or)?|code|status|signal|sqlstate|http(?:/\d(?:\.\d)?)?)[ =:#\[(]{1,3}-?\d{1,6}(?!\w))"
    r"|(?P<known><[a-z]{1,4}>)"
    r"|(?P<url>(?<![\w.+-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\"'`<>]{0,2047}[^\s\"'`<>.,;:!?)\]])"
    r"|(?<!\w)(?:'[^\s\"`]{1,256}?'|\"[^\s\"]{1,256}\"|`[^\s`']{1,256}[`']|[\u2018\u201c\xab][^\s\u2019\u201d\xbb]{1,256}[\u2019\u201d\xbb])(?!\w)"
    r"|(?P<chunk>[^\s\"'`()\[\]{}<>,;|=\u2018\u2019\u201c\u201d\xab\xbb]+)"
)

_EXTENSIONS = (
    "py|pyc|pyi|js|mjs|cjs|jsx|ts|tsx|json|ya?ml|toml|ini|cfg|conf|lock|log|txt|md|rst|html?|css|scss|xml|csv|tsv|sql|db"
    "|c|cc|cpp|cxx|h|hpp|hh|o|a|so|dll|dylib|exe|go|rs|java|jar|class|kt|scala|swift|rb|php|pl|pm|lua|sh|bash|zsh|fish"
    "|tf|proto|gradle|bin|img|iso|tar|gz|tgz|bz2|xz|zip|deb|rpm|whl|pem|crt|key|pid|sock|service|patch|diff|tmp|bak|env"
)
_DOMAINS = "com|org|net|io|dev|local|internal|lan|cloud|app|edu|gov|info|de|uk|fr|ru|cn|jp|eu|example|test|invalid"
_UNITS = r"%|[kKMGTP]i?[bB]?(?:/s)?|[bB]|ns|us|µs|ms|s|m|h|d|secs?|mins?|x|px|[kMG]?Hz"

# The first that fits the whole chunk wins.
_CHUNKS: Final = tuple(
    (name, re.compile(expression))
    for name, expression in (
        ("<uuid>", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        ("<mac>", r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}"),
        ("<host>", r"/?\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?"),
        ("<host>", r"(?=.*::|(?:.*:){7})[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,8}(?:%\w+|/\d{1,3})?"),
        ("<n>", rf"[-+#v]?\d+(?:[.,:/x-]\d+)*(?:{_UNITS})?"),
        ("<hex>", r"0[xX][0-9a-fA-F]+|(?=.*\d)(?=.*[a-fA-F])[0-9a-fA-F]{7,128}"),
        ("<mail>", r"[\w.+-]+@[A-Za-z][\w.-]*(?::.*)?"),
        ("<path>", r"(?=.*\w).*[/\\].*|~\w*"),
        ("<path>", rf"[\w.+-]*\w\.(?:{_EXTENSIONS})(?:\.\d+)*(?::\d+)*"),
        ("<host>", rf"(?:[\w-]+\.)+(?:{_DOMAINS})(?::\d+)?|localhost:\d+"),
        ("<id>", r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{20,}"),
    )
)
_PLAIN = re.compile(r"[A-Za-z_-]+")
_CODE = re.compile(r"[A-Z]{1,6}-?\d{2,6}")
_DIGITS = re.compile(r"\d[\d.]*\d|(?<![^\W_])-?\d+")
_TAIL = ".:!?"
_CACHE_LIMIT = 65_536


def clean(text: str) -> str:
    """`text` without terminal escapes and control characters, spaces folded, blank lines gone, one `\\n` between lines."""
    text = _NEWLINES.sub("\n", ESCAPES.sub("", text))
    text = _SPACES.sub(" ", _CONTROLS.sub("", text))
    return "\n".join(line for line in map(str.strip, text.split("\n")) if line)


def mask(text: str) -> str:
    """`clean(text)` with its volatile parts replaced by placeholders (see the module's text). Idempotent.

    A text that was redacted and the same text as it was printed are masked alike.
    """
    return _PIECES.sub(_Masker(), _TIMES.sub("<time>", clean(comparable(text))))


class _Masker:
    """The replacement of one piece; remembers chunks, because logs repeat theirs."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, piece: re.Match[str]) -> str:
        chunk = piece["chunk"]
        if chunk is None:
            return "<url>" if piece["url"] else piece[0] if piece["keep"] or piece["known"] else "<q>"
        masked = self._seen.get(chunk)
        if masked is None:
            masked = mask_chunk(chunk)
            if len(self._seen) < _CACHE_LIMIT:
                self._seen[chunk] = masked
        return masked


def mask_chunk(chunk: str) -> str:
    """One chunk without spaces or quotes, masked; punctuation at its end stays."""
    if _PLAIN.fullmatch(chunk):
        return chunk
    body = chunk.rstrip(_TAIL)
    tail = chunk[len(body) :]
    if len(body) > MAX_CHUNK:
        return "<id>" + tail
    if _CODE.fullmatch(body):
        return chunk
    for placeholder, expression in _CHUNKS:
        if expression.fullmatch(body):
            return placeholder + tail
    return _DIGITS.sub("<n>", body) + tail
