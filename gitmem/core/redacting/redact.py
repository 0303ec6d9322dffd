"""Redaction: secrets and personal data in a text, replaced by placeholders such as `<email:1>`.

The same secret is the same placeholder within one record, numbered by first appearance; a number that stands in the record
already is not given again. What is found is decided by the rules of `secrets`, `tokens` and `people`.

Texts come from programs, logs and other people and may be long or hostile, so every rule begins at a literal that the text is
searched for, looks at a bounded piece around it, and is compiled when that literal is first met: a text without secrets costs
a few searches in C. Redacting twice changes nothing more, because no rule reaches into a placeholder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gitmem.core.redacting.people import people
from gitmem.core.redacting.placeholder import PLACEHOLDER, SPECIMENS, specimens
from gitmem.core.redacting.rules import Span, View
from gitmem.core.redacting.secrets import secrets
from gitmem.core.redacting.tokens import tokens

_MAX_PASSES: Final = 8
_LAYS_BARE: Final = frozenset({"password", "token", "key"})
"""What may have stood right beside another secret, which can be told from it only when the first is gone."""

Detector = Callable[[str], Iterable[str]]
"""A further look at a text that was redacted once: yields secrets as they stand in it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a store redacts: the kinds it keeps as they are, and names that are known to be a person's (the account's own)."""

    keep: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


DEFAULT: Final = Policy()
_NOT_COMPARED: Final = Policy(keep=frozenset({"email", "ip", "home", "key"}))


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets, and how many of each kind were replaced. Never the secrets themselves."""

    text: str
    found: Counter[str]


@dataclass(slots=True)
class Redactor:
    """Redacts the texts of one record, so that equal secrets in different fields get equal placeholders.

    `taken` are placeholders that stand in the record already, `also` is a further detector of secrets.
    """

    policy: Policy = DEFAULT
    also: Detector | None = None
    taken: set[str] = field(default_factory=set)
    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _last: Counter[str] = field(default_factory=Counter)

    def redact(self, text: str) -> Redacted:
        """`text` with its secrets replaced."""
        found: Counter[str] = Counter()
        self.reserve(text)
        for _ in range(_MAX_PASSES):
            spans = find(text, self.policy)
            text = self._replaced(text, spans, found)
            if not any(span.what in _LAYS_BARE for span in spans):
                break
        if self.also:
            text = self._replaced(text, _said(text, self.also(text)), found)
        return Redacted(text, found)

    def redact_value(self, name: str, value: Any) -> tuple[Any, Counter[str]]:
        """A JSON value with every text in it redacted; the name it stands under counts as its context: `password`."""
        found: Counter[str] = Counter()
        return self._walk(name, value, found), found

    def reserve(self, text: str) -> None:
        """Take note of placeholders that a text holds, so that none of them is given to another secret."""
        if "<" in text:
            self.taken.update(match[0] for match in PLACEHOLDER.finditer(text))

    def _walk(self, name: str, value: Any, found: Counter[str]) -> Any:
        if isinstance(value, str):
            done = self._in_context(name, value)
            found.update(done.found)
            return done.text
        if isinstance(value, dict):
            return {self._key(key, found): self._walk(str(key), inner, found) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(name, inner, found) for inner in value]
        return value

    def _in_context(self, name: str, value: str) -> Redacted:
        """The value redacted as what follows `name=` in a line; several lines say by themselves what they are."""
        head = f"{name}="
        if not value or "\n" in value:
            return self.redact(value)
        done = self.redact(head + value)
        return Redacted(done.text.removeprefix(head), done.found) if done.text.startswith(head) else self.redact(value)

    def _key(self, key: Any, found: Counter[str]) -> Any:
        if not isinstance(key, str):
            return key
        done = self.redact(key)
        found.update(done.found)
        return done.text

    def _replaced(self, text: str, spans: Iterable[Span], found: Counter[str]) -> str:
        pieces, at = [], 0
        for start, end, what in spans:
            pieces += [text[at:start], self._placeholder(what, text[start:end])]
            found[what] += 1
            at = end
        return "".join([*pieces, text[at:]])

    def _placeholder(self, what: str, secret: str) -> str:
        given = self._given.get((what, secret))
        while given is None:
            self._last[what] += 1
            candidate = f"<{what}:{self._last[what]}>"
            if candidate not in self.taken:
                given = self._given[what, secret] = candidate
                self.taken.add(candidate)
        return given


def redact(text: str, policy: Policy = DEFAULT) -> Redacted:
    """`text` with its secrets and personal data replaced by placeholders. Idempotent."""
    return Redactor(policy).redact(text)


def comparable(text: str) -> str:
    """`text` so that it reads alike whether it was redacted or not; it keeps its lines.

    Addresses and home directories stay, since masking makes them equal in any case; so do key blocks.
    """
    pieces, at = [], 0
    text = specimens(text)
    for start, end, what in find(text, _NOT_COMPARED):
        pieces += [text[at:start], SPECIMENS[what]]
        at = end
    return "".join([*pieces, text[at:]])


class _Taken:
    """The parts of a text that are spoken for: placeholders at first."""

    def __init__(self, text: str) -> None:
        self._marks = bytearray(len(text))
        for match in PLACEHOLDER.finditer(text) if "<" in text else ():
            self._mark(match.start(), match.end())

    def take(self, start: int, end: int) -> bool:
        """Take a part, unless it is empty or some of it is taken; whether it was."""
        free = start < end and self._marks.find(1, start, end) < 0
        if free:
            self._mark(start, end)
        return free

    def _mark(self, start: int, end: int) -> None:
        self._marks[start:end] = b"\1" * (end - start)


def find(text: str, policy: Policy = DEFAULT) -> list[Span]:
    """What is to be replaced in `text`, in order, without overlaps; of two that overlap the more telling stays."""
    view, taken = View(text), _Taken(text)
    return sorted(span for span in _all(view, policy) if span.what not in policy.keep and taken.take(span.start, span.end))


def _all(view: View, policy: Policy) -> Iterator[Span]:
    """Everything the rules see, the more telling first: a password in a URL before the address that it seems to be part of."""
    yield from secrets(view)
    yield from tokens(view)
    yield from people(view, policy.names, policy.keep)


def _said(text: str, secrets_found: Iterable[str]) -> list[Span]:
    """Where the secrets that a detector named stand, outside of placeholders."""
    taken, spans = _Taken(text), list[Span]()
    for secret in sorted(set(secrets_found), key=len, reverse=True):
        at = text.find(secret) if secret else -1
        while at >= 0:
            end = at + len(secret)
            if taken.take(at, end):
                spans.append(Span(at, end, "token"))
            at = text.find(secret, end)
    return sorted(spans)
