"""Where an identity is looked for, in order, and what became of each place.

`--identity`, GITMEM_IDENTITY, GITMEM_IDENTITY_FILE, GITMEM_IDENTITY_CMD, the OS keychain, the XDG config file, and `~/.ssh`
if asked. Places are read one by one, only as far as needed; one that holds nothing usable never blocks the next.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.crypto.identity import Ask, Identity, Unusable
from gitmem.crypto.keyfile import parse_identities
from gitmem.errors import NoKey

KEYRING_SERVICE: Final = "gitmem"
KEYRING_USER: Final = "identity"

_COMMAND_SECONDS: Final = 60
_MAX_BYTES: Final = 1 << 20
_NAMED: Final = ("--identity", "GITMEM_IDENTITY")
_UNSET: Final = "not set"
_ABSENT: Final = os.strerror(errno.ENOENT).lower()
_SSH_NAMES: Final = ("id_ed25519", "id_rsa")


class Tried(NamedTuple):
    """One place that was looked at, and why it gave nothing (or, among warnings, what is wrong with it)."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place} ({self.why})"


class Source:
    """A place to look: `read` gives its text, or raises Unusable; it may add to the warnings it is given."""

    __slots__ = ("name", "read")  # and so no repr of what `read` holds, which may be the identity itself

    def __init__(self, name: str, read: Callable[[list[Tried]], str]) -> None:
        self.name = name
        self.read = read


class Found:
    """The identities, in look-up order. Iterating reads on only when asked for one more, and each place only once."""

    def __init__(self, sources: Iterable[Source], ask: Ask | None = None) -> None:
        self._unread = iter(sources)
        self._ask = ask
        self._identities: list[Identity] = []
        self._vain: int | None = None  # places that were tried before there was an identity
        self.tried: list[Tried] = []
        """Places that gave no identity so far, and why."""
        self.warnings: list[Tried] = []
        """What `doctor` should say about places that did give one."""

    def __iter__(self) -> Iterator[Identity]:
        position = 0
        while self._has(position):
            yield self._identities[position]
            position += 1

    def __repr__(self) -> str:
        return f"Found({self._identities}, tried={self.tried})"

    @property
    def came_to_nothing(self) -> bool:
        """Whether places have been read, and none gave an identity."""
        return bool(self.tried) and not self._identities

    def named_in_vain(self) -> list[Tried]:
        """The places before the first identity that somebody named, that are there and gave nothing: they mean no other key."""
        return [one for one in self.tried[: self._vain] if one.place.startswith(_NAMED) and one.why not in (_UNSET, _ABSENT)]

    def no_key(self, what: str) -> NoKey:
        """The error for when none of them opens `what`: it lists every place, and what became of it."""
        held = [Tried(identity.source, "its key does not open this") for identity in self]
        message = f"no identity opens {what}; tried: {', '.join(map(str, [*held, *self.tried]))}"
        if self._identities:
            return NoKey(message, "`gitmem join` prints a request to become a member, for one of them to accept")
        return NoKey(message, "name your key file: --identity PATH, or set GITMEM_IDENTITY_FILE")

    def _has(self, position: int) -> bool:
        """Whether there is an identity at `position`, reading places until there is."""
        while position >= len(self._identities):
            source = next(self._unread, None)
            if source is None:
                return False
            self._read(source)
        return True

    def _read(self, source: Source) -> None:
        try:
            identities, problems = parse_identities(source.read(self.warnings), source.name, self._ask)
        except Unusable as why:
            self.tried.append(Tried(source.name, str(why)))
            return
        if identities and self._vain is None:
            self._vain = len(self.tried)
        self._identities += identities
        self.tried += [Tried(source.name, why) for why in problems]


def find_identities(
    path: Path | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
    ssh: bool = False,
    ask: Ask | None = None,
) -> Found:
    """Where to find the caller's identities; nothing is read before the result is iterated.

    `path` is what `--identity` named, `env` the environment (of the process when None), `home` the home directory,
    `ssh` asks for `~/.ssh` as GITMEM_SSH=1 does, and `ask` asks a person for a passphrase (None: nobody is asked).
    Raises NoKey where `path` names nothing.
    """
    env = os.environ if env is None else env
    home = own_home() if home is None else home
    if path is not None and not _at_home(str(path), home).exists():  # whoever names one does not mean another
        raise NoKey(f"there is no identity file {path}", "check what --identity names, or leave it out")
    return Found(_sources(path, env, home, ssh or env.get("GITMEM_SSH") == "1"), ask)


def own_home() -> Path:
    """The caller's home directory. Raises NoKey where there is none, as for a container's user that nobody has named."""
    try:
        return Path.home()
    except RuntimeError:
        raise NoKey(
            "you have no home directory: HOME is not set, nor is your user id known", "set HOME to a directory"
        ) from None


