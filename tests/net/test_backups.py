"""Backups beyond this machine: through fsspec in memory, and to a real S3 server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, RemoteError, Tampered
from gitmem.memory.backups.create import backups
from gitmem.memory.backups.restore_anew import restore_anew
from gitmem.memory.backups.rotate import rotate
from gitmem.memory.backups.verify import verify
from gitmem.memory.memory import Memory
from gitmem.store.destination import destination
from tests.support.cli import Cli
from tests.support.servers import object_store
from tests.support.stores import found, open_memory, person


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Memory]:
    """Ada's store, with a record."""
    found(tmp_path / "ada")
    with open_memory(tmp_path / "ada") as memory:
        memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"})
        yield memory


def test_what_fsspec_reaches_is_as_good_as_a_directory(ada: Memory, tmp_path: Path) -> None:
    """Made, verified, altered, rotated, restored; a name that is taken stays another's."""
    if not find_spec("fsspec"):
        pytest.skip("fsspec is not installed")
    import fsspec

    url, files = f"memory://{tmp_path.name}", fsspec.filesystem("memory")
    ada.backup(url)
    ada.learn("pattern", {"pattern": "connection refused", "fix": "start it"})
    assert ada.backup().type == "incremental"
    assert verify(ada.context, deep=True).problems == []
    place = destination(url, ada.context.store.id)
    assert not place.add("000001.json", b"another's")
    bundle = next(name for name in place.names() if name.startswith("000001-"))
    path = f"/{tmp_path.name}/{ada.context.store.id}/{bundle}"
    data = files.cat_file(path)
    files.pipe_file(path, data[:-1] + bytes([data[-1] ^ 1]))
    assert [one.what for one in verify(ada.context).problems] == ["altered bundle"]
    with pytest.raises(Tampered, match="altered"):
        restore_anew(url, tmp_path / "back", person().identities)
    ada.backup(full=True)
    assert [one.id[-4:] for one in rotate(ada.context, last=1, days=0).removed] == ["0001", "0002"]
    assert [one.id[-4:] for one in backups(ada.context)] == ["0003"]
    assert verify(ada.context, deep=True).problems == []
    assert restore_anew(url, tmp_path / "back", person().identities).records == 2
    files.rm(f"/{tmp_path.name}", recursive=True)


def test_a_url_that_leads_nowhere_is_told_without_its_password(ada: Memory) -> None:
    """An unknown protocol, a library that is missing, a host that refuses: each an error with a way on, and no secret in it."""
    if not find_spec("fsspec"):
        with pytest.raises(GitmemError, match="need fsspec"):
            ada.backup("memory://x")
        return
    with pytest.raises(GitmemError, match="is no place for backups"):
        ada.backup("nowhere://x/y")
    with pytest.raises(GitmemError) as told:
        ada.backup("ftp://ada:hunter2secret@127.0.0.1:9/backups")
    assert "hunter2secret" not in told.value.message
    assert isinstance(told.value, RemoteError)
    assert ada.context.store.repo.config_get("gitmem.backup") is None


def test_s3(cli: Cli, tmp_path: Path) -> None:
    """A real client, a real server: a backup, verified, and a lost laptop; a bucket that is not there is exit code 14."""
    with object_store() as env:
        urllib.request.urlopen(urllib.request.Request(f"{env['AWS_ENDPOINT_URL']}/bucket", method="PUT")).close()
        cli("init", "ada", "--name", "ada").ok()
        store = tmp_path / "ada"
        cli("learn", "--pattern", "no route to host", "--fix", "plug it in", cwd=store).ok()
        made = cli("backup", "create", "--to", "s3://bucket/team", "--json", cwd=store, env=env).ok().json
        assert (made["type"], made["to"].startswith("s3://bucket/team/s-")) == ("full", True)
        assert cli("backup", "verify", "--deep", "--json", cwd=store, env=env).ok().json["backups"] == 1
        assert cli("backup", "restore", "--from", "s3://bucket/team", "back", "--json", env=env).ok().json["records"] == 1
        failed = cli("backup", "create", "--full", "--to", "s3://no-such-bucket/x", cwd=store, env=env).expect(14)
        assert "secret of the bucket" not in failed.err
