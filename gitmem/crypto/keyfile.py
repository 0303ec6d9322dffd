"""Reading identities from text: an age identity file, or an SSH private key."""

from __future__ import annotations

from typing import Final

from gitmem.crypto.identity import Ask, Identity, Unusable, from_age

AGE_SECRET: Final = "AGE-SECRET-KEY-1"  # noqa: S105 - the public prefix of every X25519 identity

_AGE_FILE: Final = ("age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----")


def parse_identities(text: str, source: str, ask: Ask | None) -> tuple[list[Identity], list[str]]:
    """The identities in the text of an identity file or of an SSH private key, and why others in it are unusable.

    `ask` is called for a passphrase when an SSH key has one. Raises Unusable when the text as a whole is no such thing.
    """
    text = text.strip()
    if text.startswith(_AGE_FILE):
        raise Unusable("is itself encrypted by age; have GITMEM_IDENTITY_CMD decrypt it")
    if text.startswith("-----BEGIN "):
        from gitmem.crypto.sshkey import load_ssh_key

        return [load_ssh_key(text, source, ask)], []
    return _parse_lines(text, source)


def _parse_lines(text: str, source: str) -> tuple[list[Identity], list[str]]:
    """The lines of an age identity file; a line that is no key spoils none of the others."""
    identities: list[Identity] = []
    problems: list[str] = []
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            identities.append(_parse_line(line, source))
        except Unusable as why:
            problems.append(f"line {number} {why}")
    if not identities and not problems:
        raise Unusable("holds no key")
    return identities, problems


def _parse_line(line: str, source: str) -> Identity:
    from pyrage import IdentityError, x25519

    if line.startswith("AGE-PLUGIN-"):
        raise Unusable("needs an age plugin, which gitmem does not run")
    try:
        return from_age(x25519.Identity.from_str(line), source)
    except IdentityError:
        raise Unusable(f"is no age identity ({AGE_SECRET}…)") from None
