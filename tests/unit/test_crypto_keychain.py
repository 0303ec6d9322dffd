"""Keeping an identity in the keychain on request, through the keyring library's own interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import keyring.backends.fail
import keyring.core
import pytest

from gitmem.crypto import keychain
from gitmem.crypto.identity import new_identity
from gitmem.crypto.lookup import find_identities, has_keychain
from gitmem.errors import GitmemError
from tests.support.file_keyring import FileKeyring

ENV = {"PYTHON_KEYRING_BACKEND": "chosen"}


class Forgetful(FileKeyring):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Nothing happens."""


class Locked(FileKeyring):
    """Refuses, and repeats what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Raise."""
        raise RuntimeError(password)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """`install.setattr(*backend(…))` makes a backend the one that the library asks; its file is the test's own."""
    monkeypatch.setitem(os.environ, "GITMEM_TEST_KEYRING", str(tmp_path / "keyring.json"))
    return monkeypatch


def _use(install: pytest.MonkeyPatch, kind: Callable[[], object]) -> None:
    backend = kind()
    install.setattr(keyring.core, "_keyring_backend", backend)


def test_what_is_kept_is_found(tmp_path: Path, install: pytest.MonkeyPatch) -> None:
    """Before the file, after what the environment names; and no more once it is dropped."""
    _use(install, FileKeyring)
    mine = new_identity("a file")
    assert keychain.keep(mine, ENV, tmp_path) == "a file of the tests"
    found = next(iter(find_identities(env=ENV, home=tmp_path)))
    assert (found.recipient, found.source) == (mine.recipient, "OS keychain")
    other = new_identity("another")
    keychain.keep(other, ENV, tmp_path)
    assert [each.recipient for each in find_identities(env=ENV, home=tmp_path)] == [other.recipient]
    assert keychain.drop(ENV, tmp_path)
    assert not keychain.drop(ENV, tmp_path)
    assert list(find_identities(env=ENV, home=tmp_path)) == []


@pytest.mark.parametrize(
    ("backend", "why"),
    [(Forgetful, "did not keep"), (Locked, "failed: RuntimeError"), (keyring.backends.fail.Keyring, "no OS keychain here")],
)
def test_a_keychain_that_does_not_keep(tmp_path: Path, install: pytest.MonkeyPatch, backend: type, why: str) -> None:
    """It is said that nothing was kept, and never what."""
    _use(install, backend)
    mine = new_identity("a file")
    with pytest.raises(GitmemError, match=why) as refused:
        keychain.keep(mine, ENV, tmp_path)
    assert mine.reveal() not in f"{refused.value.message}{refused.value.hint}{refused.value.__cause__}"


def test_where_no_keychain_can_be(tmp_path: Path) -> None:
    """Nothing is asked."""
    for call in (lambda: keychain.keep(new_identity("x"), {}, tmp_path), lambda: keychain.drop({}, tmp_path)):
        if has_keychain({}, tmp_path):
            pytest.skip("this machine may have a keychain")
        with pytest.raises(GitmemError, match="no OS keychain here"):
            call()
