"""The OS keychain, as a place to keep an identity: put there when its owner asks for it, and taken out again.

`lookup` reads it. The secret goes through the keyring library's own interface, never through an argument or a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitmem.crypto.lookup import KEYRING_SERVICE, KEYRING_USER, has_keychain
from gitmem.errors import GitmemError

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity

T = TypeVar("T")

_ELSEWHERE = (
    "keep the key in a file (--identity, GITMEM_IDENTITY_FILE), or have a password manager print it: GITMEM_IDENTITY_CMD"
)


def keep(identity: Identity, env: Mapping[str, str], home: Path) -> str:
    """Put the identity into the keychain, in the place of one that is there, and return the keychain's name.

    Raises GitmemError where there is no keychain, or where it does not give back what was put there.
    """
    import keyring

    name = _name(env, home)
    _asked(lambda: keyring.set_password(KEYRING_SERVICE, KEYRING_USER, identity.reveal()))
    if _asked(lambda: keyring.get_password(KEYRING_SERVICE, KEYRING_USER)) != identity.reveal():
        raise GitmemError(f"{name} did not keep the identity", _ELSEWHERE)
    return name


def drop(env: Mapping[str, str], home: Path) -> bool:
    """Take the identity out of the keychain; whether there was one. Raises GitmemError where there is no keychain."""
    import keyring

    _name(env, home)
    if _asked(lambda: keyring.get_password(KEYRING_SERVICE, KEYRING_USER)) is None:
        return False
    _asked(lambda: keyring.delete_password(KEYRING_SERVICE, KEYRING_USER))
    return True


def _name(env: Mapping[str, str], home: Path) -> str:
    """What the keychain in use calls itself."""
    import keyring
    import keyring.backends.fail

    if has_keychain(env, home):
        backend = _asked(keyring.get_keyring)
        if not isinstance(backend, keyring.backends.fail.Keyring):
            return str(backend.name)
    raise GitmemError("there is no OS keychain here", _ELSEWHERE)


def _asked(call: Callable[[], T]) -> T:
    """What the keychain answers; it may fail in any way, and what it says may repeat what it was given."""
    try:
        return call()
    except Exception as error:
        raise GitmemError(f"the OS keychain failed: {type(error).__name__}", _ELSEWHERE) from None
