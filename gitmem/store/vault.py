"""The keys of a store as one replica can open them, and what is sealed with them.

A plain store has a vault too: values pass through it in the clear, ids are keyed with the public store id, and an identity is
needed only to sign. So nothing above has to ask which kind of store it is in.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmem.core.dots import dot_of
from gitmem.core.record import Json, State
from gitmem.core.token import EPOCH, epoch_of, epoch_order, is_token
from gitmem.errors import NoKey
from gitmem.store.files import read_bounded
from gitmem.store.layout import KEYS, STORE_SCOPE

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity
    from gitmem.crypto.keys import EpochKey
    from gitmem.crypto.values import Sealer

_MAX_KEY_FILE = 64 * 1024


class Vault:
    """Opens epoch keys on demand and keeps them in memory, never anywhere else."""

    def __init__(self, root: Path, store: str, plain: bool, identities: Iterable[Identity]) -> None:
        self.root = root
        self.store = store
        self.plain = plain
        self.identities = identities
        self._keys: dict[tuple[str, str], EpochKey] = {}
        self._sealers: dict[tuple[str, str, str, str], Sealer] = {}
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        """The identity in use: the one that opened a key, or the first one found. Raises NoKey when there is none."""
        if self._identity is None and not self.plain and (self.root / KEYS / "team").is_dir():
            self.current("team")
        if self._identity is None:
            self._identity = next(iter(self.identities), None)
        if self._identity is None:
            raise self._no_key("this store")
        return self._identity

    def epochs(self, scope: str) -> list[str]:
        """The epochs of a scope, oldest first, by the directories that are there."""
        try:
            names = [entry.name for entry in os.scandir(self.root / KEYS / scope)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((name for name in names if EPOCH.fullmatch(name)), key=epoch_order)

    def current(self, scope: str) -> EpochKey:
        """The key that new values of `scope` are sealed with. Raises NoKey when the caller cannot open it."""
        epochs = self.epochs(scope)
        if not epochs:
            raise NoKey(f"there is no scope {scope!r} with a key in this store", "`gitmem status` names the scopes")
        return self.key(scope, epochs[-1])

    def key(self, scope: str, epoch: str) -> EpochKey:
        """The key of one epoch. Raises NoKey when none of the caller's identities opens it."""
        if (scope, epoch) not in self._keys:
            from gitmem.crypto.keys import open_first

            opened = open_first(self._wrapped(scope, epoch), self._preferred(), scope, epoch)
            self._identity = self._identity or opened.identity
            self._keys[scope, epoch] = opened.key
        return self._keys[scope, epoch]

    def adopt(self, key: EpochKey, identity: Identity) -> None:
        """Take a key that was just made, before its files are there."""
        self._keys[key.scope, key.epoch] = key
        self._identity = self._identity or identity

    def id_key(self, scope: str) -> bytes:
        """The key that ids and set elements of `scope` are derived with; it outlives rotation."""
        if self.plain or scope == STORE_SCOPE:
            return hashlib.sha256(f"gitmem plain ids\0{self.store}\0{scope}".encode()).digest()
        return self.current(scope).id_key

    def sealing(self, scope: str, kind: str, record_id: str) -> Callable[[str, str, Json], Json]:
        """The function (path, dot, value) -> stored value for a record."""
        if self.plain or scope == STORE_SCOPE:
            return lambda _path, _dot, value: value
        sealer = self.sealer(scope, kind, record_id, self.current(scope).epoch)
        return sealer.seal

    def sealer(self, scope: str, kind: str, record_id: str, epoch: str) -> Sealer:
        """The sealer of one record and epoch."""
        place = (scope, kind, record_id, epoch)
        if place not in self._sealers:
            from gitmem.crypto.values import Place, Sealer

            if len(self._sealers) > 4096:
                self._sealers.clear()
            self._sealers[place] = Sealer(self.key(scope, epoch), Place(self.store, scope, kind, record_id))
        return self._sealers[place]

    def open(self, state: State, path: str, key: str, value: Json) -> Json:
        """The value that stands at `path` under the register key `key`."""
        if not isinstance(value, str) or not is_token(value):
            return value
        sealer = self.sealer(state.scope, state.kind, state.id, epoch_of(value))
        return sealer.unseal(path, str(dot_of(key)), value)

    def signing_key(self) -> Any:
        """The member's signing key in this store (gitmem.crypto.signing.SigningKey), derived from the identity."""
        from gitmem.crypto.signing import SigningKey

        return SigningKey.derive(self.identity.secret_bytes(), self.store)

    def index_key(self, replica: str) -> bytes:
        """The key of this replica's index. In a plain store its content is public, and so a reader needs no identity."""
        from gitmem.crypto.derive import index_key

        secret = self.store.encode() if self.plain else self.identity.secret_bytes()
        return index_key(secret, self.store, replica)

    def _preferred(self) -> Iterable[Identity]:
        return self.identities if self._identity is None else [self._identity]

    def _wrapped(self, scope: str, epoch: str) -> dict[str, bytes]:
        folder = self.root / KEYS / scope / epoch
        files = sorted(folder.glob("*.age"))
        contents = ((file.stem, read_bounded(file, _MAX_KEY_FILE)) for file in files)
        return {name: data for name, data in contents if data is not None}

    def _no_key(self, what: str) -> NoKey:
        from gitmem.crypto.lookup import Found

        if isinstance(self.identities, Found):
            return self.identities.no_key(what)
        return NoKey(f"no identity for {what}", "name your key file: --identity PATH, or set GITMEM_IDENTITY_FILE")
