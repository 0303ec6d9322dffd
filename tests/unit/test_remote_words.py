"""What a failed fetch is told as."""

from __future__ import annotations

import pytest

from gitmem.git.process import FULL_HINT
from gitmem.git.remote_words import said, unreadable, without_password


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


def test_who_has_no_clone_yet_is_shown_the_url() -> None:
    """They have neither a remote to look at nor work that is safe."""
    for why in ("repository 'b' does not exist", "did not end within 60 s", "Host key verification failed"):
        hint = unreadable("b", why, anew=True).hint
        assert "git remote" not in hint
        assert "meanwhile" not in hint


def test_where_the_other_end_hung_up_the_reason_is_what_came_before() -> None:
    """git's last line tells that the connection ended, and only without another that is all there is to tell."""
    why, hung_up = "the receiving end does not support this repository's hash algorithm", "the remote end hung up unexpectedly"
    assert said(f"fatal: {why}\nfatal: {hung_up}\n") == why
    assert said(f"fatal: {hung_up}\n") == hung_up
    assert "--object-format" in unreadable("origin", why).hint


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ssh://git@host:22/team.git", "ssh://git@host:22/team.git"),
        ("git+ssh://git@host/team.git", "git+ssh://git@host/team.git"),
        ("ssh://git:hunter2@host/team.git", "ssh://host/team.git"),
        ("ssh://a@b@host/team.git", "ssh://host/team.git"),
        ("https://ghp_token@host/team.git", "https://host/team.git"),
        ("https://ann:p@ss@host/team.git", "https://host/team.git"),
    ],
)
def test_addresses_keep_no_secret(address: str, shown: str) -> None:
    """Who logs in over ssh is no secret, and git needs to be told; over http their name may be a token."""
    assert without_password(f"cannot read {address}: it is gone") == f"cannot read {shown}: it is gone"


def test_why_an_address_does_not_answer_is_on_a_line_of_its_own() -> None:
    """As git:// tells it: the line with the address alone would say nothing."""
    assert said("fatal: unable to connect to host:\nhost[0: ::1]: errno=Connection refused\n\n").endswith(
        "to host: host[0: ::1]: errno=Connection refused"
    )
    dumb = "error: Cannot access URL http://u:s3cret@host/r/, return code 22\nfatal: git-http-push failed\n"
    assert said(dumb) == "Cannot access URL http://host/r/, return code 22"
    assert said("fatal: it ends there:\n") == "it ends there:"
