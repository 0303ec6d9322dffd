"""What a failed fetch is told as."""

from __future__ import annotations

import pytest

from gitmem.git.process import FULL_HINT
from gitmem.git.remote_words import unreadable


@pytest.mark.parametrize(
    ("why", "full"),
    [
        ("cannot update ref 'refs/remotes/origin/main': couldn't write 'refs/remotes/origin/main.lock'", True),
        ("unable to write file: No space left on device", True),
        ("'/mnt/disk/team.git' does not appear to be a git repository", False),
        ("remote: quota of connections reached", False),
    ],
)
def test_a_full_disk_here_is_told_from_what_names_a_disk(why: str, full: bool) -> None:
    """Only what this disk did not take is told as that; a path or a remote may name a disk or a quota."""
    error = unreadable("origin", why)
    assert (error.hint == FULL_HINT) is full
    assert full or why in error.message
