"""What a `pattern` record matches: literal text, text with `<*>` wildcards, or a `/regular expression/`.

Literal and wildcard patterns are compared as text of whole words, without case, first as written and then with volatile
parts masked on both sides (see `mask`); they may span lines. `<*>` stands for anything within a line, and alone on a line
for any number of lines. A text is a regular expression if it is one line between two slashes; it sees the text as it is,
without colours and with spaces folded, and `^` and `$` mean a line's ends.

Regular expressions come from a shared repository, that is from other people: they are run by the `regex` module under a
timeout, and their size is capped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from gitmem.core.recall.literals import required_text
from gitmem.core.recall.mask import clean, mask
from gitmem.core.recall.reading import Reading, read
from gitmem.core.recall.terms import fold, words
from gitmem.core.redacting.placeholder import PLACEHOLDER
from gitmem.errors import InvalidRecord

Kind = Literal["literal", "wildcard", "regex"]

WILDCARD: Final = "<*>"
MAX_EXPRESSION: Final = 1_000  # characters of a regular expression
TIMEOUT: Final = 0.05  # seconds one regular expression may run
_MAX_REPEAT: Final = 1_000  # the product of nested counts: `(a{100}){100}` compiles to 10,000 states
_ENOUGH_LETTERS: Final = 6
_ORDINARY_TEXT: Final = "The quick brown fox, 12 lazy dogs.\nerror: it failed (code 3) at /usr/bin/x.c:40 in 'main'"
_PLACEHOLDER = re.compile(r"<[a-z]{1,4}>")
_BESIDE_WILDCARD = re.compile(r"[^\W_]*<\*>[^\W_]*")  # what touches a wildcard may be part of a longer word
_COUNT = re.compile(r"\{(\d{0,6}),?(\d{0,6})\}")


class Found(NamedTuple):
    """Where a pattern was found: `part` is what the pattern itself says of it, `region` the lines it touches."""

    part: str
    region: str
    exact: bool  # as written, nothing masked


def parse(text: str) -> Pattern:
    """The pattern that `text` spells. Raises InvalidRecord if it is empty or no usable regular expression."""
    stripped = text.strip()
    if not stripped:
        raise InvalidRecord("the pattern is empty", "give the text of the error: gitmem learn --pattern TEXT --fix FIX")
    if len(stripped) > 2 and stripped[0] == stripped[-1] == "/" and "\n" not in stripped:
        pattern = Pattern(stripped[1:-1], "regex")
        pattern.check()
        return pattern
    return Pattern(stripped, "wildcard" if WILDCARD in stripped else "literal")


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern. `text` is what stands in the record, without the slashes of a regular expression."""

    text: str
    kind: Kind

    def check(self) -> None:
        """Raise InvalidRecord if this is a regular expression that cannot or should not be run."""
        hint = "write the text of the error instead, with <*> for what varies"
        if len(self.text) > MAX_EXPRESSION:
            raise InvalidRecord(f"the regular expression has more than {MAX_EXPRESSION} characters", hint)
        counts = 1
        for low, high in _COUNT.findall(self.text):
            counts *= max(1, int(low or 1), int(high or 1))
        if counts > _MAX_REPEAT:
            raise InvalidRecord(f"the regular expression repeats more than {_MAX_REPEAT} times", hint)
        import regex

        try:
            empty = self._compiled.search("", timeout=TIMEOUT)
        except (regex.error, RecursionError, OverflowError) as error:
            raise InvalidRecord(f"the regular expression /{self.text}/ is not valid: {error}", hint) from error
        except TimeoutError as error:
            raise InvalidRecord(f"the regular expression /{self.text}/ takes too long", hint) from error
        if empty:
            raise InvalidRecord(f"the regular expression /{self.text}/ matches everything, even no text at all", hint)

    def words(self) -> list[str]:
        """Words that any text it matches must contain, folded, for looking candidates up; may be none."""
        if self.kind == "regex":
            return words(required_text(self._expression))
        return self._masked_words or words(_BESIDE_WILDCARD.sub(" ", self._plain))

    def specificity(self) -> float:
        """How much of a match the pattern itself decides, 0..1: next to nothing for `/.+/`, all for literal text."""
        if self.kind != "regex" or not self._finds(_ORDINARY_TEXT):
            return 1.0
        letters = sum(map(str.isalnum, required_text(self._expression, whole_words=False)))
        return min(1.0, letters / _ENOUGH_LETTERS)

    def match(self, text: str) -> bool:
        """Whether `text`, raw as a program printed it, contains this pattern."""
        return self.find(read(text)) is not None

    def find(self, query: Reading, timeout: float = TIMEOUT) -> Found | None:
        """Where `query` contains this pattern. A regular expression that takes longer than `timeout` finds nothing."""
        if self.kind == "regex":
            return self._search(query, timeout)
        plain = _find_lines(self._plain, query.plain)
        if plain:
            return Found(_said(self._plain), query.masked[_same_lines(query.plain, query.masked, *plain)], exact=True)
        if not self._masked_words:
            return None
        masked = _find_lines(self._masked, query.masked)
        return Found(_said(self._masked), query.masked[slice(*masked)], exact=False) if masked else None

    def _search(self, query: Reading, timeout: float) -> Found | None:
        try:
            found = self._compiled.search(query.text, timeout=timeout)
        except TimeoutError:
            return None
        if not found or not found[0]:
            return None
        start, end = _whole_lines(query.text, found.start(), found.end())
        lines = slice(query.text.count("\n", 0, start), query.text.count("\n", 0, end) + 1)
        return Found(_said(fold(found[0])), "\n".join(query.masked.split("\n")[lines]), exact=True)

    def _finds(self, text: str) -> bool:
        try:
            return self._compiled.search(text, timeout=TIMEOUT) is not None
        except TimeoutError:
            return True

    @cached_property
    def _compiled(self) -> Any:  # the regex module has no types
        import regex

        return regex.compile(self._expression, regex.MULTILINE)

    @cached_property
    def _expression(self) -> str:
        """The regular expression; what was redacted in it stands for any word."""
        return PLACEHOLDER.sub(lambda _: r"\S+", self.text)

    @cached_property
    def reading(self) -> Reading:
        """The pattern's own text, read as an error text; wildcards are gaps in it."""
        return read(self.text.replace(WILDCARD, " "))

    @cached_property
    def _plain(self) -> str:
        return self.reading.plain if self.kind == "literal" else fold(clean(self.text))

    @cached_property
    def _masked(self) -> str:
        if self.kind == "literal":
            return self.reading.masked
        return fold("\n".join(map(_mask_line, clean(self.text).split("\n"))))

    @cached_property
    def _masked_words(self) -> list[str]:
        return words(_PLACEHOLDER.sub(" ", _BESIDE_WILDCARD.sub(" ", self._masked)))


