"""Secrets that are known by what stands around them: key blocks, URLs, headers, assignments, command lines, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gitmem.core.redacting.around import begins_line, counts, ends_line, in_struct, is_field, names_key
from gitmem.core.redacting.commands import BLOCKS, COMMANDS, some, written
from gitmem.core.redacting.lines import LINES
from gitmem.core.redacting.looks import (
    is_chosen,
    is_hidden_hex,
    is_likely,
    is_method,
    is_nothing,
    is_random,
    is_secret,
    is_word,
)
from gitmem.core.redacting.manifests import manifests
from gitmem.core.redacting.rules import MAX_VALUE, Rule, Span, View, apply, compiled
from gitmem.core.redacting.sentences import sentences

_MAX_BLOCK: Final = 20_000  # characters of a private key
_OURS = r"<(?!(?:password|token|key|email|ip|home|user):\d)"
_BARE = rf"(?:[^\s\"'`<>,;&|)\]}}]|{_OURS}|>){{1,{MAX_VALUE}}}"
# In quotes up to the same quotes, which are escaped where they stand in a string themselves; else up to a mark that ends it.
_VALUE = rf"(?P<quote>\\?[\"'`])?(?P<value>(?(quote)(?:(?!(?P=quote))(?:\\.|[^\n])){{1,{MAX_VALUE}}}|{_BARE}))"
_CLOSED = r"(?:\\?[\"'])?\]?"
_GIVES = rf"{_CLOSED}[ \t]{{0,40}}(?P<sign>=>|:=|={{1,2}}|:|[\"']?[ \t]value=)[ \t]{{0,16}}{_VALUE}"
_SUFFIX = r"(?P<suffix>[\w-]{0,24})"

# What follows a secret's name and makes it the name of something else: `token_type`, `password-file`, `API_KEY_ID`.
_ABOUT = re.compile(
    r"(?:type|id|name|url|uri|identity|path|file|dir|stdin|env|mode|len(?:gth)?|count|size|field|policy|expir\w*|ttl|reset|hint|version"
    r"|alg\w*|store|prompt|required|enabled|manager|provider|limit|usage|endpoint|format|prefix|ring|space|board|s)$",
    re.IGNORECASE,
)
_PASSWORD: Final = ("password", "passwd", "passphrase", "passcode")
_KEYS: Final = tuple(
    f"{first}{mark}key"
    for first in ("api", "access", "private", "account", "master", "encryption")
    for mark in ("", "_", "-", " ")
)
_WEAK: Final = ("token", "auth")
_VAGUE: Final = ("key", "session", "sig", "jwt", "signature", "webhook")


def secrets(view: View) -> Iterator[Span]:
    """Every secret that its surroundings give away."""
    yield from _key_blocks(view)
    yield from apply(_RULES, view)
    yield from _cookies(view)
    yield from manifests(view)
    yield from sentences(view)


def _key_blocks(view: View) -> Iterator[Span]:
    """PEM and PGP private keys; one whose end was cut off reaches as far as it looks like one."""
    text = view.text
    at = text.find("-----BEGIN ")
    while at >= 0:
        head = compiled(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,12}-----").match(text, at)
        if head:
            end = text.find("-----END ", head.end(), head.end() + _MAX_BLOCK)
            tail = compiled(r"-----END [A-Z0-9 ]{0,48}-----").match(text, end) if end >= 0 else None
            body = tail or compiled(r"(?:\\[nr]|\s|[A-Za-z0-9+/=:,-]){0,20000}(?<!\s)").match(text, head.end())
            stop = body.end() if body else head.end()
            yield Span(at, stop, "key")
            at = text.find("-----BEGIN ", stop)
        else:
            at = text.find("-----BEGIN ", at + 11)


def _cookies(view: View) -> Iterator[Span]:
    """The values in `Cookie:` and `Set-Cookie:`, but for those that only say how a cookie is kept."""
    at = view.lower.find("cookie")
    while at >= 0:
        head = compiled(r"cookies?[\"']?\s{0,2}[:=]\s{0,2}", exact=False).match(view.text, at)
        if head:
            line = compiled(r"[^\n\"']{0,8192}").match(view.text, head.end())
            for pair in (
                compiled(r"(?<![\w.-])([\w.-]{1,64})=([^;,\s\"'<>]{8,})").finditer(view.text, head.end(), line.end())
                if line
                else ()
            ):
                if pair[1].lower() not in ("path", "domain", "expires", "max-age", "samesite", "version"):
                    yield Span(*pair.span(2), "token")
        at = view.lower.find("cookie", at + 6)


def _given(match: re.Match[str]) -> bool:
    """A value that is set: anything but a word for nothing, a reference, or the next word of a sentence."""
    value, suffix = match["value"], match["suffix"]
    if is_nothing(value) or (suffix and _ABOUT.search(suffix) and not is_random(value)) or counts(match) or is_field(match):
        return False
    if match["quote"] or not match["sign"].startswith(":") or not is_word(value.rstrip(".!?")):
        return not (match["sign"] == ":" and value.startswith(":"))  # `password::Policy` is a name
    return (ends_line(match) and begins_line(match)) or in_struct(match)


def _given_word(match: re.Match[str]) -> bool:
    """The same in languages whose words for nothing are not known: no word at all."""
    return _given(match) and (bool(match["quote"]) or not is_word(match["value"].rstrip(".,!?")))


def _token_given(match: re.Match[str]) -> bool:
    value = match["value"]
    called = not match["suffix"] and match["sign"] == "=" and len(value) >= 8 and is_chosen(value) and not is_method(value)
    return (is_secret(value) or called) and not _is_about(match)


def _asked(match: re.Match[str]) -> bool:
    """What a query of a URL hands over under a name that is used for other things as well."""
    value = match["value"]
    return len(value) >= 12 and is_secret(value) and not is_method(value)


def _headed(match: re.Match[str]) -> bool:
    return is_chosen(match["value"]) and not is_nothing(match["value"])


def _vague_given(match: re.Match[str]) -> bool:
    return _is_drawn(match["value"]) and not _is_about(match)


def _is_about(match: re.Match[str]) -> bool:
    return bool(match["suffix"] and _ABOUT.search(match["suffix"])) and not is_random(match["value"])


def _is_drawn(value: str) -> bool:
    """A word that can hardly be anything but a secret."""
    return is_random(value) or is_hidden_hex(value, 32)


def _option_given(match: re.Match[str]) -> bool:
    value = match["value"]
    return not is_nothing(value) and not value.startswith("-") and not _ABOUT.search(match["suffix"] or "") and value != "="


def _is_secret(match: re.Match[str]) -> bool:
    return is_secret(match["value"])


def _is_drawn_value(match: re.Match[str]) -> bool:
    return _is_drawn(match["value"].rstrip(".,:;!?"))


def _said(match: re.Match[str]) -> bool:
    """The next word of a sentence: drawn at random, or a number in hexadecimal or a UUID right after what it is called."""
    beside = compiled(r"(?:is|was|for|provided|supplied|given|value)\b|[\s:='\"\[(`]").sub("", match["between"]) == ""
    whose = "for " in match["between"].lower() and not is_likely(match["value"])  # the key for a user's UUID
    if names_key(match):
        return False
    return is_random(match["value"]) or (beside and not whose and is_secret(match["value"]))


def _answered(match: re.Match[str]) -> bool:
    """What was typed at a prompt: it ends the line, and is no word unless the prompt begins it."""
    prompt = compiled(r"(?:\[sudo\] )?\Z").fullmatch(
        match.string[max(0, match.start() - 80) : match.start()].rpartition("\n")[2]
    )
    return some(match) and ends_line(match) and (prompt is not None or not is_word(match["value"]))


def _chosen(match: re.Match[str]) -> bool:
    """A word of a sentence that is no other word of it: with letters and digits, or several long words in one."""
    value = match["value"].rstrip(".,;:!?)")
    return is_chosen(value) or compiled(r"[A-Za-z]{4,16}(?:[-_.][A-Za-z]{4,16}){2,8}").fullmatch(value) is not None


def _beside(match: re.Match[str]) -> bool:
    """`with password hunter2`: right after its name, and no word that goes on with it."""
    value = match["value"].rstrip(".,;:!?)")
    return len(value) >= 6 and is_chosen(value) and not is_method(value)


def _paired(match: re.Match[str]) -> bool:
    """`("DB_PASSWORD", "hunter2")`: the second of two, and no name of anything, such as how passwords are kept."""
    return len(match["value"]) >= 6 and is_chosen(match["value"].rstrip(".,;:!?)")) and not is_method(match["value"])


def _named_before(match: re.Match[str]) -> bool:
    """Whether what is given as a value was named just before: `name: API_TOKEN`, then `value: …`."""
    before = match.string[max(0, match.start() - 200) : match.start()]
    return not is_nothing(match["value"]) and compiled(_NAMED_BEFORE, exact=False).search(before) is not None


def _seed(match: re.Match[str]) -> bool:
    return compiled(r"[A-Z2-7]{16,128}={0,6}").fullmatch(match["value"]) is not None or _is_drawn(match["value"])


def _basic(match: re.Match[str]) -> bool:
    return len(match["value"]) >= 8 and not is_word(match["value"])


def _option(names: str) -> str:
    """An option of a command line with its value."""
    return rf"--?(?:[A-Za-z][\w-]{{0,24}}-)?(?:{names})(?P<suffix>-\w{{1,12}})?(?:=|[ \t]{{1,3}}){_VALUE}"


_PROSE: Final = ("token", "api key", "api-key", "apikey", "access key", "secret", "password", "credential", "bearer", "key")
_NAMES_ONE = (
    r"[\w.-]{0,40}(?:token|secret|passw|passphrase|pass(?![a-z])|pwd|credential|api[_-]?key|access[_-]?key|private[_-]?key)"
    r"[\w.-]{0,24}"
)
_BETWEEN = (
    r"(?P<between>[\"']?[ \t:=]{1,3}"
    r"(?:is |was |for |provided|supplied|given|value|header|used|id|not valid|invalid|rejected|expired|revoked|"
    r"[\[(\"'`:= ]){0,4})"
)

_NAMED_BEFORE = rf"(?:name|key|variable)[\"']?[ \t]{{0,4}}[:=][ \t]{{0,4}}[\"']?{_NAMES_ONE}[\"']?,?\s{{1,40}}\{{?[\"']?\Z"

_RULES: Final = (
    *BLOCKS,
    *COMMANDS,
    *LINES,
    Rule("token", ("value",), rf"value(?P<suffix>){_GIVES}", _named_before),
    Rule("token", ("seed", "otp"), rf"(?:seed|otp){_SUFFIX}{_GIVES}", _seed),
    Rule("token", ("seed ", "otp "), r"(?:seed|otp)[ \t](?:secret |key |is |was )?(?P<value>[A-Z2-7]{16,128})(?!\w)", _seed),
    Rule(
        "token",
        ("sessid", "sessionid", "session_id", "session-id"),
        rf"(?:sessid|session[_-]?id)(?P<suffix>){_GIVES}",
        _vague_given,
    ),
    Rule("token", ("vault login",), r"vault login[ \t]{1,3}(?P<value>[^\s\"'<>-][^\s\"'<>]{7,256})", _is_secret),
    Rule(
        "token",
        ("mc alias set", "mc config host add"),
        r"mc (?:alias set|config host add)(?:[ \t]{1,3}[^\s<>]{1,256}){3}[ \t]{1,3}(?P<value>[^\s\"'<>]{8,256})",
        some,
    ),
    Rule("password", ("://",), r"://(?:[^\s:/?#@\"'<>]{0,256}):(?P<value>[^\s/\"'<>]{1,512})@(?=[\w.\[-])", written),
    Rule("token", ("://",), r"://(?P<value>[^\s:/?#@\"'<>]{16,512})@(?=[\w.\[-])", _is_secret),
    Rule("password", ("thin:",), r"thin:[\w.-]{1,64}/(?P<value>[^\s@\"'<>/]{1,256})@"),
    Rule(
        "token",
        ("authorization",),
        rf"authorization{_CLOSED}[ \t]{{0,2}}[:=][ \t]{{0,2}}(?:\\?[\"'])?(?:[A-Za-z][\w-]{{2,24}}[ \t]+)?"
        rf"(?P<value>[^\s\"'<>,;\\]{{8,{MAX_VALUE}}})",
        _basic,
    ),
    Rule("token", ("bearer ", "basic "), r"(?:bearer|basic)[ \t]{1,2}(?P<value>[\w.~+/=-]{8,2048})", _is_secret),
    Rule("password", ("--",), _option("passw(?:or)?d|passwd|pass|passphrase|pwd"), _option_given),
    Rule("token", ("--",), _option("token|secret|api-?key|access-?key|secret-?key|auth-?token"), _option_given),
    Rule("password", ("-pass", "pass:"), r"(?:-pass(?:in|out)?[ \t]+)?pass:(?P<value>[^\s\"'<>]{1,256})", some),
    Rule(
        "password",
        ("identified by", "identified with", "password '", 'password "'),
        r"(?:identified (?:by|with [\w\"'`]{1,64} (?:by|as))|password)[ \t]{1,3}"
        r"(?P<quote>[\"'])(?P<value>[^\"'\n<>]{1,256})(?P=quote)",
        some,
    ),
    Rule(
        "password",
        ("password for ", "passphrase for "),
        r"pass(?:word|phrase) for (?P<whose>'[^'\n]{1,200}'|[^\n:]{1,80}):[ \t]{1,2}(?P<value>[^\s\"'<>]{1,256})",
        _answered,
    ),
    Rule(
        "password",
        ("password ", "passphrase ", "passcode "),
        r"pass(?:word|phrase|code) (?:for [^\s:]{1,64} )?(?:is|was|has been)(?: (?:set|changed|reset|updated) to)?:?[ \t]{1,2}"
        r"(?P<quote>[\"'`])?(?P<value>[^\s\"'`<>]{4,256})",
        _chosen,
        gate="pass",
    ),
    Rule(
        "password",
        ("password is generated for",),
        r"password is generated for [^\s:]{1,128}:[ \t]{1,2}(?P<value>[^\s\"'<>]{4,256})",
        some,
    ),
    Rule(
        "password",
        tuple(f"{name} " for name in _PASSWORD),
        r"(?<![\w-])pass(?:word|wd|phrase|code)[ \t]{1,2}(?P<quote>[\"'`])?(?P<value>[^\s\"'`<>,;:=]{6,256})",
        _beside,
        gate="pass",
    ),
    Rule(
        "password",
        ("passwort", "kennwort", "mot de passe", "contraseña", "senha", "пароль", "密码", "密碼", "パスワード"),
        rf"(?:passwort|kennwort|mot de passe|contraseña|senha|пароль|密码|密碼|パスワード)(?P<suffix>){_GIVES}",
        _given_word,
    ),
    Rule(
        "password",
        ("password", "passwd", "passphrase", "secret", "token", "api_key", "apikey"),
        rf"[a-z_]{{5,10}}(?P<mark>[\"'])[ \t]{{0,2}},[ \t]{{0,4}}(?P=mark)(?P<value>[^\s\"'<>]{{1,{MAX_VALUE}}})(?P=mark)",
        _paired,
    ),
    Rule("password", ("login ",), r"login[ \t]+\S{1,128}[ \t\n]+password[ \t]+(?P<value>[^\s\"'<>]{1,256})", some),
    Rule(
        "password",
        ("$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$1$", "$apr1$", "$argon2", "{ssha}"),
        r"(?:\$\w{1,10}\$[\w./$=,+-]{20,200}|\{ssha\}[\w+/=]{20,200})",
    ),
    Rule("password", _PASSWORD, rf"pass(?:word|wd|phrase|code){_SUFFIX}{_GIVES}", _given, gate="pass"),
    Rule("token", ("secret", "credential"), rf"(?:secret|credential){_SUFFIX}{_GIVES}", _given),
    Rule("token", _KEYS, rf"[a-z]{{3,10}}[_ -]?key{_SUFFIX}{_GIVES}", _given, gate="key"),
    Rule(
        "password",
        ("pwd", "pass", "pw", "psk"),
        rf"(?<![a-z])(?:pwd|pass|pw|psk)(?P<suffix>(?:[_-]\w{{0,24}})?){_GIVES}",
        _given,
    ),
    Rule(
        "password",
        (*_PASSWORD, "secret", "credential", "apikey", "api_key", "api-key"),
        rf"[a-z]{{3,10}}[_ -]?[\w-]{{0,24}}>(?P<value>[^<>\n]{{1,{MAX_VALUE}}})</",
        some,
    ),
    Rule(
        "password",
        ("name=",),
        rf"name=[\"'][\w.:-]{{0,60}}(?:passw(?:or)?d|passphrase|secret|api_?key)[\"'][^<>\n]{{0,40}}>(?P<value>[^<>\n]{{1,{MAX_VALUE}}})</",
        some,
    ),
    Rule("token", _WEAK, rf"(?:token|auth){_SUFFIX}{_GIVES}", _token_given),
    Rule(
        "token",
        ("x-",),
        r"(?<![\w-])x-(?:[a-z]{1,20}-){0,3}(?:token|secret)[\"']?:[ \t]{1,2}[\"']?"
        r"(?P<value>[^\s\"'<>,;]{6,2048})",
        _headed,
    ),
    Rule(
        "token",
        ("sig=", "signature=", "appid=", "key=", "code=", "ticket=", "assertion="),
        r"(?<=[?&#])(?:sig|signature|appid|key|code|ticket|assertion)=(?P<value>[^\s\"'<>&#]{12,2048})",
        _asked,
    ),
    Rule("token", _WEAK, rf"(?:token|auth)[\w-]{{0,24}}>(?P<value>[^<>\n]{{8,{MAX_VALUE}}})</", _is_secret),
    Rule("token", _VAGUE, rf"(?:key|session|sig|jwt|webhook){_SUFFIX}{_GIVES}", _vague_given),
    Rule(
        "token",
        _PROSE,
        rf"(?:api[ -]?key|access key|[a-z]{{3,10}}s?){_BETWEEN}(?P<value>[\w+/=.:~-]{{15,{MAX_VALUE}}}[\w+/=~-])",
        _said,
    ),
    Rule(  # code that hands over an id and what goes with it
        "token",
        ("client(",),
        r"client\((?:[^()\n]{0,160}?,\s{0,4})?(?P<quote>[\"'])(?P<value>[\w-]{20,128})(?P=quote)",
        _is_drawn_value,
    ),
    Rule("token", ("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[\w/-]{8,256})"),
    Rule("token", ("/api/webhooks/",), r"/api/webhooks/(?P<value>\d{6,24}/[\w-]{8,128})"),
    Rule(
        "token",
        ("webhook.office.com/", "outlook.office.com/webhook"),
        r"(?:webhook|outlook)\.office\.com/\w{1,16}/(?P<value>[\w@/-]{16,512})",
    ),
    Rule("token", ("hooks.zapier.com/hooks/",), r"hooks\.zapier\.com/hooks/\w{1,16}/(?P<value>[\w/-]{6,128})"),
    Rule("token", ("/with/key/",), r"/with/key/(?P<value>[\w-]{16,64})"),
)
