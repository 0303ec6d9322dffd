"""The values of Kubernetes secrets, whatever they are called: in YAML, in JSON, and in JSON that stands in a string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gitmem.core.redacting.looks import is_reference
from gitmem.core.redacting.rules import Span, View, compiled

_MAX_DOCUMENT: Final = 20_000  # characters of a manifest on either side of its kind
_MAX_DEPTH: Final = 16  # blanks before the kind of one manifest among several
_KIND: Final = r"kind:[ \t]{1,4}(?P<quote>[\"']?)secret(?P=quote)[ \t\r]*(?=\n|$)"
_QUOTED_KIND: Final = r"(?P<quote>\\{0,3}[\"'])kind(?P=quote)\s{0,4}:\s{0,4}(?P=quote)secret(?P=quote)"
_LINE: Final = (
    r"(?P<deep>[ \t]*)(?:(?P<name>[^\s:][^\n:]{0,253}):[ \t]{1,3}(?:[|>][-+\d]{0,2})?)?"
    r"[\"']?(?P<value>[^\s\"'][^\n]{0,2047}?)?[\"']?[ \t\r]*(?:\n|$)"
)
_BRACES: Final = r"[{}]"


def manifests(view: View) -> Iterator[Span]:
    """What a secret holds, each value by itself."""
    yield from _yaml(view)
    yield from _json(view)


def _yaml(view: View) -> Iterator[Span]:
    at = view.lower.find("kind:")
    while at >= 0:
        before = view.text[max(0, at - _MAX_DEPTH) : at].rpartition("\n")[2]
        kind, end = compiled(_KIND, exact=False).match(view.text, at), at
        if kind and before.strip(" -") == "" and len(before) < _MAX_DEPTH:
            start, end = _document(view.text, at, len(before), is_first="-" in before)
            for block in compiled(_block(len(before)), exact=False).finditer(view.text, start, end):
                yield from _lines(view.text, *block.span("lines"))
        at = view.lower.find("kind:", max(end, at + 1))


def _document(text: str, at: int, depth: int, *, is_first: bool) -> tuple[int, int]:
    """Where the manifest begins and ends whose kind stands at `at`, as one of several documents or one item of a list."""
    marks = ["\n---", *(["\n" + " " * (depth - 2) + "- "] if depth > 1 else [])]
    low, high = max(0, at - _MAX_DOCUMENT), min(len(text), at + _MAX_DOCUMENT)
    start = max(low, *(text.rfind(mark, low, at) for mark in marks))
    ends = [end for mark in marks if (end := text.find(mark, at, high)) >= 0]
    return at if is_first else start, min([high, *ends])


def _block(depth: int) -> str:
    """The lines below `data:` where it stands as deep as the kind does."""
    item = rf"|[ ]{{{depth - 2}}}-[ ]" if depth > 1 else ""
    return rf"(?<![^\n])(?:[ ]{{{depth}}}{item})(?:string)?data:[ \t]*\r?\n(?P<lines>(?:[ \t]{{{depth + 1},}}[^\n]*(?:\n|\Z))+)"


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    """The value on each line, and whole lines where a value goes on below its name."""
    first: int | None = None
    for match in compiled(_LINE).finditer(text, start, end):
        depth = len(match["deep"])
        first = depth if first is None else first
        if depth > first:
            yield Span(*_stripped(text, match.start() + depth, match.end()), "token")
        elif match["name"] and match["value"] and not is_reference(match["value"]):
            yield Span(*match.span("value"), "token")


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    return start, start + len(text[start:end].rstrip())


def _json(view: View) -> Iterator[Span]:
    past = 0
    for kind in compiled(_QUOTED_KIND, exact=False).finditer(view.text) if "kind" in view.lower else ():
        if kind.start() < past:
            continue
        start, end = _object(view.text, kind.start(), max(past, kind.start() - _MAX_DOCUMENT))
        quote, past = re.escape(kind["quote"]), end
        block = rf"{quote}(?:string)?data{quote}\s{{0,4}}:\s{{0,4}}\{{(?P<pairs>[^{{}}]*)"
        for found in compiled(block, exact=False).finditer(view.text, start, end):
            pair = rf"{quote}\s{{0,4}}:\s{{0,8}}{quote}(?P<value>[^\n]{{1,2048}}?){quote}\s{{0,80}}(?=,|\}}|\Z)"
            for value in compiled(pair).finditer(view.text, *found.span("pairs")):
                if not is_reference(value["value"]):
                    yield Span(*value.span("value"), "token")


def _object(text: str, at: int, low: int) -> tuple[int, int]:
    """The braces around a place, as far as it is known where they are: what was cut off reaches to where it was."""
    depth, start = 0, low
    for brace in reversed([*compiled(_BRACES).finditer(text, low, at)]):
        depth += 1 if brace[0] == "}" else -1
        if depth < 0:
            start = brace.start()
            break
    depth, high = 0, min(len(text), at + _MAX_DOCUMENT)
    for brace in compiled(_BRACES).finditer(text, at, high):
        depth += 1 if brace[0] == "{" else -1
        if depth < 0:
            return start, brace.end()
    return start, high
