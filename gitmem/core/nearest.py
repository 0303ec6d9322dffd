"""The wording of messages: what a misspelt name was meant to be, how much of a foreign text is shown, numbers with nouns."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of `known` most like `word`, or None if none is near enough to be what was meant."""
    from difflib import get_close_matches  # costs 7 ms, and only a mistake needs it

    found = get_close_matches(word.lower().replace("-", "_"), list(known), n=1)
    return found[0] if found else None


def meant(word: str, known: Iterable[str]) -> str:
    """What a message about a misspelt word ends with; nothing where no word of `known` is near enough."""
    near = nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""


def shown(word: str) -> str:
    """`word` quoted for a message: at most 40 characters of it, and none that would act on a terminal."""
    return f"'{printable(word[:40])}…'" if len(word) > 40 else f"'{printable(word)}'"


def printable(text: str) -> str:
    """`text` on one line, with ? for every character that would act on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def one(noun: str) -> str:
    """`noun` with its article: a pattern, an environment."""
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 record, 2 records."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
