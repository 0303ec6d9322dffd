"""A keychain for tests: a real backend of the keyring library that keeps its entries in the file GITMEM_TEST_KEYRING names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keyring.backend
import keyring.errors


class FileKeyring(keyring.backend.KeyringBackend):
    """Entries by service and user. `name` is what gitmem shows of it."""

    priority = 1
    name = "a file of the tests"

    def get_password(self, service: str, username: str) -> str | None:
        """The entry, None if there is none."""
        found: str | None = self._entries().get(f"{service}/{username}")
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry."""
        self._write(self._entries() | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Forget an entry that is there."""
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise keyring.errors.PasswordDeleteError
        self._write(entries)

    def _entries(self) -> dict[str, str]:
        entries: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return entries

    def _write(self, entries: dict[str, str]) -> None:
        self._file.write_text(json.dumps(entries))

    @property
    def _file(self) -> Path:
        return Path(os.environ["GITMEM_TEST_KEYRING"])
