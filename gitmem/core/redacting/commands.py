"""Passwords on command lines, each where its program takes it; and blocks, in which a secret has lines of its own."""

from __future__ import annotations

import re
from typing import Final

from gitmem.core.redacting.looks import is_chosen, is_method, is_nothing, is_reference
from gitmem.core.redacting.rules import Rule

QUOTED: Final = r"(?P<quote>[\"'])?(?P<value>(?(quote)[^\"'\n]|[^\s\"'<>|;&]){1,256})"
BLANK: Final = r"[ \t]{1,3}"
WORD: Final = r"[^\s\"'<>|;&]{1,256}"
_READER: Final = (
    r"(?:sudo[ \t][^\n|]{0,40}?-\w{0,4}S\b|(?:sudo[ \t]{1,3})?(?:chpasswd|kinit|passwd|cryptsetup)\b"
    r"|[^\n|]{1,120}--pass(?:wd|word|phrase)-(?:on-)?(?:stdin|fd))"
)
"""What reads a password from its standard input."""
ENDS: Final = r"(?=[ \t]*(?:$|[\n|;&\"'`)]))"


def written(match: re.Match[str]) -> bool:
    """A value that is written out, if only as `secret`, and not a reference to it."""
    return not is_reference(match["value"])


def some(match: re.Match[str]) -> bool:
    """A value that says more than that there is none."""
    return not is_nothing(match["value"])


def _fed(match: re.Match[str]) -> bool:
    """What is fed to a program that asks for a password."""
    before = match.string[max(0, match.start() - 120) : match.start()].rpartition("\n")[2]
    return written(match) and re.search(r"(?:kinit|passwd|sudo[^|;]*-S|cryptsetup|--password-stdin)\b", before) is not None


def _encoded(match: re.Match[str]) -> bool:
    return not match["value"].isalpha() or not (match["value"].isupper() or match["value"].islower())


def _sent(match: re.Match[str]) -> bool:
    """What a client sends to a server for a password; not the ways that a server offers, nor the next word of a sentence."""
    typed = match["open"] or (
        match["user"] is None and re.search(r"> ?\Z", match.string[max(0, match.start() - 2) : match.start()])
    )
    return (is_chosen(match["value"]) and not is_method(match["value"])) or bool(typed and some(match))


def _of_option(match: re.Match[str]) -> bool:
    """A password that is written out, in a word that begins with dashes."""
    before = match.string[max(0, match.start() - 32) : match.start() + 1]
    return written(match) and re.search(r"(?:^|\s)--?[\w-]*\Z", before) is not None


def _to_database(match: re.Match[str]) -> bool:
    """What a database is opened with; others connect as well, to sockets and to signals."""
    before = match.string[max(0, match.start() - 32) : match.start()]
    named = re.search(r"(?:sql|pg|db|oci|odbc|maria|psycopg\d?)\w{0,12}(?:\.|_|->)(?:p|real_)?\Z", before, re.IGNORECASE)
    return some(match) and (named is not None or not match[0].lower().startswith("connect"))


def _held(match: re.Match[str]) -> bool:
    return not re.search(
        r"(?:name|type|id|policy|hint|prompt|file|path|description|help|message|s)$", match["suffix"]
    ) and some(match)


def _command(names: str, flag: str, value: str = QUOTED) -> str:
    """A program, some words on the same line, and the option that carries a password."""
    return rf"(?<![\w-])(?:{names})(?![\w-])[^\n|;]{{0,200}}?[ \t]{flag}{value}"