def _said(text: str) -> str:
    """What a match of `text` says: its words without volatile parts, or those where it has no others."""
    masked = fold(mask(text.replace(WILDCARD, " ")))
    return masked if words(_PLACEHOLDER.sub(" ", masked)) else text


def _mask_line(line: str) -> str:
    """`line` masked; a word that a wildcard is part of and that masking would change is left to the wildcard alone."""
    if WILDCARD not in line:
        return mask(line)
    done = []
    for word in line.split(" "):
        pieces = word.split(WILDCARD)
        changed = len(pieces) > 1 and any(piece != mask(piece) for piece in pieces)
        done.append(WILDCARD if changed else word)
    return WILDCARD.join(mask(piece) for piece in " ".join(done).split(WILDCARD))


def _find_lines(pattern: str, text: str) -> tuple[int, int] | None:
    """The whole lines of `text` that hold `pattern`, as positions."""
    if WILDCARD in pattern:
        return _find_wild(pattern.split("\n"), text)
    at = _find_words(pattern, text)
    return _whole_lines(text, at, at + len(pattern)) if at >= 0 else None


def _find_words(needle: str, text: str, start: int = 0, *, begins: bool = True, ends: bool = True) -> int:
    """Where `needle` stands in `text` from `start` on, or -1; it cuts no word at an end that is a word's end."""
    at = text.find(needle, start)
    while at >= 0:
        after = at + len(needle)
        cut_before = begins and at > 0 and needle[:1].isalnum() and text[at - 1].isalnum()
        cut_after = ends and after < len(text) and needle[-1:].isalnum() and text[after].isalnum()
        if not cut_before and not cut_after:
            return at
        at = text.find(needle, at + 1)
    return -1


def _find_wild(pattern: list[str], text: str) -> tuple[int, int] | None:
    """The lines of a wildcard pattern in order: neighbours are neighbours, `<*>` alone on a line spans any number."""
    blocks: list[list[str]] = [[]]
    for line in pattern:
        if line.strip() == WILDCARD:
            blocks.append([])
        else:
            blocks[-1].append(line)
    lines = text.split("\n")
    first = at = -1
    for block in filter(None, blocks):
        at = next((n for n in range(at + 1, len(lines) - len(block) + 1) if _block_at(block, lines, n)), -1)
        if at < 0:
            return None
        first = at if first < 0 else first
        at += len(block) - 1
    if first < 0:
        return None
    begin = sum(len(line) + 1 for line in lines[:first])
    return begin, begin + sum(len(line) + 1 for line in lines[first : at + 1]) - 1


def _block_at(block: list[str], lines: list[str], at: int) -> bool:
    return all(_line_holds(line, lines[at + offset]) for offset, line in enumerate(block))


def _line_holds(pattern: str, line: str) -> bool:
    """Whether the pieces between the wildcards stand in `line` one after the other."""
    pieces = pattern.split(WILDCARD)
    last = len(pieces) - 1
    at = 0
    for number, piece in enumerate(pieces):
        at = _find_words(piece, line, at, begins=number == 0, ends=number == last) if piece else at
        if at < 0:
            return False
        at += len(piece)
    return True


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    after = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after


def _same_lines(ours: str, theirs: str, start: int, end: int) -> slice:
    """The lines of `theirs` with the numbers of `ours[start:end]`, as a slice of `theirs`."""
    first, count = ours.count("\n", 0, start), ours.count("\n", start, end) + 1
    begin = 0
    for _ in range(first):
        begin = theirs.index("\n", begin) + 1
    stop = begin
    for _ in range(count):
        stop = theirs.find("\n", stop) + 1 or len(theirs) + 1
    return slice(begin, stop - 1)
