"""Whoever reverts the commit that made them a member goes on signing under their own name."""

from __future__ import annotations

from pathlib import Path

from gitmem.memory.founding.cloning import clone
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


def test_who_reverted_their_own_membership_signs_by_name(tmp_path: Path) -> None:
    """A fresh clone was never told a name, and no member's record holds its key; sync puts the record back."""
    ada, bob = person(tmp_path / "ada-home"), person()
    remote = tmp_path / "remote.git"
    Git(tmp_path)("init", "--quiet", "--bare", remote)
    found(tmp_path / "ada", plain=True, who=ada)
    share(tmp_path / "ada", remote, ada)
    with open_memory(tmp_path / "ada", ada) as memory:
        join(memory, tmp_path / "joining", remote, "bob", bob)
    clone(str(remote), str(tmp_path / "bob"))
    git = Git(tmp_path / "bob")
    joined = git("rev-list", "--no-merges", "--max-count=1", "HEAD", "--", ".gitmem/members/bob.yaml")
    git("revert", "--no-edit", joined)
    assert not (tmp_path / "bob/.gitmem/members/bob.yaml").exists()
    with open_memory(tmp_path / "bob", bob) as memory:
        memory.learn("note", {"type": "semantic", "text": "written by nobody known"})
        memory.commit()
        assert '"subject":"bob"' in git("show", "--format=", "HEAD", "--", "log/audit")
        memory.sync()
        assert memory.verify().problems == []
    assert (tmp_path / "bob/.gitmem/members/bob.yaml").exists()
