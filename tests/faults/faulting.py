"""Running a command with a fault at one of the system calls by which it changes files.

The command runs in a forked copy of this process, so that nothing has to be started and loaded for it; what it starts in turn
(git, hooks, the merge strategy) is under the same fault.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.seccomp import Call, Listener, ask

KINDS: Final = ("KILL", "TREE", "EIO", "ENOSPC", "FULL", "TIME")
"""KILL ends whoever makes the call, TREE all that belongs to the command as well; EIO and ENOSPC fail one call, FULL is a disk
that stays full; TIME is TREE at a moment, whatever happens then."""
_GROWING = {"open", "openat", "creat", "write", "pwrite64", "writev", "mkdir", "mkdirat", "link", "linkat", "copy_file_range"}
_PATIENCE = 120.0


@dataclass(frozen=True)
class Fault:
    """A fault of `kind` at the `nth` changing call, counted over all processes of a command; for TIME after `nth` ms."""

    kind: str
    nth: int

    def __str__(self) -> str:
        return f"{self.kind} at {f'{self.nth} ms' if self.kind == 'TIME' else f'call {self.nth}'}"


@dataclass
class Ended:
    """How a command ended (negative: by a signal), and the calls that it had made to change files in the `places` watched."""

    code: int
    calls: list[Call] = field(default_factory=list)
    reached: bool = False


@dataclass(frozen=True)
class Setting:
    """Where a command runs: directory and environment, the file that takes its output, and the places that are watched."""

    cwd: Path
    env: dict[str, str]
    said: Path
    places: Sequence[Path]

    def run(self, body: Callable[[], None], fault: Fault | None = None, before: Callable[[Call], None] | None = None) -> Ended:
        """Run `body` in a process of its own, to its end and that of all that it started.

        `before` is told of each call that is let go on, before it is made.
        """
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            self._be(body, theirs)
        theirs.close()
        try:
            return self._watch(child, Listener(ours), fault, before)
        finally:
            ours.close()

    def _be(self, body: Callable[[], None], theirs: socket.socket) -> None:
        code = 70
        try:
            os.setpgid(0, 0)
            _become(self.cwd, self.env, self.said)
            ask(theirs)
            theirs.close()
            body()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _watch(self, child: int, listener: Listener, fault: Fault | None, before: Callable[[Call], None] | None) -> Ended:
        ended, code, began = Ended(0), None, time.monotonic()
        while True:
            try:
                call = listener.next(0.2 if fault is None or fault.kind != "TIME" else 0.002)
            except TimeoutError:
                call, code = _NOTHING, code if code is not None else _reaped(child)
            if call is None:
                break
            passed = time.monotonic() - began
            assert passed < _PATIENCE, f"it does not end: {self.said.read_text()[-500:]}"
            if fault and fault.kind == "TIME" and passed > fault.nth / 1000 and not ended.reached:
                ended.reached = True
                _kill_group(child)
            if call is not _NOTHING:
                error = self._meet(call, child, fault, ended)
                if before is not None and not error and ended.calls and ended.calls[-1] is call and not ended.reached:
                    before(call)
                listener.answer(call, error)
        listener.close()
        if code is None:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended.code = code
        return ended

    def _meet(self, call: Call, child: int, fault: Fault | None, ended: Ended) -> int:
        """Note a call, and let the fault come to pass if this is its moment; the error number that the call is to end with."""
        if not any(Path(path).is_relative_to(place) for path in call.paths for place in self.places):
            return 0
        ended.calls.append(call)
        if fault is None or fault.kind == "TIME":
            return 0
        here = len(ended.calls) == fault.nth
        ended.reached |= here
        if here and fault.kind in ("KILL", "TREE"):
            os.kill(call.process, signal.SIGKILL)
            if fault.kind == "TREE":
                _kill_group(child)
        full = fault.kind == "FULL" and ended.reached and call.name in _GROWING
        return errno.EIO if here and fault.kind == "EIO" else errno.ENOSPC if full or (here and fault.kind == "ENOSPC") else 0


_NOTHING = Call(0, 0, "", ())


def _become(cwd: Path, env: dict[str, str], said: Path) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(descriptor, number)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace")


def _reaped(child: int) -> int | None:
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
