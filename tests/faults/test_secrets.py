"""No secret in the clear: not in any file of the clone or the remote, not in what any child process was started with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git import Git
from tests.support.stores import found, open_memory

HERE = Path(__file__).parent
SECRETS = [f"{name}-chrysanthemum-{name}" for name in ("host", "password", "token", "project", "plan", "reason", "later")]


def _traced(log: Path, *words: object) -> None:
    """Run a command under strace, which writes down every program that is started, with arguments and environment."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", "/dev/null", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no usable strace on this machine: nothing can watch what the children were started with")
    command = [strace, "-f", "-qq", "-v", "-s", "1000000", "-e", "trace=execve", "-o", log, *map(str, words)]
    done = subprocess.run(command, input=json.dumps(SECRETS), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below `root` as it lies, decompressed where zlib can, and every git object there is."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            yield str(path), data
            try:
                yield f"{path} (inflated)", zlib.decompressobj().decompress(data)
            except zlib.error:
                continue
    yield f"objects of {root}", Git(root).raw("cat-file", "--batch-all-objects", "--batch", "--unordered")


def _places(secret: str, contents: dict[str, bytes]) -> list[str]:
    spellings = [secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode(), secret.upper().encode()]
    return [place for place, data in contents.items() if any(spelling in data for spelling in spellings)]


def test_no_secret_is_found_anywhere(tmp_path: Path, bare_remote: Path) -> None:
    """After learn, use, edit, match, search, commit and sync: clone, git directory, index, journal, remote, processes."""
    store = tmp_path / "store"
    found(store)
    Git(store)("remote", "add", "origin", bare_remote)
    _traced(tmp_path / "processes", sys.executable, HERE / "secretday.py", store)
    with open_memory(store) as memory:
        memory.learn("note", {"type": "semantic", "text": SECRETS[0]})  # journalled, not committed
        notes = {record.fields["text"] for record in memory.records("note")}
        assert notes == {SECRETS[0], SECRETS[6]}
    contents = {**dict(_contents(store)), **dict(_contents(bare_remote)), "processes": (tmp_path / "processes").read_bytes()}
    assert any(name.endswith("index.db") for name in contents)
    assert any("/journal/" in name for name in contents)
    assert contents["processes"].count(b'["git"') > 5
    for secret in SECRETS:
        assert _places(secret, contents) == []
        for part in secret.split("-"):
            if len(part) > 12:  # the words the index is made of
                assert _places(part, contents) == []
    assert Git(bare_remote)("rev-parse", "main") == Git(store)("rev-parse", "main")


def test_the_search_would_find_one(tmp_path: Path) -> None:
    """The same search in a plain store finds every secret where it must lie: in file, journal and git's objects."""
    store = tmp_path / "store"
    found(store, plain=True)
    with open_memory(store) as memory:
        memory.learn("note", {"type": "semantic", "text": SECRETS[4]})
        memory.commit()
        memory.learn("note", {"type": "semantic", "text": SECRETS[5]})
    contents = dict(_contents(store))
    assert {"memory/team" in place for place in _places(SECRETS[4], contents)} == {True, False}
    assert any("objects of" in place for place in _places(SECRETS[4], contents))
    assert any("/journal/" in place for place in _places(SECRETS[5], contents))
