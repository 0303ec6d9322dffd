"""The real `gitmem`, run as a script runs it: its own process, pipes, an exit code.

The process is forked from one that has everything loaded, unless the test sets what only a new interpreter reads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.served import ADDRESS, programs

GITMEM = str(Path(sys.executable).parent / "gitmem")


@dataclass(frozen=True)
class Result:
    """How a program ended: `code` is negative for a signal."""

    args: tuple[str, ...]
    code: int
    out_bytes: bytes
    err_bytes: bytes

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.out_bytes.decode(errors="surrogateescape")

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.err_bytes.decode(errors="surrogateescape")

    @property
    def json(self) -> Any:
        """Standard output read as one JSON document."""
        return json.loads(self.out_bytes)

    @property
    def json_lines(self) -> list[Any]:
        """Standard output read as one JSON document a line."""
        return [json.loads(line) for line in self.out_bytes.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error a `--json` call ended with: the last line of standard error."""
        found: dict[str, Any] = json.loads(self.err.strip().splitlines()[-1])
        return found

    def ok(self) -> Result:
        """This result, after making sure that the program succeeded."""
        return self.expect(0)

    def expect(self, code: int) -> Result:
        """This result, after making sure that the program ended with `code`."""
        assert self.code == code, f"{' '.join(self.args)} -> {self.code}, not {code}\n{self.out}{self.err}"
        return self


@dataclass(frozen=True)
class Cli:
    """Runs `gitmem` from `cwd` unless a call says otherwise."""

    cwd: Path

    def __call__(
        self,
        *args: str | Path,
        input: str | bytes | None = None,  # noqa: A002 (the name subprocess uses)
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run to the end; `env` adds to the test's environment; without `input`, stdin is empty."""
        program, served = _started() if any(name.startswith("PYTHON") for name in env or ()) else _forked()
        words = [program, *map(str, args)]
        data = input.encode() if isinstance(input, str) else input or b""
        whole = os.environ | served | dict(env or {})
        done = subprocess.run(
            words, input=data, cwd=cwd or self.cwd, env=whole, capture_output=True, timeout=timeout, check=False
        )
        return Result(("gitmem", *words[1:]), done.returncode, done.stdout, done.stderr)


def _started() -> tuple[str, dict[str, str]]:
    return GITMEM, {}


def _forked() -> tuple[str, dict[str, str]]:
    return str(programs().bin / "gitmem"), {ADDRESS: str(programs().address)}
