"""Another repository runs gitmem's checks through the pre-commit framework, the real one from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.git import Git
from tests.support.home import ROOT

# One worker, so that the framework installs gitmem once.
pytestmark = [pytest.mark.network, pytest.mark.usefixtures("package_index"), pytest.mark.xdist_group("pre-commit")]

SHIPPED = ("gitmem", "hooks", "schemas", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Git:
    """The checkout as it stands, committed to a repository of its own, as the framework clones it."""
    repo = Git(tmp_path_factory.mktemp("published"))
    repo("init", "--quiet")
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, repo.path / name)
    repo.commit("the checkout")
    return repo


@pytest.fixture(scope="module")
def framework_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the framework keeps the environment it installs gitmem into: once for all tests here."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def clone(cli: Cli, published: Git, framework_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A plain store's clone by someone without gitmem: the framework's hooks are the only ones."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(framework_home))
    store = Git(tmp_path / "store")
    cli("init", store.path, "--plain", "--name", "ada").ok()
    cli("learn", "--pattern", "no such host", "--fix", "check the VPN", cwd=store.path).ok()
    cli("commit", cwd=store.path).ok()
    clone = store.clone(tmp_path / "clone")
    (clone.path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {published.path}\n  rev: {published('rev-parse', 'HEAD')}\n"
        "  hooks: [{id: gitmem-check}, {id: gitmem-verify}]\n"
    )
    clone("add", ".pre-commit-config.yaml")
    for hook in ("pre-commit", "pre-push"):
        assert framework("install", "--hook-type", hook, cwd=clone.path).returncode == 0
    return clone


def framework(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run pre-commit."""
    return subprocess.run(["pre-commit", *args], cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def record_of(clone: Git) -> Path:
    """The one record of the store."""
    [record] = (clone.path / "memory").rglob("*.yaml")
    return record


def test_good_record_passes(cli: Cli, clone: Git) -> None:
    """A hand edit goes through, stamped and logged by the gitmem of the framework's own environment."""
    record = record_of(clone)
    record.write_text(record.read_text().replace("check the VPN", "restart the VPN"))
    clone("add", "--all")
    done = clone.run("commit", "--message", "mend the fix")
    assert done.returncode == 0, done.stderr.decode()
    assert "gitmem check" in done.stderr.decode()
    assert any(Path(os.environ["PRE_COMMIT_HOME"]).rglob("bin/gitmem"))
    assert re.search(r"^    h-\w+\.1~\w+: \"restart the VPN\"$", clone("show", f"HEAD:{record.relative_to(clone.path)}"), re.M)
    assert clone("status", "--porcelain") == ""
    cli("audit", "verify", cwd=clone.path).ok()


def test_bad_record_is_refused(clone: Git) -> None:
    """A record with a misspelt key stops the commit, and its file is named."""
    before = clone("rev-parse", "HEAD")
    record = record_of(clone)
    record.write_text(record.read_text().replace("fields:", "feilds:"))
    clone("add", "--all")
    done = clone.run("commit", "--message", "break a record")
    assert done.returncode == 1
    assert record.name in done.stderr.decode()
    assert clone("rev-parse", "HEAD") == before


def test_push_verifies_the_audit_log(clone: Git, bare_remote: Path) -> None:
    """A push goes through while the log is sound, and is refused once an entry was changed."""
    clone("commit", "--quiet", "--message", "check records before each commit")
    assert clone.run("push", bare_remote, "main").returncode == 0
    segment = next((clone.path / "log/audit").rglob("*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b'"v":1', b'"v":2', 1))
    clone("commit", "--quiet", "--all", "--no-verify", "--message", "rewrite history")
    assert clone.run("push", bare_remote, "main").returncode == 1
