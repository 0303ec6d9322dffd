"""What git shows for a record: text for people, and the raw file where it is no sound record."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gitmem.core.record import Json
from tests.git.stores import changed, found_store, path_of, put, record
from tests.support.git import Git

TEXTCONV = str(Path(sys.executable).parent / "gitmem-textconv")


MakeRepo = Callable[..., Git]
SEALED: Json = "ENC[1-9f3a1c07,AAAABBBBCCCCDDDDEEEEFFFF]"


def test_git_diff_and_log_show_text(make_repo: MakeRepo) -> None:
    """Values on lines of their own instead of the stored form, and nothing in them that steers a terminal."""
    git = make_repo()
    found_store(git, record(1, fix="first"))
    put(git, changed(record(1, fix="first"), "bbbbbbbb-1", count=2, fix="second \x1b[2J\u202e!"))
    shown = git("diff", "--no-color")
    assert "-fix: first" in shown
    assert "+fix: second \\x1b[2J\\u202e!" in shown
    assert "bbbbbbbb-1" not in shown
    git.commit("second")
    assert "+fix: second" in git("log", "-p", "-1", "--no-color")


def test_without_a_key_the_skeleton_is_shown(make_repo: MakeRepo) -> None:
    """Sealed values stay sealed, and their ciphertext does not fill the screen."""
    git = make_repo()
    sealed = record(1, fix=SEALED)
    found_store(git, sealed)
    git("rm", "--quiet", path_of(sealed))
    shown = git("diff", "--cached", "--no-color")
    assert "-fix: (sealed)" in shown
    assert "ENC[" not in shown


def test_a_broken_record_is_shown_as_it_stands(tmp_path: Path) -> None:
    """`git diff` must not fail for a file that is damaged: that is when it is needed."""
    for content in (b"<<<<<<< HEAD\n", b"", b"\xff\0"):
        (tmp_path / "p-x.yaml").write_bytes(content)
        done = subprocess.run([TEXTCONV, "p-x.yaml"], cwd=tmp_path, capture_output=True, timeout=60, check=True)
        assert done.stdout == content


def test_wrong_arguments() -> None:
    """Started by hand, it says what it is for."""
    done = subprocess.run([TEXTCONV], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"usage: ")
