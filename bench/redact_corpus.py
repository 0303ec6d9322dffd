"""Secrets of many formats, drawn at random, in the kinds of text that errors come in.

The formats are the vendors' own, some of which no rule of ours names.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

Draw = random.Random
_UPPER, _LOWER, _DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
_ALNUM = _UPPER + _LOWER + _DIGITS
_WORD = _ALNUM + "-_"
_HEX = "0123456789abcdef"
_BASE64 = _ALNUM + "+/"


class Case(NamedTuple):
    """One text with one secret in it."""

    format: str
    secret: str
    text: str


def _of(alphabet: str, length: int, prefix: str = "", suffix: str = "") -> Callable[[Draw], str]:
    return lambda draw: prefix + "".join(draw.choices(alphabet, k=length)) + suffix


def _uuid(draw: Draw) -> str:
    number = "".join(draw.choices(_HEX, k=32))
    return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def _parts(separator: str, *parts: Callable[[Draw], str]) -> Callable[[Draw], str]:
    return lambda draw: separator.join(part(draw) for part in parts)


def _jwt(draw: Draw) -> str:
    claims = {"sub": str(draw.randrange(10**9)), "name": "".join(draw.choices(_LOWER, k=9)), "iat": draw.randrange(10**9)}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), _of(_WORD, 43)(draw)])


# Known by their own shape: they may stand anywhere.
TOKENS: Final[dict[str, Callable[[Draw], str]]] = {
    "github classic": _of(_ALNUM, 36, "ghp_"),
    "github app": _of(_ALNUM, 36, "ghs_"),
    "github fine-grained": _parts("_", _of(_ALNUM, 22, "github_pat_"), _of(_ALNUM, 59)),
    "gitlab personal": _of(_WORD, 20, "glpat-"),
    "gitlab runner": _of(_WORD, 20, "glrt-"),
    "aws access key": _of(_UPPER + "234567", 16, "AKIA"),
    "aws session key": _of(_UPPER + "234567", 16, "ASIA"),
    "google api key": _of(_WORD, 35, "AIza"),
    "google oauth": _of(_WORD, 60, "ya29."),
    "google client secret": _of(_WORD, 28, "GOCSPX-"),
    "slack bot": _parts("-", _of(_DIGITS, 12, "xoxb-"), _of(_DIGITS, 12), _of(_ALNUM, 24)),
    "slack user": _parts("-", _of(_DIGITS, 11, "xoxp-"), _of(_DIGITS, 11), _of(_DIGITS, 12), _of(_HEX, 32)),
    "slack app": _parts("-", _of(_UPPER + _DIGITS, 11, "xapp-1-A"), _of(_DIGITS, 13), _of(_HEX, 64)),
    "stripe live": _of(_ALNUM, 24, "sk_live_"),
    "stripe restricted": _of(_ALNUM, 24, "rk_live_"),
    "stripe webhook": _of(_ALNUM, 32, "whsec_"),
    "sendgrid": _parts(".", _of(_WORD, 22, "SG."), _of(_WORD, 43)),
    "twilio key": _of(_HEX, 32, "SK"),
    "npm": _of(_ALNUM, 36, "npm_"),
    "pypi": _of(_WORD, 160, "pypi-AgEIcHlwaS5vcmc"),
    "docker hub": _of(_WORD, 27, "dckr_pat_"),
    "rubygems": _of(_HEX, 48, "rubygems_"),
    "digitalocean": _of(_HEX, 64, "dop_v1_"),
    "heroku": _of(_WORD, 58, "HRKU-AA"),
    "anthropic": _of(_WORD, 95, "sk-ant-api03-", "AA"),
    "openai": _parts("T3BlbkFJ", _of(_ALNUM, 20, "sk-"), _of(_ALNUM, 20)),
    "openai project": _of(_WORD, 120, "sk-proj-"),
    "hugging face": _of(_ALNUM, 34, "hf_"),
    "groq": _of(_ALNUM, 52, "gsk_"),
    "databricks": _of(_HEX, 32, "dapi"),
    "telegram": _parts(":", _of(_DIGITS, 9, "1"), _of(_WORD, 33, "AA")),
    "discord": _parts(".", _of(_ALNUM, 23, "M"), _of(_WORD, 6), _of(_WORD, 38)),
    "shopify": _of(_HEX, 32, "shpat_"),
    "square": _of(_WORD, 60, "EAAA"),
    "mailgun": _of(_HEX, 32, "key-"),
    "mailchimp": _parts("-us", _of(_HEX, 32), _of("123456789", 1)),
    "new relic": _of(_UPPER + _DIGITS, 27, "NRAK-"),
    "vault": _of(_WORD, 92, "hvs."),
    "terraform": _parts(".", _of(_ALNUM, 14), _of(_ALNUM, 60, "atlasv1.")),
    "atlassian": _of(_WORD, 180, "ATATT3xFfGF0", "=1A2B3C4D"),
    "linear": _of(_ALNUM, 40, "lin_api_"),
    "notion": _of(_ALNUM, 43, "ntn_"),
    "figma": _of(_WORD, 40, "figd_"),
    "grafana": _parts("_", _of(_ALNUM, 32, "glsa_"), _of(_HEX, 8)),
    "sentry": _of(_HEX, 64, "sntryu_"),
    "postman": _parts("-", _of(_HEX, 24, "PMAK-"), _of(_HEX, 34)),
    "pulumi": _of(_HEX, 40, "pul-"),
    "tailscale": _parts("-", _of(_ALNUM, 17, "tskey-auth-"), _of(_ALNUM, 32)),
    "netlify": _of(_ALNUM, 36, "nfp_"),
    "planetscale": _of(_WORD, 43, "pscale_tkn_"),
    "supabase": _of(_HEX, 40, "sbp_"),
    "dynatrace": _parts(".", _of(_UPPER + _DIGITS, 24, "dt0c01."), _of(_UPPER + _DIGITS, 64)),
    "doppler": _of(_ALNUM, 43, "dp.pt."),
    "artifactory": _of(_ALNUM, 69, "AKC"),
    "age identity": _of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, "AGE-SECRET-KEY-1"),
    "json web token": _jwt,
    # formats that no rule of ours names
    "airtable": _parts(".", _of(_ALNUM, 14, "pat"), _of(_HEX, 64)),
    "contentful": _of(_WORD, 43, "CFPAT-"),
    "brevo": _parts("-", _of(_HEX, 64, "xkeysib-"), _of(_ALNUM, 16)),
    "clojars": _of(_LOWER + _DIGITS, 60, "CLOJARS_"),
    "typeform": _of(_WORD, 59, "tfp_"),
    "unnamed, 32 mixed": _of(_ALNUM, 32),
    "unnamed, 40 base64": _of(_BASE64, 40),
    "unnamed, prefix and 32 mixed": _of(_ALNUM, 32, "acme_live_"),
}

# Known by what stands around them alone: plain hexadecimal, a UUID, what a person made up.
NAMED: Final[dict[str, tuple[Callable[[Draw], str], str]]] = {
    "datadog": (_of(_HEX, 32), "DD_API_KEY"),
    "twilio auth": (_of(_HEX, 32), "TWILIO_AUTH_TOKEN"),
    "heroku uuid": (_uuid, "HEROKU_API_KEY"),
    "azure client secret": (_of(_WORD + ".~", 40), "AZURE_CLIENT_SECRET"),
    "azure storage": (_of(_BASE64, 86, suffix="=="), "AccountKey"),
    "aws secret": (_of(_BASE64, 40), "AWS_SECRET_ACCESS_KEY"),
    "cloudflare": (_of(_WORD, 40), "CLOUDFLARE_API_TOKEN"),
    "django": (_of(_LOWER + _DIGITS + "!@#$^*-_+", 50), "SECRET_KEY"),
    "password": (_of(_ALNUM + "!%+-.", 12), "DB_PASSWORD"),
    "short password": (_of(_LOWER, 6, suffix="7"), "password"),
}
_ANYWHERE: Final = (
    "remote: Invalid credentials for {}",
    "fatal: unable to access 'https://oauth2:{}@git.example.com/app.git/': The requested URL returned error: 403",
    "curl: (22) The requested URL returned error: 401\n+ curl -sSf -H 'Authorization: Bearer {}' https://api.example.com/v1/jobs",
    "GET https://api.example.com/v1/items?access_token={}&page=2 401 Unauthorized",
    "Error: 401 Unauthorized - {} was revoked\n    at Client.request (/srv/app/node_modules/client/index.js:88:13)",
    'level=error ts=2026-01-02T03:04:05Z caller=client.go:91 msg="auth failed" token={} attempt=3',
    "error: deploy failed\n  env:\n    - name: API_TOKEN\n      value: {}\n  image: web:1.2",
    "File \"/srv/app/client.py\", line 12, in login\n    raise AuthError('bad token: {}')\nclient.AuthError: bad token",
    "$ ship login --token {} --org web\nError: unauthorized",
    "export SERVICE_TOKEN={}",
)
_UNDER_A_NAME: Final = (
    "export {}={}\n./deploy.sh: line 3: command failed",
    "docker run -e {}={} web:1.2\ndocker: Error response from daemon",
    "  {}: {}\n  PORT: 8080",
    '{{"region": "eu", "{}": "{}", "retries": 3}}',
    "config.yml: \"{}\": '{}' is not accepted",
    "PATH=/usr/bin\n{}={}\nSHELL=/bin/sh",
)
_PASSWORDS: Final = (
    "psql: error: connection to postgres://app:{}@db.example.com:5432/web failed",
    "mysql -h db -u app -p{} web\nERROR 1045 (28000): Access denied",
    "curl -u deploy:{} https://repo.example.com/upload",
    "Server=db;Database=web;User Id=app;Password={};Encrypt=true",
    "sshpass -p {} ssh deploy@build",
    "tool login --username ci --password {}",
)


def cases(seed: int, times: int) -> Iterator[Case]:
    """Every format in every text that it may stand in, `times` times, each time drawn anew."""
    draw = random.Random(seed)
    for _ in range(times):
        for name, make in TOKENS.items():
            for text in _ANYWHERE:
                secret = make(draw)
                yield Case(name, secret, text.format(secret))
        for name, (make, variable) in NAMED.items():
            for text in _UNDER_A_NAME:
                secret = make(draw)
                yield Case(name, secret, text.format(variable, secret))
        for text in _PASSWORDS:
            secret = NAMED["password"][0](draw)
            yield Case("password", secret, text.format(secret))
        for head in ("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "):
            body = "\n".join(_of(_BASE64, 64)(draw) for _ in range(6))
            key = f"-----BEGIN {head}PRIVATE KEY-----\n{body}\n-----END {head}PRIVATE KEY-----"
            yield Case("private key", body, f"error: invalid key in secret/tls:\n{key}\nsee the docs")
