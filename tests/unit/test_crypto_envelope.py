"""Streams sealed by age: what a disk refuses is told as that, and never as damage."""

from __future__ import annotations

import errno
import io
import os

import pytest

from gitmem.crypto.envelope import seal, unseal
from gitmem.crypto.identity import new_recovery

DATA = os.urandom(300_000)


class Full(io.BytesIO):
    """A file on a disk that is full: some write finds no room."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, data: object, /) -> int:
        """Take it while there is room."""
        self.room -= len(bytes(data))  # type: ignore[call-overload]
        if self.room < 0:
            raise OSError(errno.ENOSPC, "no room")
        return len(bytes(data))  # type: ignore[call-overload]


@pytest.mark.parametrize("room", [0, 100_000, 299_999])
def test_sealing_on_a_full_disk(room: int) -> None:
    """The error is the disk's own, wherever it comes."""
    with pytest.raises(OSError, match="no room"):
        seal(io.BytesIO(DATA), Full(room), [new_recovery().recipient])


@pytest.mark.parametrize("room", [0, 100_000, 299_999])
def test_opening_on_a_full_disk(room: int) -> None:
    """Nobody is told that a backup is damaged because there is no room for what it holds."""
    identity, sealed = new_recovery(), io.BytesIO()
    seal(io.BytesIO(DATA), sealed, [identity.recipient])
    with pytest.raises(OSError, match="no room"):
        unseal(sealed, Full(room), [identity], "it")
