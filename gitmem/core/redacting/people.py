"""Personal data: e-mail and IP addresses, home directories and user names.

What names no person and no machine stays: loopback, unspecified, broadcast and multicast addresses, netmasks and the metadata
address of clouds, accounts of programs such as `root` and `www-data`, addresses such as `git@github.com`, version numbers.
A user name is known by its place (`/home/ada`, `user=ada`, `for user ada from`), since names are words as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from gitmem.core.redacting.rules import Rule, Span, View, compiled
from gitmem.core.redacting.words import NO_DOMAINS, SERVICES

_MAX_NAMES: Final = 32
_NAME = r"(?P<value>[A-Za-z_][\w.-]{0,31}(?<![.-]))"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"(?<![\w.%])(?:{_OCTET}\\?\.){{3}}{_OCTET}(?![\w%]|\\?\.\d|-[A-Za-z])"
_IPV6 = (
    r"(?<![\w:.])(?:(?:[23][0-9A-Fa-f]{3}|[fF][c-eC-E][0-9A-Fa-f]{2}|64):[0-9A-Fa-f:]{2,35}|::ffff:(?=\d))"
    r"(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])"
)
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:v|ver|version|release|firmware|driver|build|package|assembly|update|upgrade|oid)[ :=\"']{0,3}"
    r"|[A-Z][A-Za-z]+/|[A-Za-z][-~_]|[~^]=?|[<>=]=?[ ]?(?<=[<>=]=)|[<>][ ]?)$",
    re.IGNORECASE,
)
_KEPT_ADDRESS = re.compile(r"(?:0|127|22[4-9]|23\d|24\d|25[0-5])\.|169\.254\.169\.254$")
_METHOD = re.compile(r"(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) $")
_LEAD = re.compile(
    r"(?:(?<![\w.~/\\-])|(?<=://)|(?<=:///)|(?<=-[ILB]))"
    r"(?:(?:/usr|/var|/mnt|/nfs|/net|/export|/data|/private)?|(?P<drive>(?:/mnt)?/[a-z]|[A-Za-z]:))$"
)
_HOMES: Final = ("/home/", "/Users/", "/users/", "\\Users\\", "\\users\\", "\\\\Users\\\\", "\\\\users\\\\")
_HOME_NAME = r"[\w.@+-]{1,64}"
_HOME_NAME_WINDOWS = r"[^\\/:*?\"'<>|\s]{1,64}(?: [^\\/:*?\"'<>|\s]{1,32}(?=[\\/])){0,2}"
_SHARED: Final = frozenset({"shared", "public", "default", "all users", "all", "linuxbrew"})

_QUOTE = r"(?:\\?[\"'`])"
_USERS: Final = (
    Rule(
        "user",
        ("invalid user ", "illegal user ", "for user ", "unknown user "),
        rf"(?:invalid|illegal|for|unknown) user {_NAME}(?=$|\n|[,;:.)]?(?: from\b| by\b| ?[\[(]|\s*$|\n))",
    ),
    Rule("user", ("user ", "role ", "login "), rf"(?:user|role|login) {_QUOTE}{_NAME}(?=\\?[\"'`])"),
    Rule(
        "user",
        ("failed ", "accepted ", "postponed "),
        rf"(?:failed|accepted|postponed) [\w/-]{{1,32}} for (?:invalid user )?{_NAME}(?= from )",
    ),
    Rule("user", ("failures for ", "failure for "), rf"failures? for {_NAME}(?= ?\[|\s*$| from )"),
    Rule(
        "user",
        ("user", "logname", "login", "owner"),
        rf"(?<![A-Za-z])(?:r?user(?:_?name)?|logname|login|owner)(?:{_QUOTE}?[ \t]?[=:][ \t]?{_QUOTE}|={_QUOTE}?)"
        rf"{_NAME}(?![\w@:({{\[.$/\\])",
    ),
    Rule(
        "user",
        ("ruser=", "suser=", "duser=", "_user=", "-user=", "username=", "_username="),
        rf"[\w-]{{0,12}}user(?:name)?={_QUOTE}?{_NAME}(?![\w@:({{\[.$/\\])",
    ),
    Rule("user", ("://",), rf"://{_NAME}(?=@|:[^\s/@]{{1,512}}@)"),
    Rule("user", ("--user",), rf"--user(?:-?name[ =]|=){_QUOTE}?{_NAME}(?![\w@({{\[.$/\\])"),
    Rule("user", ("-u ", "--user "), rf"(?:-u|--user) {_QUOTE}?{_NAME}(?=:[^\s:])"),
    Rule("user", ("sudo:",), rf"sudo:[ \t]{{1,12}}{_NAME} : "),
    Rule("user", ("uid=",), rf"uid=\d{{1,10}}\({_NAME}\)"),
    Rule(
        "user",
        ("ssh ", "scp ", "sftp ", "ssh://", "sftp://", "rsync "),
        rf"(?:ssh|scp|sftp|rsync)(?:://|[ \t][^\n|;@]{{0,120}}?(?<=[ \t]))?{_NAME}@(?=[\w\[-])",
    ),
)
_BESIDE_HOST = (
    r"(?<![\w.@/+=-])(?P<value>[a-z_][a-z0-9_.-]{0,31})@"
    r"(?=[A-Za-z][\w-]*(?:\.[\w-]+)*(?::[~/ ]|'s password|: Permission denied))"
)


def people(view: View, names: frozenset[str], keep: frozenset[str]) -> Iterator[Span]:
    """Everything personal but for the kinds in `keep`, and `names` where they stand in the place of a name."""
    if "email" not in keep:
        yield from _mails(view)
    if "ip" not in keep:
        yield from _addresses(view)
    known = {name for name in names if not _is_service(name)}
    for span, name in (*_homes(view), *_users(view)):
        if len(known) < _MAX_NAMES and not _is_service(name):
            known.add(name)
        yield span
    yield from _named(view, known)


def _is_service(name: str) -> bool:
    return len(name) < 2 or name.lower() in SERVICES


def _mails(view: View) -> Iterator[Span]:
    """E-mail addresses. `git@github.com` is the account of a program, `getty@tty1.service` the name of a unit."""
    text = view.text
    at = text.find("@")
    while at >= 0:
        domain = compiled(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\\?\.){1,8}(?P<top>[A-Za-z]{2,24})(?![\w-]|\.\w)").match(
            text, at + 1
        )
        if domain and domain["top"].lower() not in NO_DOMAINS:
            local = compiled(r"(?<![\w.%+-])[\w.%+'-]{1,64}\Z").search(text[max(0, at - 65) : at])
            name = local[0].lstrip(".'%-+") if local else ""
            if name and name.lower() not in ("git", "hg", "svn", "noreply", "no-reply", "root", "postmaster", "mailer-daemon"):
                yield Span(at - len(name), domain.end(), "email")
        at = text.find("@", at + 1)


def _addresses(view: View) -> Iterator[Span]:
    for match in compiled(_IPV4).finditer(view.text):
        port = view.text.startswith(":", match.end())
        before = view.text[max(0, match.start() - 12) : match.start()]
        if not _KEPT_ADDRESS.match(match[0].replace("\\", "")) and (port or not _is_version_after(before)):
            yield Span(*match.span(), "ip")
    if ":" in view.text:
        for match in compiled(_IPV6).finditer(view.text):
            if _is_ipv6(match[0]):
                yield Span(*match.span(), "ip")


@lru_cache(maxsize=4096)
def _is_version_after(before: str) -> bool:
    """Whether four numbers are a version by what stands before them: `version `, `Chrome/`, `openssl-`, `>=`."""
    return _VERSION_BEFORE.search(before) is not None


def _is_ipv6(text: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address

    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    inner = address.ipv4_mapped
    return not (inner and inner.is_loopback)


def _homes(view: View) -> Iterator[tuple[Span, str]]:
    """Home directories with the names they are called by."""
    for needle in _HOMES:
        at = view.text.find(needle)
        while at >= 0:
            found = _home(view.text, at, needle)
            if found:
                yield found
            at = view.text.find(needle, at + len(needle))


def _home(text: str, at: int, needle: str) -> tuple[Span, str] | None:
    before = text[max(0, at - 24) : at]
    lead = _LEAD.search(before)
    windows = "\\" in needle
    if lead is None or _METHOD.search(before) or ((windows or needle == "/users/") and not lead["drive"]):
        return None
    name = compiled(_HOME_NAME_WINDOWS if windows else _HOME_NAME).match(text, at + len(needle))
    if name is None or name[0].lower() in _SHARED or not name[0].strip("."):
        return None
    end = name.end() - (len(name[0]) - len(name[0].rstrip(".")))  # a full stop after it ends a sentence
    return Span(at - len(lead[0]), end, "home"), text[name.start() : end]


def _users(view: View) -> Iterator[tuple[Span, str]]:
    """User names, where logs and programs say that they are."""
    for rule in _USERS:
        for span in rule.find(view):
            if not _is_service(view.text[span.start : span.end]):
                yield span, view.text[span.start : span.end]
    if "@" in view.text:
        for match in compiled(_BESIDE_HOST).finditer(view.text):
            if not _is_service(match["value"]):
                yield Span(*match.span("value"), "user"), match["value"]


def _named(view: View, names: set[str]) -> Iterator[Span]:
    """Names that are known to be somebody's, where they are part of a path or an address, or an owner in a listing."""
    if not names:
        return
    some = "|".join(re.escape(name) for name in sorted(names))
    for match in re.finditer(
        rf"(?<=[/\\@:=~'\"(\[])(?:{some})(?![\w-])|(?<![\w.-])(?:{some})(?=@|\s+(?:{some})\s+\d)|(?<=\s\d\s)(?:{some})(?=\s)",
        view.text,
    ):
        yield Span(*match.span(), "user")
