"""Signatures: ours and OpenSSH's check each other, and nothing else passes."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.crypto.derive import index_key, length_prefixed
from gitmem.crypto.signing import SigningKey, fingerprint, verify
from gitmem.errors import Tampered, UsageError

SECRET: Final = bytes(range(32))
KEY: Final = SigningKey.derive(SECRET, "store-1")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


@given(st.binary(max_size=300))
def test_a_signature_holds(data: bytes) -> None:
    """What was signed verifies."""
    verify(KEY.public, data, KEY.sign(data))


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_changed_bit_in_the_data_fails(data: bytes, draw: st.DataObject) -> None:
    """A signature covers every bit."""
    position = draw.draw(st.integers(0, len(data) * 8 - 1))
    changed = bytearray(data)
    changed[position // 8] ^= 1 << position % 8
    with pytest.raises(Tampered, match="SHA256:"):
        verify(KEY.public, bytes(changed), KEY.sign(data))


def test_a_changed_character_in_the_signature_fails() -> None:
    """There is one spelling of a signature: every character of it counts."""
    armored = KEY.sign(b"data")
    for position, char in enumerate(armored):
        other = "A" if char != "A" else "B"
        with pytest.raises(Tampered):
            verify(KEY.public, b"data", armored[:position] + other + armored[position + 1 :])


@pytest.mark.parametrize("armored", ["", "x", "é", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"])
def test_garbage_is_no_signature(armored: str) -> None:
    """Anything that is no signature is tampering, not a crash."""
    with pytest.raises(Tampered):
        verify(KEY.public, b"data", armored)


def test_added_space_fails() -> None:
    """Blank lines, other line ends or a longer last line are other spellings."""
    armored = KEY.sign(b"data")
    for other in (armored + "\n", armored[:-1], armored.replace("\n", "\r\n"), " " + armored):
        with pytest.raises(Tampered):
            verify(KEY.public, b"data", other)


def test_another_key_fails() -> None:
    """A signature by somebody else does not pass under this member's key."""
    other = SigningKey.derive(SECRET, "store-2")
    assert other.public != KEY.public
    with pytest.raises(Tampered):
        verify(KEY.public, b"data", other.sign(b"data"))


def test_another_hash_fails() -> None:
    """The envelope's hash cannot be talked down."""
    armored = KEY.sign(b"data")
    body = base64.b64decode("".join(armored.splitlines()[1:-1]))
    weaker = base64.b64encode(body.replace(length_prefixed(b"sha512"), length_prefixed(b"sha256"))).decode()
    lines = [weaker[start : start + 70] for start in range(0, len(weaker), 70)]
    with pytest.raises(Tampered):
        verify(KEY.public, b"data", "\n".join([armored.splitlines()[0], *lines, armored.splitlines()[-1], ""]))


@pytest.mark.parametrize("public", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 é", "ssh-rsa AAAA", "age1qqq"])
def test_what_is_no_key_is_refused(public: str) -> None:
    """A public key of another kind or form is a usage error that names it."""
    with pytest.raises(UsageError):
        verify(public, b"data", KEY.sign(b"data"))


def test_derived_keys_are_their_own() -> None:
    """Signing and index keys are the same in every run, and differ by secret, store and replica."""
    assert KEY.public == "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKm7GPCAfF/vhnlmeh8aVE6oTQvZk2CkHGGfKxRDhjqm"
    assert index_key(SECRET, "store-1", "k3v9q2xa").hex() == "f4411dd9f3da3186fa6f278e9b73d330bb51e0f6d86fd93bc182da767239df6a"
    keys = {index_key(secret, store, replica) for secret in (b"a", b"b") for store in "st" for replica in ("k1", "k2")}
    assert len(keys) == 8


def test_the_frozen_signature_holds() -> None:
    """A signature in format 1 is accepted for ever (Ed25519 is deterministic, so it is also what is written)."""
    frozen = """-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgqbsY8IB8X++GeWZ6HxpUTqhNC9
mTYKQcYZ8rFEOGOqYAAAAGZ2l0bWVtAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1
NTE5AAAAQJCH46r6j1any/jzBcWbVQMRJyN3LvaygvmtAcyGY6/dGRA4FxhIYZaJATS5OI
Ys9D/9A8Dxfi5qvD7J49M/+gg=
-----END SSH SIGNATURE-----
"""
    assert KEY.sign(b"frozen") == frozen
    verify(KEY.public, b"frozen", frozen)


def test_the_representation_hides_the_key() -> None:
    """Only the fingerprint is shown."""
    assert repr(KEY) == f"SigningKey({fingerprint(KEY.public)})"


@needs_ssh
def test_ssh_keygen_accepts_ours(tmp_path: Path) -> None:
    """`ssh-keygen -Y verify` checks a signature of ours, and refuses it for other data."""
    (tmp_path / "allowed").write_text(f"alice {KEY.public}\n")
    (tmp_path / "sig").write_text(KEY.sign(b"one entry\n"))
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "alice", "-n", "gitmem", "-s", "sig"]
    good = subprocess.run(command, input=b"one entry\n", cwd=tmp_path, capture_output=True, check=False)
    bad = subprocess.run(command, input=b"two entries\n", cwd=tmp_path, capture_output=True, check=False)
    assert good.returncode == 0, good.stderr
    assert fingerprint(KEY.public).encode() in good.stdout
    assert bad.returncode != 0


@needs_ssh
def test_we_accept_ssh_keygens(tmp_path: Path) -> None:
    """A signature by `ssh-keygen -Y sign` verifies here, in our namespace only; fingerprints agree."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a b", "-f", tmp_path / "key"], check=True)
    public = (tmp_path / "key.pub").read_text()

    def sign(namespace: str) -> str:
        command = ["ssh-keygen", "-Y", "sign", "-f", tmp_path / "key", "-n", namespace]
        return subprocess.run(command, input=b"entry", capture_output=True, check=True).stdout.decode()

    verify(public, b"entry", sign("gitmem"))
    with pytest.raises(Tampered):
        verify(public, b"entry", sign("git"))
    listed = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, check=True)
    assert fingerprint(public) in listed.stdout.decode().split()
