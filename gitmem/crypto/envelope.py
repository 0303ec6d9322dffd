"""Streams sealed by age to several recipients, a piece at a time: what is inside is never in a file, nor in memory as a whole.

`age -d -i KEY FILE` alone opens what `seal` writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from gitmem.crypto.keys import NO_MATCH, parse_recipient
from gitmem.errors import NoKey, Tampered

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


class Source(Protocol):
    """Whatever gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class Sink(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; its length."""
        ...

    def flush(self) -> None:
        """Let go of what was taken."""
        ...


class _Ends:
    """A source or sink that keeps what the disk refused: age tells some of it as if the data were damaged."""

    def __init__(self, kept: list[OSError], end: Source | Sink) -> None:
        self._kept = kept
        self._end = end

    def read(self, size: int = -1) -> bytes:
        return bytes(self._do("read", size))

    def write(self, data: bytes) -> int:
        return int(self._do("write", data))

    def flush(self) -> None:
        self._do("flush")

    def _do(self, what: str, *args: object) -> Any:
        try:
            return getattr(self._end, what)(*args)
        except OSError as error:
            self._kept.append(error)
            raise


def seal(source: Source, target: Sink, recipients: Iterable[str]) -> None:
    """Seal all that `source` gives to the recipients (`age1…`, `ssh-…`). Raises UsageError for one that is none."""
    from pyrage import EncryptError, encrypt_io

    kept: list[OSError] = []
    try:
        encrypt_io(_Ends(kept, source), _Ends(kept, target), [parse_recipient(one)[1] for one in sorted(set(recipients))])
    except EncryptError:
        if kept:
            raise kept[0] from None
        raise


def unseal(source: BinaryIO, target: Sink, identities: Iterable[Identity], what: str) -> None:
    """Open `source` (which can go back to its beginning) with the first identity that can; they are tried in order.

    Nothing reaches `target` that age has not authenticated, though a later piece may turn out damaged.
    Raises NoKey where none opens it, Tampered where it is damaged. `what` names it in their messages.
    """
    from pyrage import DecryptError, decrypt_io

    kept: list[OSError] = []
    for identity in identities:
        source.seek(0)
        try:
            decrypt_io(source, _Ends(kept, target), [identity.opener()])
        except DecryptError as error:
            if kept:
                raise kept[0] from None
            if str(error) == NO_MATCH:
                continue
            raise Tampered(f"{what} is damaged: {error}", "`gitmem backup verify` shows what else is") from None
        except OSError as error:
            if error.errno is not None:  # of `target`; age's own says no more than that it does not fit
                raise
            raise Tampered(f"{what} is damaged: {error}", "`gitmem backup verify` shows what else is") from None
        return
    raise NoKey(f"none of your keys opens {what}", "name your key file, or the recovery identity's: --identity FILE")