COMMANDS: Final = (
    Rule(
        "password",
        ("curl", "wget", "http", "etcdctl"),
        _command(
            "curl|wget|https?(?:ie)?|etcdctl",
            r"(?:-[A-Za-z]{0,6}u|--user|--proxy-user|-a|--auth)[ \t=]{0,2}",
            r"(?P<quote>[\"'])?[^\s:\"'<>/]{0,64}:(?P<value>(?(quote)[^\"'\n<>]|[^\s\"'<>]){1,256})",
        ),
        written,
    ),
    Rule("password", ("mysql", "mariadb", "mysqladmin"), _command(r"mysql\w*|mariadb[\w-]*", "-p"), some),
    Rule(
        "password",
        (
            "sshpass",
            "docker",
            "podman",
            "helm",
            "az ",
            "mongo",
            "cqlsh",
            "oc ",
            "twine",
            "rdesktop",
            "psexec",
            "nxc ",
            "netexec",
            "crackmapexec",
            "evil-winrm",
            "ncftp",
            "useradd",
            "usermod",
        ),
        _command(
            r"sshpass|docker|podman|helm|az|mongo\w*|cqlsh|oc|twine|rdesktop|psexec|nxc|netexec|crackmapexec|evil-winrm|ncftp|user(?:add|mod)",
            r"(?:login\b[^\n|;]{0,120}[ \t])?(?<=[ \t])-p[ \t=]?(?![ \t]?\d{1,5}[:/]|\d{1,5}\b)",
        ),
        some,
    ),
    Rule("password", ("redis-cli",), _command("redis-cli", r"-a[ \t]+"), some),
    Rule("password", ("ldap",), _command(r"ldap\w+", r"-w[ \t]*"), some),
    Rule(
        "password",
        ("sqlcmd", "bcp ", "unzip", "zip ", "ipmitool", "mosquitto_", "tsql", "isql", "osql", "p4 "),
        _command(r"sqlcmd|bcp|p4|unzip|zip|ipmitool|mosquitto_\w+|tsql|isql|osql", r"-P[ \t]*"),
        some,
        exact=True,
    ),
    Rule(
        "password",
        ("smbclient", "mount", "rpcclient"),
        _command("smbclient|mount|rpcclient", r"-U[ \t]*", r"(?P<quote>[\"'])?[^\s%\"']{1,64}%(?P<value>[^\s\"'<>]{1,256})"),
        exact=True,
    ),
    Rule("password", ("7z", "unrar", "rar"), _command("7z[azr]?|unrar|rar", r"-h?p(?=\S)"), some, gate=" -"),
    Rule("password", ("openssl",), _command("openssl", r"-k[ \t]+"), some),
    Rule("password", ("plink", "pscp", "psftp", "putty"), _command("plink|pscp|psftp|putty", r"-pw[ \t]+"), some),
    Rule(
        "password",
        ("securestring",),
        r"securestring[ \t]+(?:-string[ \t]+)?(?P<quote>[\"'])(?P<value>[^\"'\n<>]{1,256})(?P=quote)",
        some,
    ),
    Rule(
        "password", ("set password for",), r"set password for [^\n=]{1,128}=[ \t]*[\"'](?P<value>[^\"'\n<>]{1,256})[\"']", some
    ),
    *(Rule("password", ("ssh-keygen",), _command("ssh-keygen", rf"-{flag}[ \t]+"), some, exact=True) for flag in "NP"),
    *(Rule("password", ("snmp",), _command(r"snmp\w+", rf"-{flag}[ \t]+"), some, exact=True) for flag in "AXc"),
    Rule("password", ("swaks", "pdftotext", "pdftoppm", "pdfinfo"), _command(r"swaks|pdf\w+", r"-(?:ap|upw|opw)[ \t]+"), some),
    Rule("password", ("pdftk",), _command("pdftk", r"(?:input|user|owner)_pw[ \t]+"), some),
    Rule(
        "password", ("keytool", "jarsigner"), _command("keytool|jarsigner", r"-(?:src|dest|new)?(?:store|key)pass[ \t]+"), some
    ),
    Rule(  # whatever the program: who names a user names their password
        "password",
        (" -u ", " --user ", " --username ", " --user=", " --username="),
        rf" (?:-u|--user(?:name)?)[ =]{WORD}[^\n|;&]{{0,120}}?[ ]-p(?:[ ]|(?=[^\s\d-]))(?![\d.:]+/?\w*(?:\s|$))(?!-){QUOTED}",
        some,
    ),
    Rule(
        "password",
        ("creds", "credential", "-auth", "userpwd"),
        r"(?:creds?|credentials?|-auth|userpwd)[ =][\"']?[^\s:/\"'<>=]{1,64}:"
        r"(?P<value>[^\s\"'<>|;&/]{1,256})(?=[\s\"']|$)",
        _of_option,
    ),
    Rule("password", ("http-basic.",), rf"http-basic\.{WORD}{BLANK}{WORD}{BLANK}{QUOTED}", some),
    Rule("password", ("keypass ",), rf"(?<=-)keypass{BLANK}{QUOTED}", some),
    Rule("password", ("freerdp", "cmdkey"), _command(r"\w*freerdp|cmdkey", r"/p(?:ass)?:"), some, behind=4),
    Rule("password", ("schtasks",), _command("schtasks", r"/rp[ \t]+"), some),
    Rule("password", ("winrs",), _command("winrs", r"[-/]p(?:assword)?:"), some),
    Rule("password", (" -password ", " -passwd ", " -pwd "), rf" -(?:password|passwd|pwd) {{1,3}}(?!-){QUOTED}", some),
    Rule("password", ("lftp",), _command("lftp", r"-u[ \t]{0,3}[^\s,]{1,64},"), some),
    Rule(
        "password",
        ("sqlplus", "rman ", "expdp", "impdp", "sqlldr"),
        _command(r"sqlplus|rman|expdp|impdp|sqlldr", r"[\w$#.-]{1,64}/", r"(?P<value>[^\s\"'<>|;&@/]{1,256})(?=@|\s|$)"),
        some,
    ),
    Rule("password", ("nmcli",), _command("nmcli", r"password[ \t]+"), some),
    Rule("password", ("wpa_passphrase",), rf"wpa_passphrase{BLANK}{WORD}{BLANK}{QUOTED}", some),
    Rule(
        "password",
        ("rabbitmqctl",),
        rf"rabbitmqctl[^\n|;]{{0,80}}?[ \t](?:add_user|change_password){BLANK}{WORD}{BLANK}{QUOTED}",
        some,
    ),
    Rule("password", ("htpasswd",), rf"htpasswd[ \t][^\n|;&]{{0,80}}?-\w{{0,6}}b[^\n|;&]{{0,200}}[ \t]{QUOTED}{ENDS}", some),
    Rule(
        "password",
        ("net use ",),
        rf"net use{BLANK}(?:(?:[a-z]:|\*){BLANK})?\\{{2,4}}[^\s\"'<>]{{1,256}}{BLANK}(?:/user:{WORD}{BLANK})?"
        rf"(?![/*]){QUOTED}",
        some,
    ),
    Rule(
        "password",
        ("net user ",),
        rf"(?<![a-z] )net user{BLANK}(?![/*]){WORD}{BLANK}(?![/*]){QUOTED}(?=[ \t]{{1,3}}/|[ \t]*(?:$|\n))",
        some,
    ),
    Rule("password", ("smbclient",), rf"smbclient{BLANK}[\\/]{{2,4}}{WORD}{BLANK}(?!-){QUOTED}", some),
    *(Rule("password", ("qpdf --encrypt",), rf"qpdf --encrypt{before}{BLANK}{QUOTED}", some) for before in ("", BLANK + WORD)),
    Rule(
        "password",
        ("echo ", "printf "),
        rf"(?:echo|printf){BLANK}(?:-\w{{1,3}}{BLANK})?(?:[\"']?%s(?:\\n)?[\"']?{BLANK})?{QUOTED}"
        rf"[\"']?[ \t]{{0,3}}\|[ \t]{{0,3}}{_READER}",
        written,
    ),
    Rule("password", ("<<<",), rf"<<<[ \t]{{0,3}}{QUOTED}{ENDS}", _fed),
    Rule("token", ("--from-literal",), rf"--from-literal[= \t][\"']?[\w.-]{{1,128}}=(?P<value>{WORD})", some),
    Rule("token", ("user-secrets set",), rf"user-secrets set{BLANK}{WORD}{BLANK}(?!-){QUOTED}", some),
    Rule(
        "token",
        ("config set --secret", "config set"),
        rf"(?<=pulumi )config set[^\n|;]{{0,40}}?--secret{BLANK}{WORD}{BLANK}{QUOTED}",
        some,
    ),
    Rule("token", ("gh secret set",), r"gh secret set[^\n|;]{0,80}?[ \t](?:-b|--body)[ \t=]{0,3}" + QUOTED, some),
    Rule("token", ("vault ",), r"vault login[ \t][^\n|;<>]{0,120}?(?<=[ \t=])(?P<value>(?:hv)?[sbr]\.[\w.-]{8,256})"),
    Rule("token", ("unseal ",), r"(?<=[ ])unseal[ \t]{1,3}(?P<value>[A-Za-z0-9+/=]{16,256})", some, behind=0),
    Rule("password", ("requirepass", "masterauth"), rf"(?:requirepass|masterauth)[\"']?{BLANK}{QUOTED}{ENDS}", some),
    Rule(
        "password",
        ("user ",),
        r"USER[ \t][^\n]{1,128}\n(?:[^\n]{0,128}\n){0,2}[^\n]{0,24}?(?<![^\s>])PASS[ \t](?P<value>[^\s<>]{1,256})",
        some,
    ),
    Rule(
        "password",
        ("auth plain ", "auth login "),
        r"auth (?:plain|login) (?P<value>[A-Za-z0-9+/]{10,256}={0,2})(?=\s|$)",
        _encoded,
    ),
    Rule(
        "password",
        ("AUTH ", 'AUTH" '),
        r"(?<![\w-])AUTH(?P<open>\"?)[ \t]{1,2}(?P<user>\"?[^\s\"'<>]{1,128}\"?[ \t]{1,2})?(?P<quote>\"?)"
        rf"(?P<value>[^\s\"'<>]{{1,256}})(?P=quote){ENDS}",
        _sent,
        exact=True,
    ),
    Rule(
        "password",
        ("LOGIN ",),
        rf"(?<=[\w>] )LOGIN[ ](?:<\w{{1,8}}:\d{{1,6}}>|{WORD})[ ](?P<quote>\"?)(?P<value>[^\s\"'<>]{{1,256}})(?P=quote)"
        rf"{ENDS}",
        lambda match: is_chosen(match["value"]),
        exact=True,
    ),
    Rule(  # a user's name and what goes with it, as code hands them over
        "password",
        ("login(", "authenticate(", "auth=(", "auth = (", "basicauth(", ".auth("),
        r"(?:login|authenticate|auth(?: = |=)|basicauth|\.auth)\(\s{0,4}[a-z]?(?P<open>[\"'])[^\"'\n]{1,128}(?P=open)[ \t]?,"
        r"[ \t]{0,4}[a-z]?(?P<quote>[\"'])(?P<value>[^\"'\n<>]{1,256})(?P=quote)",
        some,
    ),
    Rule(  # where to, as whom, and with what: in code, and as PHP shows it in a trace
        "password",
        ("connect(", "getconnection(", "__construct(", "new pdo(", "new mysqli("),
        r"(?:connect|getconnection|(?<=pdo->)__construct|(?<=mysqli->)__construct|new pdo|new mysqli)\(\s{0,4}"
        r"(?:[\"'][^\"'\n]{0,256}[\"'],\s{0,4}){2}(?P<quote>[\"'])(?P<value>[^\"'\n<>]{1,256})(?P=quote)",
        _to_database,
    ),
    Rule("password", ("password(",), r"(?<![\w.])password\((?P<quote>[\"'])(?P<value>[^\"'\n<>]{1,256})(?P=quote)\)", some),
    Rule(
        "password",
        ("basic_auth", "basic-auth"),
        r"basic[_-]auth[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?[^\s:\"']{1,64}:(?P<value>[^\s\"'<>/]{1,256})",
        some,
    ),
)

BLOCKS: Final = (
    Rule(
        "password",
        ("password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "api-key"),
        r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key)(?P<suffix>[\w-]{0,24})[\"']?:[ \t]{1,4}[|>][-+\d]{0,2}"
        r"[ \t]{0,4}\r?\n(?P<indent>[ \t]{1,32})(?P<value>[^\n]{1,1024}(?:\n(?P=indent)[^\n]{1,1024}){0,16})",
        _held,
    ),
)
"""A value of YAML on the lines below its name."""
