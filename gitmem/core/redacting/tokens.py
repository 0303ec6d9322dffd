"""Secrets that are known by their own shape: what vendors put in front of their tokens, and words drawn at random."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from gitmem.core.redacting.looks import is_likely, is_random
from gitmem.core.redacting.rules import Rule, Span, View, apply, compiled

# What follows a beginning that vendors give their tokens: the least that was seen, since formats grow. `\w` is ASCII here.
_SHAPES: Final = {
    # GitHub, npm, Hugging Face, Groq, Replicate, Perplexity, xAI, Netlify, PostHog
    "[A-Za-z0-9]{30,}": "ghp_ gho_ ghu_ ghs_ ghr_ npm_ hf_ api_org_ gsk_ r8_ pplx- xai- nfp_ phc_ phx_ AKID",
    # GitHub, CircleCI, Sourcegraph, Grafana
    r"\w{20,}": "github_pat_ CCIPAT_ sgp_ glsa_",
    # GitLab, Google, Docker Hub, Square, New Relic, Vault, Terraform, Figma, Supabase
    r"[\w-]{20,}(?:\.[\w-]{2,})*": (
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas- GOCSPX- ya29. dckr_pat_ dckr_oat_ sq0atp-"
        " sq0csp- sq0idp- NRII- hvs. hvb. hvr. s.hvs. figd_ sb_secret_ sk- HRKU-AA"
    ),
    r"[\w-]{30,}": "AIza HRKU- 1//0 fo1_ pypi- EAAA CFPAT- sha256~ fio-u- duffel_live_ duffel_test_ sl.",
    "[A-Z0-9]{16}": "AKIA ASIA ABIA ACCA A3T",
    "[A-Z0-9]{20,}": "NRAK-",
    "[A-Za-z0-9]{16,}": "sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_ LTAI lin_api_ ATBB vercel_",
    "[A-Za-z0-9]{32,}": "secret_ ntn_ rubygems_ ico- AKC EAAC EAAG EZAK EZTK cmVmdGtu",
    "[a-z0-9]{40,}": "oy2 rdme_",
    # DigitalOcean, Shopify, Databricks, Mailgun, Sentry, Pulumi, Buildkite, Shippo
    "[0-9a-f]{24,}": "dop_v1_ doo_v1_ dor_v1_ shpat_ shpss_ shpca_ shppa_ sntryu_ pul- sbp_ bkua_ NRRA- shippo_live_"
    " shippo_test_",
    r"[0-9a-f]{32}(?:-\w{1,32})*": "dapi dose key- pubkey-",
    r"[\w+/=-]{20,}": "whsec_ sntrys_ glc_ ATATT3 ATCTT3 eyJrIjoi fm1r_ fm1a_ fm2_ ABSK ops_eyJ",
    r"[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}": "xox",
    r"\d-[A-Za-z0-9-]{10,}": "xapp-",
    r"[\w-]{16,}\.[\w-]{16,}": "SG.",
    r"[0-9a-f]{24}-[0-9a-f]{30,}": "PMAK- v1.0-",
    r"(?:tkn|pw|oauth)_[\w.=-]{20,}": "pscale_",
    r"[A-Za-z0-9]{6,12}_[A-Za-z0-9]{16,}": "re_",
    r"[a-z]{3,10}-[A-Za-z0-9-]{16,}": "tskey-",
    r"(?:pt|st|ct|scim|audit)\.[\w.-]{20,}": "dp.",
    r"[A-Z0-9]{20,}(?:\.[A-Z0-9]{30,})?": "dt0c01. dt0s01. dt0s02. dt0s04. dt0s06. dt0s16.",
    r"[0-9a-f]{64}-\w{16}": "xkeysib- xsmtpsib-",
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}": "pat-na1- pat-eu1- sdk- mob-",
    r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}": "lsv2_",
    r"(?:_TEST)?-[\w-]{12,}": "FLWSECK",
    r"[A-Za-z0-9]{14}\.[0-9a-f]{64}": "pat",
    r"[\w:]{20,}": "AstraCS:",
    r"[\w=-]{5,}(?:\.[\w=-]{4,}){1,4}\.?": "eyJ",  # JSON Web Tokens
}
_TERRAFORM: Final = Rule(
    "token", (".atlasv1.",), r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}", exact=True, behind=14
)
# Of several parts, of which a mark keeps one from the others: a number or a name, and what was drawn at random.
_NUMBERED_HEX: Final = r"(?<![\w.:/-])(?:\d/)?\d{8,20}:[0-9a-f]{32,64}(?!\w)"
_JOINED: Final = (
    Rule("token", ("access_token$",), r"access_token\$[a-z]{4,12}\$[a-z0-9]{8,24}\$[0-9a-f]{32}", exact=True),
    Rule("token", ("ver:",), r"ver:\d{1,2}-hint:\d{1,12}-[\w+/=-]{20,2048}", exact=True),
    Rule(
        "token",
        (".",),
        r"(?<![\w./-])(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6}\.(?=(?:[a-z]*\d){2})(?=(?:\d*[a-z]){4})[a-z0-9]{16}(?![\w./-])",
        exact=True,
        behind=6,
    ),
)
_AGE: Final = Rule("key", ("age-secret-key-",), "age-secret-key-(?:pq-)?1[0-9a-z]{20,}")
_WORD: Final = r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}"
_TWILIO_OR_MAILCHIMP: Final = r"(?:AC|SK|AP|CA|PK)[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}"
_NAMED_HEX: Final = r"[a-z][a-z0-9]{1,9}(?:_[a-z0-9]{1,8}){0,2}_[0-9a-f]{32,}"
_SHORT_NAMED_HEX: Final = (
    r"(?!(?:req|job|img|vol|web|app|log|tmp|run|pod|net|vpc|ami|snap|sha|md5|rev|tag|msg|obj|ref|doc|row|uid|gid|pid|api|dev|srv|svc"
    r"|ci|id|tx|op|db|lb|sg|vm|fs|ns|ip|tid|sid|cid|rid|etag|node|disk|task|file|blob|hash|span)-)[a-z]{2,4}-[0-9a-f]{32,}"
)
_KEYED_UUID: Final = (
    r"(?:[a-z]{2,12}-)*(?:access|secret|token|key|auth|live)-(?:[a-z]{2,12}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_HASH_NAMES: Final = (
    r"(?:sha|md|hash|commit|blob|tree|rev|digest|id|uuid|etag|trace|span|req|msg|img|image|layer|vol|container|task|job|file|tmp|cache"
    r"|build|net|pod|node|instance|block|tx|proc)[a-z0-9]*_.*"
)
_TELEGRAM_BEFORE: Final = r"(?<![\w.-])\d{8,10}:\Z"
_DISCORD: Final = r"[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])"
_DIGEST_BEFORE: Final = ("sha256:", "sha256-", "sha512-", "sha384-", "sha1-", "ssh-rsa ", "md5:", "md5-", "base64,", "h1:")


def tokens(view: View) -> Iterator[Span]:
    """Every word that is a token by its shape."""
    for pair in compiled(_NUMBERED_HEX).finditer(view.text) if ":" in view.text else ():
        yield Span(*pair.span(), "token")
    words = list(compiled(_WORD).finditer(view.text))
    likely = {word for word in {match[0] for match in words} if is_likely(word)}
    if not likely:
        return
    yield from apply([_AGE, _TERRAFORM, *_JOINED, *_rules_for("\n".join(likely))], view)
    for match in words:
        if match[0] in likely:
            yield from _token(match, view.text)


def _rules_for(words: str) -> list[Rule]:
    """The rules that may apply to words; a beginning that ends in no letter of a word cannot be told from them."""
    return [rule for prefix, rule in _rules() if prefix is None or prefix in words]


@cache
def _rules() -> tuple[tuple[str | None, Rule], ...]:
    """One rule for each beginning, with that beginning where it is a part of the word."""
    return tuple(
        (
            prefix if re.fullmatch(r"[\w/-]+", prefix) else None,
            Rule("token", (prefix,), rf"(?a:(?<![A-Za-z0-9]){re.escape(prefix)}{rest})", exact=True),
        )
        for rest, prefixes in _SHAPES.items()
        for prefix in prefixes.split()
    )


def _token(match: re.Match[str], text: str) -> Iterator[Span]:
    """The word as a token, with what belongs to it on either side."""
    word, (start, end) = match[0].rstrip("="), match.span()
    before = text[max(0, start - 12) : start]
    number = compiled(_TELEGRAM_BEFORE).search(before) if len(word) == 35 else None
    if number:
        yield Span(start - len(number[0]), end, "token")
    elif word[0] in "MNO" and (discord := compiled(_DISCORD).match(text, start)):
        yield Span(*discord.span(), "token")
    elif not before.lower().endswith(_DIGEST_BEFORE) and _is_token(word):
        yield Span(start, end, "token")


def _is_token(word: str) -> bool:
    if any(compiled(shape).fullmatch(word) for shape in (_TWILIO_OR_MAILCHIMP, _SHORT_NAMED_HEX, _KEYED_UUID)):
        return True
    if compiled(_NAMED_HEX).fullmatch(word):
        return not compiled(_HASH_NAMES).fullmatch(word)
    parts = word.split("/")
    if len(parts) > 1 and any(len(part) >= 4 and part.isalpha() and part.islower() for part in parts):
        return False  # a path; base64 has its slashes anywhere
    return is_random(word)
