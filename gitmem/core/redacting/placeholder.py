"""The placeholders of redaction: their names, how they are recognised, and what stands for them when texts are compared.

Kept apart from the rules, because matching needs these words and none of the rules' weight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

KINDS: Final = {
    "password": ("password", "passwords"),
    "token": ("token", "tokens"),
    "key": ("private key", "private keys"),
    "email": ("e-mail address", "e-mail addresses"),
    "ip": ("IP address", "IP addresses"),
    "home": ("home directory", "home directories"),
    "user": ("user name", "user names"),
}
"""Every kind of thing that is redacted, with its name for one and for many."""

PLACEHOLDER: Final = re.compile(rf"<({'|'.join(KINDS)}):[1-9][0-9]{{0,8}}>")
"""A placeholder: `<email:1>`."""

SPECIMENS: Final = {
    "password": "secret1secret1secret1",
    "token": "secret1secret1secret1",
    "key": "secret1secret1secret1",
    "email": "user@host.example",
    "ip": "10.0.0.1",
    "home": "/home/user",
    "user": "user",
}


def specimens(text: str) -> str:
    """`text` with a specimen in the place of each placeholder, so that it compares like a text that was never redacted."""
    return PLACEHOLDER.sub(lambda match: SPECIMENS[match[1]], text) if "<" in text else text


def said(found: Mapping[str, int]) -> str:
    """How many of each kind, in words: `1 e-mail address, 2 tokens`."""
    some = [(KINDS[what], found[what]) for what in KINDS if found.get(what)]
    return ", ".join(f"{count:,} {one if count == 1 else many}" for (one, many), count in some)
