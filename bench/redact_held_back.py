"""Formats that the rules are not tuned on: held back to tell how redaction fares with what it has not met.

Drawn as the vendors document them; most have no rule that names them, and must be known by how they look or by what is near.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Final

from bench.redact_corpus import ALNUM, ANYWHERE, BASE64, DIGITS, HEX, LOWER, UPPER, WORD, Case, Draw, of, parts, uuid

BARE: Final[dict[str, Callable[[Draw], str]]] = {
    "pinecone": parts("_", of(ALNUM, 5, "pcsk_"), of(ALNUM, 63)),
    "tavily": of(ALNUM, 32, "tvly-"),
    "firecrawl": of(HEX, 32, "fc-"),
    "jina": of(ALNUM, 60, "jina_"),
    "voyage": of(WORD, 43, "pa-"),
    "elevenlabs": of(HEX, 48, "sk_"),
    "cursor": of(HEX, 64, "key_"),
    "fireworks": of(ALNUM, 24, "fw_"),
    "mapbox": parts(".", of(ALNUM, 80, "sk.eyJ1Ijoi"), of(WORD, 22)),
    "adafruit": of(ALNUM, 28, "aio_"),
    "razorpay": of(ALNUM, 24, "rzp_live_"),
    "braintree": parts("$", of(LOWER + DIGITS, 16, "access_token$production$"), of(HEX, 32)),
    "mollie": of(ALNUM, 30, "live_"),
    "lob": of(HEX, 35, "live_"),
    "asana": parts(":", of(DIGITS, 16, "1/1"), of(HEX, 32)),
    "twitter bearer": of(ALNUM, 80, "AAAAAAAAAAAAAAAAAAAAA", "%3D"),
    "sonarqube": of(HEX, 40, "squ_"),
    "azure devops": of(LOWER + "234567", 52),
    "rancher": of("bcdfghjklmnpqrstvwxz2456789", 54),
    "kubernetes bootstrap": parts(".", of(LOWER + DIGITS, 6), of(LOWER + DIGITS, 16)),
    "confluent": of(BASE64, 64),
    "twitch": of(LOWER + DIGITS, 30, "oauth:"),
    "plaid": lambda draw: f"access-production-{uuid(draw)}",
    "wireguard": of(BASE64, 43, suffix="="),
    "okta": of(WORD, 40, "00"),
    "cohere": of(ALNUM, 40),
    "planetscale password": of(WORD, 43, "pscale_pw_"),
    "zapier": of(ALNUM, 48, "zpka_"),
    "bitbucket": of(ALNUM, 32, "ATBB"),
    "circleci project": parts("_", of(ALNUM, 22, "CCIPRJ_"), of(HEX, 40)),
    "hashicorp cloud": of(WORD, 64, "hcp."),
    "snowflake": parts("-", of(WORD, 80, "ver:1-hint:8-ETMsDgAAAX")),
    "travis": of(WORD, 22),
    "yandex": of(WORD, 35, "AQVN"),
    "segment": of(ALNUM, 40, "sgp_"),
    "ngrok": parts("_", of(ALNUM, 27), of(ALNUM, 21)),
    "redis cloud": of(ALNUM, 32),
    "typesense": of(ALNUM, 48),
}
"""A token as it may stand anywhere, also where no word says that it is one."""

LATER: Final[dict[str, Callable[[Draw], str]]] = {
    "buildkite": of(HEX, 40, "bkua_"),
    "codecov": uuid,
    "deepgram": of(HEX, 40),
    "harness": parts(".", of(WORD, 22, "pat."), of(HEX, 24), of(ALNUM, 20)),
    "launchdarkly": lambda draw: "api-" + uuid(draw),
    "onepassword": of(ALNUM, 250, "ops_eyJ"),
    "octopus": of(UPPER + DIGITS, 26, "API-"),
    "pagerduty": of(WORD, 20, "u+"),
    "prefect": of(LOWER + DIGITS, 36, "pnu_"),
    "readme": of(LOWER + DIGITS, 70, "rdme_xn8s9h"),
    "scalingo": of(WORD, 48, "tk-us-"),
    "shippo": of(HEX, 40, "shippo_live_"),
    "sourcegraph": parts("_", of(HEX, 16, "sgp_"), of(HEX, 40)),
    "intra42": of(HEX, 64, "s-s4t2ud-"),
    "nuget": of(LOWER + DIGITS, 43, "oy2"),
    "infracost": of(ALNUM, 32, "ico-"),
    "easypost": of(ALNUM, 54, "EZAK"),
    "flutterwave": of(HEX, 32, "FLWSECK-", "-X"),
    "gocardless": of(WORD, 40, "live_"),
    "openshift": of(WORD, 43, "sha256~"),
    "authress": parts(".", of(ALNUM, 10, "sc_"), of(ALNUM, 5), of(ALNUM, 32)),
    "perplexity": of(ALNUM, 48, "pplx-"),
    "xai": of(ALNUM, 80, "xai-"),
    "together": of(HEX, 64),
    "deepseek": of(HEX, 32, "sk-"),
    "langfuse": lambda draw: "sk-lf-" + uuid(draw),
    "clickhouse": of(ALNUM, 38, "4b1d"),
    "weaviate": of(ALNUM, 36),
    "neon": of(LOWER + DIGITS, 64, "napi_"),
    "turso": of(WORD, 100, "eyJhbGciOiJFZERTQSIs"),
    "upstash": of(BASE64, 44),
    "railway": uuid,
    "render": of(ALNUM, 28, "rnd_"),
    "fly": of(BASE64, 120, "FlyV1 fm2_"),
    "vercel": of(ALNUM, 24),
    "cloudflare global": of(HEX, 37),
    "fastly": of(WORD, 32),
    "akamai": parts("-", of(LOWER + DIGITS, 16, "akab"), of(LOWER + DIGITS, 16)),
    "splunk": uuid,
    "elastic": of(BASE64, 58, suffix="=="),
    "jenkins": of(HEX, 32, "11"),
    "jfrog ref": of(ALNUM, 57, "cmVmdGtu"),
    "matrix": parts("_", of(UPPER + LOWER, 24, "syt_"), of(UPPER + LOWER, 20), of(ALNUM, 6)),
    "mattermost": of(LOWER + DIGITS, 26),
    "zulip": of(ALNUM, 32),
    "line": of(BASE64, 170),
    "viber": parts("-", of(HEX, 16), of(HEX, 16), of(HEX, 16)),
    "gemini": of(WORD, 35, "AIza"),
}
"""The same, drawn up after the rules had last been changed: what they do with these nobody had looked at."""

BESIDE: Final[dict[str, tuple[Callable[[Draw], str], tuple[str, ...]]]] = {
    "api key in a header": (
        of(HEX, 32),
        ("X-Api-Key: {}", "> x-algolia-api-key: {}", "-H 'DD-API-KEY: {}'", "headers={{'X-API-KEY': '{}'}}"),
    ),
    "azure sas": (
        of(ALNUM, 43, suffix="%3D"),
        (
            "https://acct.blob.core.windows.net/c/b?sv=2022-11-02&se=2026-01-01&sp=r&sig={} 403",
            "SharedAccessSignature sr=hub&sig={}&se=1&skn=root",
        ),
    ),
    "aws presigned": (of(HEX, 64), ("GET https://b.s3.amazonaws.com/k?X-Amz-Expires=300&X-Amz-Signature={} 403 Forbidden",)),
    "netrc": (
        of(ALNUM, 14),
        ("machine git.example.com login ci password {}", "machine a.example\n  login ci\n  password {}\n"),
    ),
    "docker auth": (
        lambda draw: base64.b64encode(f"ci:{of(ALNUM, 20)(draw)}".encode()).decode(),
        ('{{"auths": {{"r.example": {{"auth": "{}"}}}}}}', "//registry.npmjs.org/:_auth={}"),
    ),
    "npm auth": (uuid, ("//registry.npmjs.org/:_authToken={}", "npm ERR! _authToken={} was refused")),
    "otp seed": (of(UPPER + "234567", 32), ("otpauth://totp/web:ci?secret={}&issuer=web", "TOTP_SEED={}", "totp secret: {}")),
    "wireguard key": (of(BASE64, 43, suffix="="), ("[Interface]\nPrivateKey = {}\nAddress = 10.8.0.2/24", "PresharedKey = {}")),
    "session cookie": (
        of(ALNUM, 32),
        ("Set-Cookie: sessionid={}; Path=/; HttpOnly", "Cookie: theme=dark; JSESSIONID={}", "curl -b 'session={}' https://x"),
    ),
    "session id": (of(HEX, 32), ("PHPSESSID={} expired", "session_id: {}", "sessionToken={}")),
    "connection string": (
        of(ALNUM + "!%", 14),
        (
            "Server=db;Database=web;User Id=sa;Password={};Encrypt=true",
            "jdbc:sqlserver://db:1433;user=sa;password={};database=web",
            "amqp://ci:{}@mq.example.com:5672/v",
            "mongodb+srv://ci:{}@c0.example.net/web?retryWrites=true",
            "redis://:{}@cache.example.com:6379/0",
            "DSN=web;UID=ci;PWD={};",
            "host=db user=ci password={} dbname=web",
        ),
    ),
    "command line": (
        of(ALNUM, 13),
        (
            "$ mysql -u root -p'{}' web",
            "$ login --user ci --password {}",
            "$ PGPASSWORD={} psql -h db",
            "$ sshpass -p {} ssh ci@web",
            "$ curl -u ci:{} https://x.example",
            "$ docker login -u ci -p {} r.example",
            "$ vault login {}",
            "$ redis-cli -a {} ping",
            "$ mc alias set s3 https://s3.example ci {}",
        ),
    ),
    "uuid of a vendor": (
        uuid,
        (
            "SNYK_TOKEN={}",
            "HEROKU_API_KEY: {}",
            "x-postmark-server-token: {}",
            "Authorization: GenieKey {}",
            "CONSUL_HTTP_TOKEN={}",
        ),
    ),
    "hex of a vendor": (
        of(HEX, 32),
        (
            "DD_APP_KEY={}",
            "newrelic license_key: {}",
            "TRELLO_TOKEN={}",
            "mailgun api key {} is invalid",
            "apikey={}&q=1",
            "Authorization: Token {}",
            "appid={} is not a valid key",
        ),
    ),
    "azure account": (
        of(BASE64, 86, suffix="=="),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",),
    ),
    "basic": (
        lambda draw: base64.b64encode(f"ci:{of(ALNUM, 16)(draw)}".encode()).decode(),
        ("Authorization: Basic {}", "proxy-authorization: basic {}", "{{'Authorization': 'Basic {}'}}"),
    ),
    "slack webhook": (
        of(ALNUM, 24),
        (
            "POST https://hooks.slack.com/services/T0ABCDEFG/B0HIJKLMN/{} 404",
            "webhook: https://hooks.slack.com/services/T0ABCDEFG/B0HIJKLMN/{}",
        ),
    ),
    "sentry dsn": (
        of(HEX, 32),
        ("SENTRY_DSN=https://{}@o447951.ingest.sentry.io/5429219", "invalid dsn https://{}@sentry.example.com/2"),
    ),
    "rails master key": (of(HEX, 32), ("RAILS_MASTER_KEY={}", "config/master.key: {}", "secret_key_base: {}")),
}
"""What is told by its surroundings."""


def held_back(seed: int, times: int) -> Iterator[Case]:
    """Every format in every text that it may stand in, `times` times, each time drawn anew."""
    draw = Draw(seed)
    for _ in range(times):
        for name, make in {**BARE, **LATER}.items():
            for text in ANYWHERE:
                secret = make(draw)
                yield Case(name, secret, text.format(secret))
        for name, (make, texts) in BESIDE.items():
            for text in texts:
                secret = make(draw)
                yield Case(name, secret, text.format(secret))
