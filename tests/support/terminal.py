"""Programs run as a person runs them: under a terminal, typing when something has been drawn."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.cli import GITMEM

# Makes the terminal on stdin the controlling one, so that Ctrl-C and /dev/tty work, then becomes the program.
_SHIM = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")


@dataclass(frozen=True)
class Drawn:
    """What a program under a terminal left: `raw` with its escape sequences, `text` without."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """The characters alone, one newline a line, carriage returns kept only inside a line."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n")


@dataclass(frozen=True)
class PtyCli:
    """Runs a program with a terminal of 24 lines and 100 columns on all three streams."""

    cwd: Path

    def __call__(
        self,
        *args: str | Path,
        answers: Sequence[tuple[str, str]] = (),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: str = GITMEM,
        timeout: float = 60,
    ) -> Drawn:
        """Run to the end; each answer `(when, keys)` types `keys` once `when` has been drawn (`"\\x03"` is Ctrl-C)."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        words = [sys.executable, "-I", "-S", "-c", _SHIM, program, *map(str, args)]
        whole = os.environ | {"TERM": "xterm-256color"} | dict(env or {})
        with subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, cwd=cwd or self.cwd, env=whole, start_new_session=True
        ) as child:
            os.close(slave)
            try:
                raw = _converse(master, list(answers), time.monotonic() + timeout)
                return Drawn(child.wait(timeout=10), raw)
            finally:
                child.kill()
                os.close(master)


def _converse(master: int, answers: list[tuple[str, str]], deadline: float) -> str:
    drawn = b""
    seen = 0
    while chunk := _read(master, deadline, drawn):
        drawn += chunk
        while answers and (at := drawn.find(answers[0][0].encode(), seen)) >= 0:
            seen = at + len(answers[0][0].encode())
            os.write(master, answers.pop(0)[1].encode())
    assert not answers, f"never drawn: {answers[0][0]!r}\n{drawn.decode(errors='replace')}"
    return drawn.decode(errors="surrogateescape")


def _read(master: int, deadline: float, drawn: bytes) -> bytes:
    ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.monotonic()))
    assert ready, f"still running after the time allowed\n{drawn.decode(errors='replace')}"
    try:
        return os.read(master, 65536)
    except OSError:  # Linux says EIO where macOS says end of file: the last process has closed the terminal
        return b""
