"""The keys of a store as one replica can open them, and what is sealed with them.

A plain store has a vault too: values pass through it in the clear, ids are keyed with the public store id, and an identity is
needed only to sign. So nothing above has to ask which kind of store it is in.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gitmem.core.dots import dot_of
from gitmem.core.membership.members import RECOVERY
from gitmem.core.record import SCOPE, Json, State, name_problem
from gitmem.core.token import EPOCH, epoch_of, epoch_order, is_token
from gitmem.errors import DamagedKey, NoKey
from gitmem.store.files import read_bounded
from gitmem.store.layout import KEYS, STORE_SCOPE, key_path, link_path

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity
    from gitmem.crypto.keys import EpochKey
    from gitmem.crypto.values import Sealer

_MAX_KEY_FILE: Final = 64 * 1024
_HOLDER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FIRST: Final = "team"


class Vault:
    """Opens epoch keys on demand and keeps them in memory, never anywhere else.

    One identity is in use: the first that opens a key of the team, or of any other scope where none does. What it does not open
    is sealed to its owner, who can still see, merge and sync it.
    """

    def __init__(self, root: Path, store: str, plain: bool, identities: Iterable[Identity]) -> None:
        self.root = root
        self.store = store
        self.plain = plain
        self.identities = identities
        self._keys: dict[tuple[str, str], EpochKey] = {}
        self._closed: set[tuple[str, str]] = set()
        self._sealers: dict[tuple[str, str, str, str], Sealer] = {}
        self._identity: Identity | None = None
        self._name: str | None = None
        self._signing: Any = None
        self.recalled = False
        self._stranger: DamagedKey | bool = False

    @property
    def identity(self) -> Identity:
        """The identity in use: the one that opens a key, or the first one found where there is no key. Raises NoKey."""
        if self._chosen() is None and (self.plain or not self.scopes()):
            self._identity = next(iter(self.identities), None)
        if self._identity is None:
            raise self._no_key(self._newest())
        return self._identity

    @property
    def in_use(self) -> bool:
        """Whether an identity is in use already: to ask for one may run a command, or have a person type a passphrase."""
        return self._identity is not None

    @property
    def name(self) -> str | None:
        """Under whose name the keys are wrapped that the identity in use opens; None where it opens none."""
        return self._name if self._chosen() else None

    def opened(self) -> list[tuple[str, str]]:
        """(scope, epoch) of the keys that were put to use."""
        return sorted(self._keys)

    def look_again(self) -> None:
        """Keys that were not to be had may have come since."""
        self._closed.clear()
        self._stranger = False

    def scopes(self) -> list[str]:
        """The scopes that have keys here."""
        return keyed_scopes(self.root)

    def epochs(self, scope: str) -> list[str]:
        """The epochs of a scope, oldest first, by the directories that are there."""
        return _epochs(self.root, scope)

    def holders(self, scope: str, epoch: str) -> list[str]:
        """The names that the key of an epoch is wrapped to, the recovery recipient's among them."""
        files = (self.root / KEYS / scope / epoch).glob("*.age")
        return sorted(file.stem for file in files if _HOLDER.fullmatch(file.stem))

    def reaches(self, scope: str, epoch: str, name: str, recipients: Collection[str]) -> bool:
        """Whether the key of an epoch is wrapped to somebody, and to as many recipients as they have by now."""
        from gitmem.crypto.keys import recipients_of

        data = read_bounded(self.root / key_path(scope, epoch, name), _MAX_KEY_FILE)
        return data is not None and recipients_of(data) >= len(recipients)

    def links(self, scope: str, epoch: str) -> list[str]:
        """The earlier epochs whose keys the key of an epoch opens."""
        files = (self.root / KEYS / scope / epoch).glob("*.link")
        return sorted((file.stem for file in files if EPOCH.fullmatch(file.stem)), key=epoch_order)

    def tips(self, scope: str) -> list[str]:
        """The epochs that no later one links to: one, unless keys were made at the same time in two places."""
        epochs = self.epochs(scope)
        return [epoch for epoch in epochs if not any(epoch in self.links(scope, later) for later in epochs)]

    def current(self, scope: str) -> EpochKey:
        """The key that new values of `scope` are sealed with. Raises NoKey when the caller cannot open it."""
        epochs = self.epochs(scope)
        if not epochs:
            hint = f"`gitmem scope add {scope}` makes one, `gitmem scope list` shows those there are"
            raise NoKey(f"there is no scope {scope!r} with a key in this store", hint)
        return self.key(scope, epochs[-1])

    def newest_epoch(self, scope: str) -> str:
        """The epoch that new values are sealed in; empty where there is none."""
        return "" if self.plain or scope == STORE_SCOPE else next(reversed(self.epochs(scope)), "")

    def opens(self, scope: str) -> bool:
        """Whether the caller can seal and open values of `scope` as it stands now."""
        epochs = self.epochs(scope)
        return self.plain or scope == STORE_SCOPE or (bool(epochs) and self.has(scope, epochs[-1]))

    def has(self, scope: str, epoch: str) -> bool:
        """Whether the caller's identity opens the key of one epoch."""
        return self._unwrapped(scope, epoch) is not None

    def key(self, scope: str, epoch: str) -> EpochKey:
        """The key of one epoch. Raises NoKey when our identity does not open it, DamagedKey for one that was changed."""
        found = self._unwrapped(scope, epoch)
        if found is None:
            raise self._sealed_off(scope, epoch)
        return found

    def adopt(self, key: EpochKey, identity: Identity) -> None:
        """Take a key that was just made, before its files are there."""
        self._keys[key.scope, key.epoch] = key
        self._identity = self._identity or identity

    def recall(self, key: EpochKey, identity: Identity) -> None:
        """Take a key whose file holds something else by now, until that is put right."""
        self.recalled = True
        self.adopt(key, identity)

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

    def sealing_alike(self, scope: str, kind: str, record_id: str) -> Callable[[str, str, Json], Json]:
        """The same for what several replicas write independently: equal values are stored as equal bytes."""
        if self.plain or scope == STORE_SCOPE:
            return lambda _path, _dot, value: value
        return self.sealer(scope, kind, record_id, self.current(scope).epoch).seal_alike

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

        if self._signing is None:
            self._signing = SigningKey.derive(self.identity.secret_bytes(), self.store)
        return self._signing

    def index_key(self, replica: str) -> bytes:
        """The key of this replica's index. In a plain store its content is public, and so a reader needs no identity."""
        from gitmem.crypto.derive import index_key

        secret = self.store.encode() if self.plain else self.identity.secret_bytes()
        return index_key(secret, self.store, replica)

    def position_key(self) -> bytes:
        """The key that authenticates what this member has verified. Raises NoKey without an identity."""
        from gitmem.crypto.derive import position_key

        return position_key(self.identity.secret_bytes(), self.store)

    def _unwrapped(self, scope: str, epoch: str) -> EpochKey | None:
        """The key of one epoch, None if it is not to be had; that is not tried again before `look_again`."""
        wanted = (scope, epoch)
        if wanted not in self._keys and wanted not in self._closed:
            mine = self._chosen()
            if wanted not in self._keys and (mine is None or not self._take_own(scope, epoch, mine)):
                self._closed.add(wanted)
                self._follow(scope, epoch)
        return self._keys.get(wanted)

    def _follow(self, scope: str, epoch: str) -> None:
        """Open a key by way of a later one that links to it."""
        from gitmem.crypto.keys import unwrap_before

        for later in reversed(self.epochs(scope)):
            if epoch_order(later) > epoch_order(epoch) and epoch in self.links(scope, later):
                key = self._unwrapped(scope, later)
                data = read_bounded(self.root / link_path(scope, later, epoch), _MAX_KEY_FILE)
                if key is not None and data is not None:
                    self._keys[scope, epoch] = unwrap_before(data, key, epoch)
                    return

    def _chosen(self) -> Identity | None:
        """The identity in use, chosen by what it opens; None where none of ours opens any key."""
        if self._identity is None and not self.plain and not self._stranger:
            self._stranger = True
            for scope, epoch in self._newest_first():
                try:
                    if self._take(scope, epoch, self.identities):
                        break
                except DamagedKey as error:
                    self._stranger = error  # somebody's damaged file keeps nobody from the keys beside it
        if self._identity is None and isinstance(self._stranger, DamagedKey):
            raise self._stranger
        return self._identity

    def _newest_first(self) -> Iterator[tuple[str, str]]:
        """Every epoch of every scope: the team's first, the newest first."""
        for scope in sorted(self.scopes(), key=lambda name: (name != _FIRST, name)):
            yield from ((scope, epoch) for epoch in reversed(self.epochs(scope)))

    def _take_own(self, scope: str, epoch: str, mine: Identity) -> bool:
        """Whether the identity in use opens the key. Raises DamagedKey only where it is wrapped to us: others see to theirs."""
        try:
            return self._take(scope, epoch, [mine])
        except DamagedKey:
            if self._name is None or self._name in self.holders(scope, epoch):
                raise
            return False

    def _take(self, scope: str, epoch: str, identities: Iterable[Identity]) -> bool:
        """Whether one of the identities opens the key, which is kept then, and the identity put to use."""
        from gitmem.crypto.keys import open_first

        try:
            opened = open_first(self._wrapped(scope, epoch), identities, scope, epoch)
        except NoKey:
            return False
        self._identity = self._identity or opened.identity
        self._name = self._name or opened.name
        self._keys[scope, epoch] = opened.key
        return True

    def _newest(self) -> str:
        """What a stranger misses first, in words."""
        return next((f"scope {scope}, epoch {epoch}" for scope, epoch in self._newest_first()), "this store")

    def _sealed_off(self, scope: str, epoch: str) -> NoKey:
        """The error for a key that the caller lacks: who could let them in, or where a stranger's identity was looked for."""
        if self._identity is None:
            return self._no_key(f"scope {scope}, epoch {epoch}")
        holders = [name for name in self.holders(scope, epoch) if name != RECOVERY]
        held = f"held by {', '.join(holders)}" if holders else "held by nobody here"
        me = self._name if self._name and self._name != RECOVERY else "NAME"
        hint = f"one of them can let you in: `gitmem scope grant {scope} {me}`; sync afterwards"
        if scope == _FIRST:
            hint += "; who is no member any more asks for it: `gitmem join`"
        return NoKey(f"scope {scope} is sealed, and none of your keys opens it: its key (epoch {epoch}) is {held}", hint)

    def _wrapped(self, scope: str, epoch: str) -> dict[str, bytes]:
        folder = self.root / KEYS / scope / epoch
        files = sorted(file for file in folder.glob("*.age") if stat.S_ISREG(file.lstat().st_mode))  # else it opens nothing
        contents = ((file.stem, read_bounded(file, _MAX_KEY_FILE)) for file in files)
        return {name: data for name, data in contents if data is not None}

    def _no_key(self, what: str) -> NoKey:
        from gitmem.crypto.lookup import Found

        if isinstance(self.identities, Found):
            return self.identities.no_key(what)
        return NoKey(f"no identity for {what}", "name your key file: --identity PATH, or set GITMEM_IDENTITY_FILE")


def keyed_scopes(root: Path) -> list[str]:
    """The scopes of the store at `root` that have keys, by the directories that are there."""
    keys = root / KEYS
    folders = _folders(keys)
    names = [*folders, *(f"{first}/{second}" for first in folders for second in _folders(keys / first))]
    return sorted(name for name in names if name_problem("scope", name, SCOPE) is None and _epochs(root, name))


def _epochs(root: Path, scope: str) -> list[str]:
    """Those with a file: what is left of an epoch that was taken back is an empty directory, as git leaves them at times."""
    folder = root / KEYS / scope
    return sorted(
        (name for name in _folders(folder) if EPOCH.fullmatch(name) and any((folder / name).iterdir())), key=epoch_order
    )


def _folders(path: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(path) if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
