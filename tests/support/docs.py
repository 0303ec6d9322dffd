"""The examples of a documentation page, run as a reader would type them. CONTRIBUTING.md explains the convention."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.served import programs

_HIDDEN = re.compile(r"<!-- \$ (.*) -->$")
_FENCE = re.compile(r"```(\w*)")
_EXIT_CODE = re.compile(r"#\s*exit code (\d+)\s*$")
_WILDCARD = re.compile(r"…|\.\.\.")
_MARK = "=== end of step"


@dataclass(frozen=True)
class Step:
    """One command of a page: where it stands, the output it shows (empty: none is shown), how it must end."""

    line: int
    command: str
    shown: str = ""
    code: int = 0

    def problem(self, output: str, code: int) -> str:
        """What is wrong with this outcome, or nothing."""
        if code != self.code:
            return f"line {self.line}: $ {self.command}\nexit code {code}, not {self.code}; it printed:\n{output}"
        if self.shown and not matches(self.shown, output):
            return f"line {self.line}: $ {self.command}\nthe page shows:\n{self.shown}\nit printed:\n{output}"
        return ""


def matches(shown: str, output: str) -> bool:
    """Whether `output` is what a page shows: `…` or `...` stands for any text, on a line of its own for any lines."""
    pattern = ""
    for line in shown.strip("\n").splitlines():
        if line.strip() in {"…", "..."}:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in _WILDCARD.split(line.rstrip())) + "\n"
    printed = "".join(line.rstrip() + "\n" for line in output.strip("\n").splitlines())
    return re.fullmatch(pattern, printed) is not None


def steps(page: str) -> list[Step]:
    """All commands of a page in order: hidden ones, those of `console` blocks, and whole `python` blocks."""
    found: list[Step] = []
    lines = iter(enumerate(page.splitlines(), 1))
    for number, line in lines:
        if hidden := _HIDDEN.match(line.strip()):
            found.append(Step(number, hidden[1]))
        elif fence := _FENCE.match(line.strip()):
            block = list(_until_fence(lines))
            if fence[1] == "console":
                found += _console(block)
            elif fence[1] == "python":
                code = "\n".join(text for _, text in block)
                found.append(Step(number, f"python - <<'END-OF-EXAMPLE'\n{code}\nEND-OF-EXAMPLE"))
    return found


def _until_fence(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        if line.strip() == "```":
            return
        yield number, line


def _console(block: list[tuple[int, str]]) -> list[Step]:
    found: list[Step] = []
    command: list[str] = []
    shown: list[str] = []
    start = 0
    for number, line in [*block, (0, "$ ")]:
        if line.startswith("$ "):
            if command:
                found.append(_step(start, "\n".join(command), "\n".join(shown)))
            start, command, shown = number, [line[2:]], []
        elif not shown and (line.startswith("> ") or command[-1].endswith("\\")):
            command.append(line.removeprefix("> "))
        else:
            shown.append(line)
    return found


def _step(line: int, command: str, shown: str) -> Step:
    code = _EXIT_CODE.search(command)
    return Step(line, command, shown, int(code[1]) if code else 0)


def run(page: str, cwd: Path, timeout: float = 240) -> list[str]:
    """Run a page's commands in one shell that starts in `cwd`; the problems found, in order."""
    todo = steps(page)
    script = "".join(f"eval {shlex.quote(step.command)}\nprintf '\\n{_MARK} %d\\n' $?\n" for step in todo)
    outcomes = re.split(rf"\n{_MARK} (\d+)\n", _under_a_terminal(script, cwd, timeout))
    pairs = zip(outcomes[0::2], map(int, outcomes[1::2]), strict=False)
    problems = [problem for step, pair in zip(todo, pairs, strict=False) if (problem := step.problem(*pair))]
    if len(outcomes) // 2 < len(todo):
        problems.append(f"line {todo[len(outcomes) // 2].line}: the page stopped here\n{outcomes[-1]}")
    return problems


def _under_a_terminal(script: str, cwd: Path, timeout: float) -> str:
    """What bash draws for `script`: output as on a terminal of 100 columns, input empty, so that nothing waits."""
    master, slave = os.openpty()
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST  # newlines stay newlines
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    termios.tcsetwinsize(slave, (24, 100))
    forked = {} if "--watch" in script else programs().env  # a signal that ends it must reach the program itself
    env = os.environ | forked | {"TERM": "dumb", "PAGER": "cat", "GIT_PAGER": "cat"}
    words = ["bash", "--noprofile", "--norc", "-c", script]
    with subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as shell:
        os.close(slave)
        watchdog = threading.Timer(timeout, shell.kill)
        watchdog.start()
        drawn = b"".join(iter(lambda: _read(master), b""))
        watchdog.cancel()
    os.close(master)
    return drawn.decode(errors="replace")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # Linux says EIO where macOS says end of file: the last process has closed the terminal
        return b""
