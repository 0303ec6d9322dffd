"""Whoever sits at this machine: where their identity may lie, and where a new one goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.errors import NoKey
from gitmem.memory.context import timestamp, utc_now

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


@dataclass(frozen=True, slots=True)
class Person:
    """The identities that can be found (in look-up order, read when asked for), the environment and the home directory."""

    identities: Iterable[Identity]
    env: Mapping[str, str]
    home: Path

    @property
    def folder(self) -> Path:
        """The directory of the person's own gitmem files."""
        from gitmem.crypto.lookup import config_file

        return config_file(self.env, self.home).parent

    def identity(self) -> tuple[Identity, bool]:
        """(the first identity that is found or else a new one, whether it is new). Raises NoKey where one is in the way."""
        from gitmem.crypto.identity import create_identity
        from gitmem.crypto.lookup import config_file

        found = first_of(self.identities)
        if found is not None:
            return found, False
        path = config_file(self.env, self.home)
        if path.exists():
            raise NoKey(f"{path} is there but holds no usable identity", "mend it, or move it away and run this again")
        return create_identity(path, timestamp(utc_now())), True


def first_of(identities: Iterable[Identity]) -> Identity | None:
    """The first identity that is found: the one to become a member with. None where there is none.

    Raises NoKey where one that was named before it gives none: whoever named it does not mean another.
    """
    from gitmem.crypto.lookup import Found

    found = next(iter(identities), None)
    if isinstance(identities, Found) and (vain := identities.named_in_vain()):
        other = "and have a new identity made" if found is None else f"and use {found.source}"
        raise NoKey(f"there is no identity in {', '.join(map(str, vain))}", f"mend that, or leave it out {other}")
    return found
