"""Secrets that a sentence speaks of only after them, and those in front of an address."""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.core.redacting.looks import is_reference, is_secret
from gitmem.core.redacting.rules import Span, View, compiled


def sentences(view: View) -> Iterator[Span]:
    """Every secret that what follows it gives away."""
    yield from _called(view)
    yield from _revoked(view)
    yield from _addressed(view)


def _revoked(view: View) -> Iterator[Span]:
    """What was revoked, on a line that says that somebody was not let in: `401 Unauthorized - 0f1e2d3c… was revoked`."""
    at = view.lower.find(" revoked")
    while at >= 0:
        line = view.text[max(0, at - 240) : at].rpartition("\n")[2]
        found = compiled(r"(?<![\w.:/-])([\w.:/$-]{16,200})[\"')\]]? (?:is|was|has been)\Z").search(line)
        if found and is_secret(found[1]) and compiled(_REFUSED, exact=False).search(line):
            start = at - len(line) + found.start(1)
            yield Span(start, start + len(found[1]), "token")
        at = view.lower.find(" revoked", at + 8)


def _addressed(view: View) -> Iterator[Span]:
    """The password in the address of a database as Go writes it: `root:hunter2@tcp(db:3306)/shop`."""
    for needle in ("@tcp(", "@unix("):
        at = view.text.find(needle)
        while at >= 0:
            found = compiled(r"(?<![^\s\"'=(])[\w.-]{1,64}:([^\s\"'<>]{1,128})\Z").search(view.text[max(0, at - 200) : at])
            if found and not is_reference(found[1]):
                yield Span(at - len(found[1]), at, "password")
            at = view.text.find(needle, at + len(needle))


_REFUSED = r"\b40[13]\b|unauthori[sz]ed|forbidden|denied|token|credential|api.?key"


def _called(view: View) -> Iterator[Span]:
    """What a sentence calls a key or a token only after it: `'0f1e2d3c…' is not a valid API key`."""
    for needle in ("key", "token", "secret", "credential"):
        at = view.lower.find(needle)
        while at >= 0:
            before = view.text[max(0, at - 160) : at]
            found = compiled(r"(?<![\w.:/-])([\w-]{20,128})[\"')\]]? (?:is|was|as) (?:[\w-]{1,16} ){1,4}\Z").search(before)
            if found and is_secret(found[1]):
                start = at - len(before) + found.start(1)
                yield Span(start, start + len(found[1]), "token")
            at = view.lower.find(needle, at + len(needle))
