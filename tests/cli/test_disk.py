"""A disk that is read-only, and one that is full: a clear error, and nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import ERROR, LESSON, Seat
from tests.support.cli import GITMEM


@contextmanager
def _mounted(*words: str | Path) -> Iterator[None]:
    """A mount for the time of a test; skips where mounting is not permitted."""
    target = str(words[-1])
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)


@pytest.fixture
def read_only(ada: Seat) -> Iterator[Callable[[], None]]:
    """`read_only()` makes Ada's clone read-only until the test ends (chmod would not stop root)."""
    if shutil.which("mount") is None:
        pytest.skip("no mount program")
    with ExitStack() as stack:

        def make() -> None:
            stack.enter_context(_mounted("--bind", ada.path, ada.path))
            subprocess.run(["mount", "-o", "remount,bind,ro", ada.path], check=True)

        yield make


def test_read_only(ada: Seat, read_only: Callable[[], None]) -> None:
    """Reading works; writing says that the disk is read-only; a match still answers, with a word that it was not counted."""
    found = ada.learn()
    ada("commit").ok()
    ada("list").ok()
    ada("backup", "create", "--to", ada.path.parent / "safe").ok()
    read_only()
    assert "could not be noted" in ada("backup", "verify", "--deep").ok().err
    ada("backup", "drill").ok()
    assert ada("show", found, "--json").ok().json["id"] == found
    answer = ada("match", ERROR, "--json").ok()
    assert answer.json["matches"][0]["id"] == found
    assert "could not be counted" in answer.err
    for words in (
        ["learn", "--pattern", "y", "--fix", "z"],
        ["used", found, "--fixed"],
        ["edit", found, "--fix", "x"],
        ["forget", found, "--yes"],
    ):
        done = ada(*words).expect(1)
        assert "read-only" in done.err
        assert "Traceback" not in done.err
        assert [line.split(" ")[0] for line in done.err.splitlines()] == ["error:", "hint:"]
    assert ada("sync").code in (1, 14)


def test_a_copy_on_a_read_only_disk(ada: Seat, read_only: Callable[[], None]) -> None:
    """A clone that came from another machine cannot take a name of its own there, and needs none to be read."""
    found = ada.learn()
    ada("commit").ok()
    file = ada.path / ".git/gitmem/replica.yaml"
    file.write_text(file.read_text().replace("host: ", "host: other-"))
    read_only()
    assert ada("show", found, "--json").ok().json["id"] == found
    assert ada("match", ERROR, "--json").ok().json["matches"][0]["id"] == found
    assert "read-only" in ada("used", found, "--fixed").expect(1).err


def test_full_disk(ada: Seat, tmp_path: Path) -> None:
    """On a disk without room a write is refused and changes nothing; what was recorded before is still there."""
    if shutil.which("mount") is None:
        pytest.skip("no mount program")
    disk = tmp_path / "disk"
    disk.mkdir()
    with _mounted("-t", "tmpfs", "-o", "size=4m", "none", disk):
        shutil.copytree(ada.path, disk / "ada", symlinks=True)
        seat = Seat(disk / "ada", ada.key)
        found = seat.learn()
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        done = seat("learn", "--pattern", "y" * 5000, "--fix", "z" * 50_000).expect(1)
        assert "no space left" in done.err
        assert "Traceback" not in done.err
        checks = seat("doctor", "--json").expect(1).json["checks"]
        assert "disk" in {check["name"] for check in checks if not check["ok"]}
        filler.unlink()
        assert seat("show", found, "--json").ok().json["id"] == found
        assert seat("list").ok().out.count("\n") == 1
        seat("commit").ok()
        seat("doctor").ok()


@pytest.mark.parametrize("limit", [0, 1000, 20_000])
def test_a_limit_on_file_sizes(ada: Seat, limit: int) -> None:
    """Where a write is cut short anywhere (RLIMIT_FSIZE), it is refused with 1, and the next one works."""
    found = ada.learn()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    # Measuring coverage writes a file as well, which is not the one under test.
    measured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    env = measured | {"GITMEM_IDENTITY_FILE": str(ada.key)}
    words = [GITMEM, "learn", "--pattern", "y" * 5000, "--fix", "z" * 50_000]
    done = subprocess.run(words, cwd=ada.path, env=env, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert ada("list").ok().out.split("\t")[0] == found
    ada("learn", *LESSON[:4]).ok()
    ada("sync").ok()
    ada("doctor").ok()