def config_file(env: Mapping[str, str], home: Path) -> Path:
    """Where a person's own identity is kept: `gitmem/identity.txt` under the XDG config directory."""
    base = Path(env.get("XDG_CONFIG_HOME", ""))  # the XDG specification: a relative path is ignored
    return (base if base.is_absolute() else home / ".config") / "gitmem" / "identity.txt"


def _sources(path: Path | None, env: Mapping[str, str], home: Path, ssh: bool) -> Iterator[Source]:
    yield Source("--identity" if path is None else f"--identity {path}", partial(_named_file, str(path or ""), home))
    yield Source("GITMEM_IDENTITY", partial(_variable, env.get("GITMEM_IDENTITY", "")))
    file = env.get("GITMEM_IDENTITY_FILE", "")
    yield Source(f"GITMEM_IDENTITY_FILE {file}".rstrip(), partial(_named_file, file, home))
    yield Source("GITMEM_IDENTITY_CMD", partial(_command, env))
    yield Source("OS keychain", partial(_keychain, env, home))
    own = config_file(env, home)
    yield Source(str(own), partial(_file, own))
    for name in _SSH_NAMES if ssh else ():
        yield Source(str(home / ".ssh" / name), partial(_file, home / ".ssh" / name))
    if not ssh:
        yield Source("~/.ssh", partial(_refuse, "only if asked: GITMEM_SSH=1"))


def _refuse(why: str, _: list[Tried]) -> str:
    raise Unusable(why)


def _variable(value: str, _: list[Tried]) -> str:
    if not value.strip():
        raise Unusable(_UNSET)
    return value


def _named_file(name: str, home: Path, warnings: list[Tried]) -> str:
    if not name:
        raise Unusable(_UNSET)
    return _file(_at_home(name, home), warnings)


def _at_home(name: str, home: Path) -> Path:
    return home / name[2:] if name.startswith("~/") else Path(name)


def _file(path: Path, warnings: list[Tried]) -> str:
    """The text of an identity file, with a warning when others than its owner can read it."""
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            data = file.read(_MAX_BYTES)
    except OSError as error:
        raise Unusable((error.strerror or "cannot be read").lower()) from None
    text = _text(data)
    if stat.S_ISREG(info.st_mode) and info.st_mode & not_meant(info):
        warnings.append(Tried(str(path), f"others can read it (mode {stat.S_IMODE(info.st_mode):04o}): chmod 600 {path}"))
    return text


def not_meant(info: os.stat_result) -> int:
    """The permissions that an identity file must not have, as ssh has it for a private key: one of ours is ours alone.

    One that somebody else gave us to read (a secret that a build machine mounts, of root and a group) may be a group's.
    """
    return stat.S_IRWXO if info.st_uid != os.geteuid() else stat.S_IRWXG | stat.S_IRWXO


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unusable("is not text") from None


def _command(env: Mapping[str, str], _: list[Tried]) -> str:
    """What GITMEM_IDENTITY_CMD prints. It gets no shell, no secret, no input; its stderr stays visible."""
    line = env.get("GITMEM_IDENTITY_CMD", "")
    if not line.strip():
        raise Unusable(_UNSET)
    import shlex
    import subprocess

    clean = {name: value for name, value in env.items() if not name.startswith("GITMEM_IDENTITY")}
    try:
        done = subprocess.run(
            shlex.split(line),
            check=False,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"printed nothing within {_COMMAND_SECONDS} s") from None
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot be run: {getattr(error, 'strerror', None) or error}") from None
    if done.returncode:
        raise Unusable(f"ended with exit code {done.returncode}")
    return _text(done.stdout)


def has_keychain(env: Mapping[str, str], home: Path, platform: str = sys.platform) -> bool:
    """Whether an OS keychain can exist here. Asking keyring itself costs 80 ms, so most Linux machines never do."""
    if platform == "darwin" or env.get("DBUS_SESSION_BUS_ADDRESS") or env.get("PYTHON_KEYRING_BACKEND"):
        return True
    runtime = env.get("XDG_RUNTIME_DIR")
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "python_keyring" / "keyringrc.cfg"
    return bool(runtime and (Path(runtime) / "bus").exists()) or config.exists()


def _keychain(env: Mapping[str, str], home: Path, _: list[Tried]) -> str:
    if not has_keychain(env, home):
        raise Unusable("none here")
    import keyring

    try:
        secret = keyring.get_password(KEYRING_SERVICE, KEYRING_USER)
    except Exception as error:  # a backend may raise anything, and none of it may block the next place
        raise Unusable(f"cannot be read: {type(error).__name__}") from None
    if not secret:
        raise Unusable(f"holds no entry for service {KEYRING_SERVICE}, user {KEYRING_USER}")
    return secret
