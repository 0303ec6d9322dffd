"""The literal text that every match of a regular expression must contain.

Deliberately conservative: whatever is not certainly there (alternatives, groups, classes, optional parts) counts as
nothing. A word counts only if the expression fixes both its ends, since `/fail/` also matches `failure`.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<escaped>\\(?P<char>[a-zA-Z](?:\{[^}]*\}|<[^>]*>)?|.))"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<open>\()|(?P<close>\))|(?P<or>\|)"
    r"|(?P<anchor>[\^$])"
    r"|(?P<any>\.)"
    r"|(?P<repeat>[*+?]|\{\d*,?\d*\})[+?]?"
    r"|(?P<fuzzy>\{[^}]*\})"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_UNKNOWN = "\x00"  # some text, of any length, that may be part of a word
_EDGE = " "  # certainly no part of a word, or no text at all
_CLOSED = re.compile(r"(?<=[^\w\x00])[^\W_]+(?=[^\w\x00])|(?<=[^\w\x00])[^\W_]+(?=_)|(?<=_)[^\W_]+(?=[^\w\x00])")


def required_text(expression: str, *, whole_words: bool = True) -> str:
    """Words that any match of `expression` contains, separated by spaces; with `whole_words=False` also parts of words."""
    outline = _outline(expression)
    found = _CLOSED.findall(outline) if whole_words else re.findall(r"[^\W_]+", outline)
    return " ".join(found)


def _outline(expression: str) -> str:
    """The expression with everything that is not certain replaced by `_UNKNOWN`."""
    if re.search(r"\(\?[a-zA-Z]*x", expression):
        return _UNKNOWN  # verbose: spaces mean nothing
    done: list[str] = [_UNKNOWN]
    depth = 0
    for token in _TOKEN.finditer(expression):
        if token["open"]:
            depth += 1
            done.append(_UNKNOWN)
        elif token["close"]:
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif token["or"]:
            return _UNKNOWN
        elif token["repeat"] or token["fuzzy"]:
            done[-1] = _repeated(done[-1], token["repeat"])
        else:
            done.append(_piece(token))
    return "".join([*done, _UNKNOWN])


def _piece(token: re.Match[str]) -> str:
    if token["plain"]:
        return token["plain"]
    if token["char"] in ("b", "s"):
        return _EDGE
    if token["escaped"] and not token["char"][0].isalnum():
        return str(token["char"])
    if token["anchor"]:
        return _EDGE
    return _UNKNOWN


def _repeated(piece: str, repeat: str | None) -> str:
    """A piece that may be missing is unknown, and so is one that may come again: `ab+` also matches `abb`."""
    if piece == _EDGE and repeat == "+":
        return _EDGE
    return piece + _UNKNOWN if repeat == "+" else _UNKNOWN
