"""What git shows for a record: text for people, and the raw file where it is no sound record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEXTCONV = str(Path(sys.executable).parent / "gitmem-textconv")


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
