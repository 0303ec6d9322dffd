"""What detect-secrets knows and our own rules do not: a second look at a text that was redacted once.

Tried on the corpus of `bench/redact.py`, on four system logs and on the output of failing commands, none of its detectors but
IPPublicDetector reports an ordinary line, and none finds anything that our rules miss. Those for a single vendor are used all
the same: others maintain them, for formats that neither our rules nor our corpus know. Left out, and why:

- KeywordDetector, BasicAuthDetector, NpmDetector, PrivateKeyDetector: ours find the same and the whole of it (the value without
  its quotes, the block and not its first line), and two of theirs take quadratic time on one long line.
- Base64HighEntropyString, HexHighEntropyString: they want quotes, and take a hash, a UUID or a long name in quotes for one.
- IPPublicDetector: ours know versions, private and IPv6 addresses as well.
- TwilioKeyDetector, TelegramBotTokenDetector, JwtTokenDetector: they also fire in the middle of a longer word.

The library costs 0.2 s to import (it brings an HTTP client for asking vendors, which is never used here), so it is imported
only where a word is left that could be one of its secrets. `match` and `used` never come here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

_DETECTORS: Final = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("cloudant", "CloudantDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("ibm_cloud_iam", "IbmCloudIamDetector"),
    ("ibm_cos_hmac", "IbmCosHmacDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("softlayer", "SoftlayerDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
)
_MAX_LINE: Final = 2_000  # characters that are looked at in one go: the library's expressions are made for lines of code
_LEAST: Final = 8


def more_secrets(text: str) -> Iterator[str]:
    """Secrets that are left in a text, as they stand in it."""
    from gitmem.core.redacting.looks import is_left

    if not is_left(text):
        return
    for line in text.split("\n"):
        for start in range(0, len(line), _MAX_LINE):
            piece = line[start : start + _MAX_LINE]
            if is_left(piece):
                for detector in _detectors():
                    yield from (str(found) for found in detector.analyze_string(piece) if len(str(found)) >= _LEAST)


@cache
def _detectors() -> tuple[Any, ...]:
    return tuple(getattr(import_module(f"detect_secrets.plugins.{module}"), name)() for module, name in _DETECTORS)
