"""Signing with an SSH key that somebody has already, by `ssh-keygen`: it knows encrypted keys, agents and hardware."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from gitmem.crypto.signing import NAMESPACE, fingerprint
from gitmem.errors import GitmemError, UsageError

_PATIENCE: Final = 120.0  # seconds: somebody may be looking for a hardware key


def public_of(key: Path) -> str:
    """The public half of the key in a file, without its comment. Raises UsageError for what is no Ed25519 key."""
    beside = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    try:
        line = beside.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        line = _run("-y", "-f", str(key)).decode()
    public = " ".join(line.split()[:2])
    fingerprint(public)
    return public


def sign_with(key: Path, data: bytes) -> str:
    """The armored signature of the key in a file (its public half, where an agent holds it) over exactly `data`."""
    return _run("-Y", "sign", "-n", NAMESPACE, "-f", str(key), input=data).decode()


def _run(*args: str, input: bytes | None = None) -> bytes:  # noqa: A002 (the name subprocess uses)
    try:
        done = subprocess.run(["ssh-keygen", *args], input=input, capture_output=True, timeout=_PATIENCE, check=False)
    except FileNotFoundError:
        raise GitmemError("ssh-keygen is not installed", "install OpenSSH's client, or sign as a member") from None
    except subprocess.TimeoutExpired:
        raise GitmemError("ssh-keygen did not answer", "try again") from None
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"ssh-keygen: {why[-1] if why else 'failed'}", "name an SSH key file: --key ~/.ssh/id_ed25519")
    return done.stdout
