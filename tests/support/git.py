"""Real git, run in a directory and checked."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Git:
    """Git in one directory: `git("add", "a.txt")` runs it there and gives its output."""

    path: Path

    def __call__(self, *args: str | Path, check: bool = True, stdin: str = "") -> str:
        """Standard output without the final newline; a failure raises with what git said, unless `check` is false."""
        done = self.run(*args, stdin=stdin.encode())
        assert done.returncode == 0 or not check, _failure(done)
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def raw(self, *args: str | Path, stdin: bytes = b"") -> bytes:
        """Standard output as it is; a failure raises."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, _failure(done)
        return done.stdout

    def run(self, *args: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Exit code, output and errors, unchecked."""
        words = ["git", *map(str, args)]
        return subprocess.run(words, cwd=self.path, input=stdin, capture_output=True, timeout=120, check=False)

    def commit(self, message: str, files: dict[str, str | bytes] | None = None) -> str:
        """Write `files`, stage everything, commit, and give the commit's full hash."""
        for name, content in (files or {}).items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", message)
        return self("rev-parse", "HEAD")

    def clone(self, target: Path) -> Git:
        """A clone of this repository at `target`."""
        self("clone", "--quiet", self.path, target)
        return Git(target)


def _failure(done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stdout + done.stderr).decode(errors="replace")
    return f"{' '.join(done.args)} -> {done.returncode}\n{said}"
