"""Passwords that have a line of their own: in configuration files, in what protocols send, and beside a user's name."""

from __future__ import annotations

import re
from typing import Final

from gitmem.core.redacting.commands import BLANK, ENDS, QUOTED, WORD, some
from gitmem.core.redacting.looks import is_chosen, is_method
from gitmem.core.redacting.rules import Rule

_NAME: Final = r"[\w.@\\-]{1,64}"
_NO_USER: Final = (
    r"(?:plain|login|plugin|method|mechanism|type|backend|service|provider|module|error|code|user|failed|failure|for|with|via|using|to|and"
    r"|or|required|requisite|sufficient|optional|include|substack|header|token|server|request|response|check|scheme|basic|digest)\b"
)
"""What stands after `auth` in a sentence or a configuration, and is nobody's name."""


def _configured(match: re.Match[str]) -> bool:
    """A line of a router's configuration: a user's, or the one that enables."""
    line = match.string[max(0, match.start() - 120) : match.start()].rpartition("\n")[2]
    return re.fullmatch(r"[ \t]*|.*\b(?:enable|username [^\s]{1,64}(?: privilege \d{1,2})?) ", line) is not None


def _chosen(match: re.Match[str]) -> bool:
    return is_chosen(match["value"]) and not is_method(match["value"])


def _own(match: re.Match[str]) -> bool:
    """Any but the community that every device comes with."""
    return some(match) and match["value"] != "public"


LINES: Final = (
    Rule(
        "password",
        ("bindpw", "rootpw", "rocommunity", "rwcommunity", "snmp-server community"),
        rf"(?<![\w-])(?:(?:root)?bindpw|rootpw|r[ow]community6?|snmp-server community){BLANK}{QUOTED}",
        _own,
    ),
    Rule(
        "password",
        ("password ", "secret "),
        rf"(?:password|secret) [0-9] (?P<value>[^\s\"'<>]{{4,256}}){ENDS}",
        _configured,
    ),
    Rule(
        "password",
        ("5432:", "6432:"),
        rf"(?<=:)[56]432:[A-Za-z*][\w-]{{0,62}}:[\w.*-]{{1,63}}:(?P<value>[^\s\"'<>]{{1,256}}){ENDS}",
        some,
    ),
    Rule("password", ("setuser ",), rf"setuser {WORD}[^\n|;&]{{0,80}}? >(?P<value>[^\s\"'<>]{{1,256}})", some),
    Rule("password", ("auth-user-pass",), rf"auth-user-pass:?{BLANK}{_NAME} / (?P<value>{WORD}){ENDS}", some),
    Rule(
        "password",
        ("credentials:", "creds:", "login:", "user/pass", "username/password"),
        rf"(?:credentials|creds|login|user(?:name)?/pass(?:word)?):?{BLANK}{_NAME} / (?P<value>{WORD}){ENDS}",
        _chosen,
    ),
    Rule(
        "password",
        ("PASS ",),
        rf"(?:(?<=-> )|(?<=C: )|(?<=> ))PASS (?P<value>[^\s<>/]{{1,256}}){ENDS}",
        some,
        exact=True,
    ),
    Rule(
        "password",
        ("auth ",),
        rf"(?:^|(?<=\n)|(?<=> )|(?<=: ))auth (?!{_NO_USER})\w[\w.@-]{{0,64}} (?P<value>[^\s\"'<>]{{5,256}}){ENDS}",
        _chosen,
        exact=True,
    ),
)
