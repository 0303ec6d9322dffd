"""SSH private keys as identities: Ed25519 and RSA, in OpenSSH or PEM form, with or without a passphrase.

age opens files with an unencrypted key only, so a passphrase is taken off here, in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.crypto.identity import Ask, Identity, Unusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPrivateKeyTypes

_RSA_BITS = 2048  # age refuses shorter keys


def load_ssh_key(text: str, source: str, ask: Ask | None) -> Identity:
    """The identity in the text of an SSH private key. Raises Unusable, with the reason, when it cannot be used."""
    from cryptography.hazmat.primitives import serialization as form
    from pyrage import IdentityError, ssh

    key = _load(text, source, ask)
    plain = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    try:
        opener = ssh.Identity.from_buffer(plain)
    except IdentityError:
        raise Unusable("is an SSH key that age cannot use") from None
    return Identity(source, public.decode(), opener, plain.decode(), _secret(key))


def _load(text: str, source: str, ask: Ask | None) -> SSHPrivateKeyTypes:
    """The key, after asking for its passphrase when it has one and somebody can be asked."""
    try:
        return _check(_decode(text, None))
    except TypeError:  # how cryptography says that a passphrase is needed
        if ask is None:
            raise Unusable("has a passphrase, and there is no terminal to ask for it") from None
    answer = ask(f"Passphrase for {source}: ")
    if not answer:
        raise Unusable("has a passphrase, and none was given")
    return _check(_decode(text, answer.encode()))


def _decode(text: str, passphrase: bytes | None) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    load = load_ssh_private_key if "BEGIN OPENSSH PRIVATE KEY" in text else load_pem_private_key
    try:
        return load((text + "\n").encode(), passphrase)
    except UnsupportedAlgorithm:
        raise Unusable("is in a form this Python cannot read; a passphrase needs: pip install bcrypt") from None
    except ValueError:
        why = "is no readable SSH private key" if passphrase is None else "does not open with that passphrase"
        raise Unusable(why) from None


def _check(key: object) -> SSHPrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey) and key.key_size < _RSA_BITS:
        raise Unusable(f"is an RSA key of {key.key_size} bits; age needs {_RSA_BITS}")
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return key
    raise Unusable("is an SSH key of a kind that age cannot use (Ed25519 and RSA only)")


def _secret(key: SSHPrivateKeyTypes) -> bytes:
    """Bytes that only the key determines: the Ed25519 seed, or an RSA key as PKCS #8 in DER (RFC 5958)."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if isinstance(key, Ed25519PrivateKey):
        return key.private_bytes_raw()
    return key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
