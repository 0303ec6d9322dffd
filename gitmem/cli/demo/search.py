"""Looking for texts in everything a repository holds: each object decompressed, each file as it lies on the disk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Haystack:
    """What a directory holds: `objects` git objects (decompressed) and `files` files, `size` bytes in all."""

    data: tuple[bytes, ...]
    objects: int
    files: int

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.data))

    def found(self, texts: Iterable[str]) -> list[str]:
        """Those of `texts` that occur anywhere."""
        return [text for text in texts if any(text.encode() in part for part in self.data)]


def everything(directory: Path, env: dict[str, str]) -> Haystack:
    """All objects of the repository at `directory`, reachable or not, and all files below it."""
    objects = _git(directory, env, "cat-file", "--batch-all-objects", "--batch")
    names = _git(directory, env, "cat-file", "--batch-all-objects", "--batch-check")
    files = [path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink()]
    return Haystack((objects, *files), len(names.splitlines()), len(files))


def _git(directory: Path, env: dict[str, str], *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=directory, env=env, capture_output=True, check=True).stdout
