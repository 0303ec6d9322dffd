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
UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALNUM = UPPER + LOWER + DIGITS
WORD = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE64 = ALNUM + "+/"


class Case(NamedTuple):
    """One text with one secret in it."""

    format: str
    secret: str
    text: str


def of(alphabet: str, length: int, prefix: str = "", suffix: str = "") -> Callable[[Draw], str]:
    """Draws words of a length from an alphabet."""
    return lambda draw: prefix + "".join(draw.choices(alphabet, k=length)) + suffix


def uuid(draw: Draw) -> str:
    """A random UUID."""
    number = "".join(draw.choices(HEX, k=32))
    return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def parts(separator: str, *pieces: Callable[[Draw], str]) -> Callable[[Draw], str]:
    """Several of them, joined."""
    return lambda draw: separator.join(piece(draw) for piece in pieces)


def _jwt(draw: Draw) -> str:
    claims = {"sub": str(draw.randrange(10**9)), "name": "".join(draw.choices(LOWER, k=9)), "iat": draw.randrange(10**9)}
    pieces = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in pieces), of(WORD, 43)(draw)])


# Known by their own shape: they may stand anywhere.
TOKENS: Final[dict[str, Callable[[Draw], str]]] = {
    "github classic": of(ALNUM, 36, "ghp_"),
    "github app": of(ALNUM, 36, "ghs_"),
    "github fine-grained": parts("_", of(ALNUM, 22, "github_pat_"), of(ALNUM, 59)),
    "gitlab personal": of(WORD, 20, "glpat-"),
    "gitlab runner": of(WORD, 20, "glrt-"),
    "aws access key": of(UPPER + "234567", 16, "AKIA"),
    "aws session key": of(UPPER + "234567", 16, "ASIA"),
    "google api key": of(WORD, 35, "AIza"),
    "google oauth": of(WORD, 60, "ya29."),
    "google client secret": of(WORD, 28, "GOCSPX-"),
    "slack bot": parts("-", of(DIGITS, 12, "xoxb-"), of(DIGITS, 12), of(ALNUM, 24)),
    "slack user": parts("-", of(DIGITS, 11, "xoxp-"), of(DIGITS, 11), of(DIGITS, 12), of(HEX, 32)),
    "slack app": parts("-", of(UPPER + DIGITS, 11, "xapp-1-A"), of(DIGITS, 13), of(HEX, 64)),
    "stripe live": of(ALNUM, 24, "sk_live_"),
    "stripe restricted": of(ALNUM, 24, "rk_live_"),
    "stripe webhook": of(ALNUM, 32, "whsec_"),
    "sendgrid": parts(".", of(WORD, 22, "SG."), of(WORD, 43)),
    "twilio key": of(HEX, 32, "SK"),
    "npm": of(ALNUM, 36, "npm_"),
    "pypi": of(WORD, 160, "pypi-AgEIcHlwaS5vcmc"),
    "docker hub": of(WORD, 27, "dckr_pat_"),
    "rubygems": of(HEX, 48, "rubygems_"),
    "digitalocean": of(HEX, 64, "dop_v1_"),
    "heroku": of(WORD, 58, "HRKU-AA"),
    "anthropic": of(WORD, 95, "sk-ant-api03-", "AA"),
    "openai": parts("T3BlbkFJ", of(ALNUM, 20, "sk-"), of(ALNUM, 20)),
    "openai project": of(WORD, 120, "sk-proj-"),
    "hugging face": of(ALNUM, 34, "hf_"),
    "groq": of(ALNUM, 52, "gsk_"),
    "databricks": of(HEX, 32, "dapi"),
    "telegram": parts(":", of(DIGITS, 9, "1"), of(WORD, 33, "AA")),
    "discord": parts(".", of(ALNUM, 23, "M"), of(WORD, 6), of(WORD, 38)),
    "shopify": of(HEX, 32, "shpat_"),
    "square": of(WORD, 60, "EAAA"),
    "mailgun": of(HEX, 32, "key-"),
    "mailchimp": parts("-us", of(HEX, 32), of("123456789", 1)),
    "new relic": of(UPPER + DIGITS, 27, "NRAK-"),
    "vault": of(WORD, 92, "hvs."),
    "terraform": parts(".", of(ALNUM, 14), of(ALNUM, 60, "atlasv1.")),
    "atlassian": of(WORD, 180, "ATATT3xFfGF0", "=1A2B3C4D"),
    "linear": of(ALNUM, 40, "lin_api_"),
    "notion": of(ALNUM, 43, "ntn_"),
    "figma": of(WORD, 40, "figd_"),
    "grafana": parts("_", of(ALNUM, 32, "glsa_"), of(HEX, 8)),
    "sentry": of(HEX, 64, "sntryu_"),
    "postman": parts("-", of(HEX, 24, "PMAK-"), of(HEX, 34)),
    "pulumi": of(HEX, 40, "pul-"),
    "tailscale": parts("-", of(ALNUM, 17, "tskey-auth-"), of(ALNUM, 32)),
    "netlify": of(ALNUM, 36, "nfp_"),
    "planetscale": of(WORD, 43, "pscale_tkn_"),
    "supabase": of(HEX, 40, "sbp_"),
    "dynatrace": parts(".", of(UPPER + DIGITS, 24, "dt0c01."), of(UPPER + DIGITS, 64)),
    "doppler": of(ALNUM, 43, "dp.pt."),
    "artifactory": of(ALNUM, 69, "AKC"),
    "age identity": of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, "AGE-SECRET-KEY-1"),
    "json web token": _jwt,
    # formats that no rule of ours names
    "airtable": parts(".", of(ALNUM, 14, "pat"), of(HEX, 64)),
    "contentful": of(WORD, 43, "CFPAT-"),
    "brevo": parts("-", of(HEX, 64, "xkeysib-"), of(ALNUM, 16)),
    "clojars": of(LOWER + DIGITS, 60, "CLOJARS_"),
    "typeform": of(WORD, 59, "tfp_"),
    "unnamed, 32 mixed": of(ALNUM, 32),
    "unnamed, 40 base64": of(BASE64, 40),
    "unnamed, prefix and 32 mixed": of(ALNUM, 32, "acme_live_"),
}

