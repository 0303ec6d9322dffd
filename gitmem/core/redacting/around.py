"""What stands around a value on its line, and makes it another thing than its name says."""

from __future__ import annotations

import re

from gitmem.core.redacting.rules import compiled


def in_struct(match: re.Match[str]) -> bool:
    """Whether it is one of the fields of a value that Go prints: `{Host:db Password:secret Port:5432}`."""
    text, start, end = match.string, match.start(), match.end()
    if match["sign"] != ":" or text[match.start("value") - 1] != ":" or text[end : end + 1] not in (" ", "}", "]"):
        return False
    line = text[max(0, start - 400) : start].rpartition("\n")[2]
    return compiled(r".*(?:\{|map\[)(?:[^{}]*[ ])?\w{0,24}").fullmatch(line) is not None


def is_field(match: re.Match[str]) -> bool:
    """Whether it is the next field of a value that Go prints: `{Password: Host:db}`."""
    if match["sign"] != ":" or compiled(r"[A-Z]\w{0,40}:.*").fullmatch(match["value"]) is None:
        return False
    return "{" in match.string[max(0, match.start() - 400) : match.start()].rpartition("\n")[2]


def counts(match: re.Match[str]) -> bool:
    """Whether it is a count: `pass=12 fail=3`, `private key: 2048 bits`."""
    rest = match.string[match.end() : match.end() + 40]
    return (
        match["value"].isdigit()
        and compiled(r",? *(?:fail|skip|warn|err|bits?\b|bytes\b|char)", exact=False).match(rest) is not None
    )


def begins_line(match: re.Match[str]) -> bool:
    """Whether nothing but the name stands before it on its line, as in YAML, or whose it is, as where ssh asks."""
    before = match.string[max(0, match.start() - 80) : match.start()].rpartition("\n")[2]
    return compiled(r"\s*(?:- )?(?:\S{1,64}'s )?[\"']?[\w.-]*").fullmatch(before) is not None


def ends_line(match: re.Match[str]) -> bool:
    """Whether nothing but closing marks stands after it on its line."""
    rest = match.string[match.end() : match.end() + 8].partition("\n")[0]
    return not rest.strip("\"', }\r")


def names_key(match: re.Match[str]) -> bool:
    """Whether a key is named and not told: a cache's (`cache key: linux-3b5d…`), or one of PGP by its id."""
    line = match.string[max(0, match.start() - 60) : match.start()].rpartition("\n")[2]
    if compiled(r".*\b(?:cache|restored?|input|primary)\b", exact=False).match(line):
        return match[0][:3].lower() == "key"
    return compiled(r"(?:[0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{40})").fullmatch(match["value"].rstrip(":.,")) is not None and (
        compiled(r".*\b(?:gpg|pgp|rsa|dsa|eddsa|ecdsa|public|signing|primary|subkey)\b|.*NO_PUB\Z", exact=False).match(line)
        is not None
    )
