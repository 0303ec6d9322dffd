"""A team whose repositories name their objects by SHA-256: all but `erase --history` works there as everywhere."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Cli
from tests.support.git import Git


def test_a_team_in_sha256(tmp_path: Path) -> None:
    """Founded by git's own variable; both sides write, git and `sync` merge; backed up, restored, erased and verified."""
    env = {"GIT_DEFAULT_HASH": "sha256", "GITMEM_IDENTITY_FILE": str(tmp_path / "identity.txt")}
    run = Cli(tmp_path)
    Git(tmp_path)("init", "--quiet", "--bare", "--object-format=sha1", "other.git")
    Git(tmp_path)("init", "--quiet", "--bare", "--object-format=sha256", "team.git")
    run("init", "ada", "--name", "ada", env=env).ok()
    ada, bob = Git(tmp_path / "ada"), Git(tmp_path / "bob")
    assert len(ada("rev-parse", "HEAD")) == 64
    found = run("-C", "ada", "learn", "--pattern", "no route", "--fix", "mend it", env=env).ok().out.strip()
    ada("remote", "add", "origin", tmp_path / "other.git")
    assert "--object-format" in run("-C", "ada", "sync", env=env).expect(14).err
    ada("remote", "set-url", "origin", tmp_path / "team.git")
    run("-C", "ada", "sync", env=env).ok()
    run("clone", tmp_path / "team.git", "bob", env=env).ok()
    for name in ("ada", "bob"):
        run("-C", name, "edit", found, "--set", f"meaning={name}", env=env).ok()
        run("-C", name, "used", found, "--fixed", env=env).ok()
        run("-C", name, "commit", env=env).ok()
    run("-C", "ada", "sync", env=env).ok()
    bob("pull", "--quiet", "--no-rebase", "--no-edit")
    run("-C", "bob", "sync", env=env).ok()
    run("-C", "ada", "sync", env=env).expect(3)
    assert ada("rev-parse", "HEAD^{tree}") == bob("rev-parse", "HEAD^{tree}")
    shown = run("-C", "bob", "show", found, "--json", env=env).ok().json
    assert shown["usage"]["fixed"] == 2
    assert len(shown["conflicts"]["meaning"]) == 2
    run("-C", "ada", "backup", "create", "--to", tmp_path / "safe", env=env).ok()
    run("backup", "restore", "--from", tmp_path / "safe", tmp_path / "back", env=env).ok()
    assert Git(tmp_path / "back")("rev-parse", "HEAD^{tree}") == ada("rev-parse", "HEAD^{tree}")
    run("-C", "ada", "erase", found, "--yes", env=env).ok()
    assert "SHA-256" in run("-C", "ada", "erase", "--history", "--dry-run", env=env).expect(1).err
    run("-C", "ada", "audit", "verify", env=env).ok()
    run("-C", "ada", "doctor", env=env).ok()
    (tmp_path / "ada/.git/config").write_text("")
    assert "SHA-256" in run("-C", "ada", "doctor", env=env).expect(1).out
    assert "git remote add origin" in run("-C", "ada", "doctor", "--fix", env=env).expect(1).out
    ada("remote", "add", "origin", tmp_path / "team.git")
    run("-C", "ada", "doctor", env=env).ok()
    assert ada("status", "--porcelain") == ""