# Known by what stands around them alone: plain hexadecimal, a UUID, what a person made up.
NAMED: Final[dict[str, tuple[Callable[[Draw], str], str]]] = {
    "datadog": (of(HEX, 32), "DD_API_KEY"),
    "twilio auth": (of(HEX, 32), "TWILIO_AUTH_TOKEN"),
    "heroku uuid": (uuid, "HEROKU_API_KEY"),
    "azure client secret": (of(WORD + ".~", 40), "AZURE_CLIENT_SECRET"),
    "azure storage": (of(BASE64, 86, suffix="=="), "AccountKey"),
    "aws secret": (of(BASE64, 40), "AWS_SECRET_ACCESS_KEY"),
    "cloudflare": (of(WORD, 40), "CLOUDFLARE_API_TOKEN"),
    "django": (of(LOWER + DIGITS + "!@#$^*-_+", 50), "SECRET_KEY"),
    "password": (of(ALNUM + "!%+-.", 12), "DB_PASSWORD"),
    "short password": (of(LOWER, 6, suffix="7"), "password"),
}
ANYWHERE: Final = (
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
    "http -a deploy:{} https://repo.example.com/upload",
    "7z x -p{} backup.7z\nERROR: Wrong password",
    "openssl enc -d -aes-256-cbc -k {} -in dump",
    "net use X: \\\\host\\share {} /user:deploy\nSystem error 86 has occurred.",
    "htpasswd -b .htpasswd deploy {}",
    "[sudo] password for deploy: {}\nSorry, try again.",
    "config.yml: bad indentation\n  password: |\n    {}\n  user: deploy",
    "kubectl create secret generic db --from-literal=main={}",
)


def cases(seed: int, times: int) -> Iterator[Case]:
    """Every format in every text that it may stand in, `times` times, each time drawn anew."""
    draw = random.Random(seed)
    for _ in range(times):
        for name, make in TOKENS.items():
            for text in ANYWHERE:
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
            body = "\n".join(of(BASE64, 64)(draw) for _ in range(6))
            key = f"-----BEGIN {head}PRIVATE KEY-----\n{body}\n-----END {head}PRIVATE KEY-----"
            yield Case("private key", body, f"error: invalid key in secret/tls:\n{key}\nsee the docs")
