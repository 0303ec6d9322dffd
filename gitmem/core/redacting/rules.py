"""How a rule of redaction is told: a literal to look for, and an expression that is matched where the literal stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from typing import Final, NamedTuple

from gitmem.core.escapes import ESCAPES

MAX_VALUE: Final = 2048  # characters of one secret; the cost of a rule at one place


class Span(NamedTuple):
    """A piece of a text that is to be replaced, and what it is."""

    start: int
    end: int
    what: str


class View:
    """A text as the rules see it: terminal escapes are gaps, so that a coloured secret is one; positions are the text's own."""

    def __init__(self, text: str) -> None:
        self.text = ESCAPES.sub(lambda match: " " * len(match[0]), text) if "\x1b" in text or "\x9b" in text else text

    @cached_property
    def lower(self) -> str:
        """The text in lower case, character for character (`İ` would become two)."""
        lower = self.text.lower()
        if len(lower) == len(self.text):
            return lower
        return "".join(char.lower() if char.isascii() else char for char in self.text)


class Rule(NamedTuple):
    """What `expression` matches where one of the `needles` begins is a secret: its group `value`, if it has one.

    Needles in lower case are found in any case unless `exact`. `check` has the last word on a value.
    """

    what: str
    needles: tuple[str, ...]
    expression: str
    check: Callable[[re.Match[str]], bool] | None = None
    exact: bool = False
    behind: int = 0
    """How many characters in front of the needle belong to the secret."""
    gate: str = ""
    """What all needles have in common, where there are many: without it none of them is looked for."""

    def find(self, view: View) -> Iterator[Span]:
        """Where the rule applies."""
        where = view.text if self.exact else view.lower
        for needle in self.needles:
            at = where.find(needle)
            while at >= 0:
                match = compiled(self.expression, self.exact).match(view.text, max(0, at - self.behind))
                if match and (self.check is None or self.check(match)):
                    start, end = match.span("value" if "value" in match.re.groupindex else 0)
                    yield Span(start, end, self.what)
                    at = where.find(needle, max(end, at + 1))
                else:
                    at = where.find(needle, at + len(needle))


def apply(rules: Iterable[Rule], view: View) -> Iterator[Span]:
    """Where each of the rules applies, one rule after the other."""
    text, lower = view.text, view.lower
    for rule in rules:
        where = text if rule.exact else lower
        for needle in rule.needles if rule.gate in where else ():
            if needle in where:  # most are not: a look costs less than a search that is begun
                yield from rule.find(view)
                break


@cache
def compiled(expression: str, exact: bool = True) -> re.Pattern[str]:
    """The compiled expression; compiled when it is first needed, since all together cost more than a `match` does."""
    return re.compile(expression, 0 if exact else re.IGNORECASE)
