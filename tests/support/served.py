"""gitmem's programs without the start of an interpreter: each call is a process forked from one that has everything loaded.

A simulated history starts many programs, most of them by git: hooks, the merge strategy, the driver. Most of such a call is
the interpreter's start and imports. Here a small client, which imports next to nothing, hands its words, environment, directory
and open files to a server, and ends as the process ends that was forked for it. That process runs the very code of the program,
in an environment of its own, and dies with its client.
"""

from __future__ import annotations

import array
import atexit
import marshal
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

PROGRAMS = {
    "gitmem": "gitmem.cli.main",
    "git-merge-gitmem": "gitmem.plumbing.strategy",
    "gitmem-merge-driver": "gitmem.plumbing.driver",
    "gitmem-textconv": "gitmem.plumbing.textconv",
}
"""The programs that are served, and the modules whose `run` they are."""
ADDRESS = "GITMEM_TEST_SERVER"
"""The environment variable with the server's socket; without it the client becomes the program itself."""
_REAL = Path(sys.executable).parent
_LIBRARIES = (
    "apsw",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "cryptography.hazmat.primitives.serialization",
    "jsonschema_rs",
    "pyrage",
    "rapidfuzz.distance",
    "regex",
    "yaml",
    "zstandard",
)
"""What functions of gitmem import when they need it; of gitmem itself all is loaded, but for `mcp`, which takes a second."""

_CLIENT = """\
#!{python} -IS
import posix, sys
address = posix.environ.get(b"{address}")
name = sys.argv[0].rpartition("/")[2]
if address is None:
    posix.execv("{real}/" + name, ["{real}/" + name, *sys.argv[1:]])
import marshal, _socket
call = marshal.dumps(([name, *sys.argv[1:]], posix.getcwd(), posix.environ))
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect(address)
files = b"".join(n.to_bytes(4, sys.byteorder) for n in (0, 1, 2))
server.sendmsg([len(call).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
server.sendall(call)
answer = server.recv(1)
posix._exit(answer[0] if answer else 70)
"""


@cache
def programs(*also: str) -> Served:
    """The programs as this process and all its tests use them; `also` names modules to load beside those of every command."""
    folder = Path(tempfile.mkdtemp(prefix="gitmem-served-"))
    served = Served(folder, *also)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(served.close)
    return served


class Served:
    """The programs in `bin`, and their server, which runs until it is closed or this process ends."""

    def __init__(self, folder: Path, *also: str) -> None:
        self.bin = folder / "bin"
        self.address = folder / "socket"
        self.bin.mkdir(parents=True)
        text = _CLIENT.format(python=sys.executable, address=ADDRESS, real=_REAL)
        for name in PROGRAMS:
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        words = [sys.executable, "-P", __file__, str(self.address), *also]
        unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=unmeasured)
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it listens now

    @property
    def env(self) -> dict[str, str]:
        """What a process must find in its environment to be served."""
        return {ADDRESS: str(self.address), "PATH": os.pathsep.join([str(self.bin), os.environ["PATH"]])}

    def take_over(self, git_dir: Path) -> None:
        """Have git start these programs where a clone's configuration and hooks name the real ones."""
        _replace(git_dir, _REAL, self.bin)

    def give_back(self, git_dir: Path) -> None:
        """Have git start the real programs again, as `gitmem doctor` wants it."""
        _replace(git_dir, self.bin, _REAL)

    def close(self) -> None:
        """End the server, and whatever it still runs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@dataclass
class _Server:
    """Forks a process for each client; kills it when the client goes, tells the client when it ends."""

    listener: socket.socket
    ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    running: dict[int, socket.socket] = field(default_factory=dict)
    programs: dict[str, Callable[[], int]] = field(default_factory=dict)

    def serve(self) -> None:
        """Serve until standard input ends."""
        self.programs = {name: import_module(module).run for name, module in PROGRAMS.items()}
        load(*sys.argv[2:])
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source, act in ((self.listener, self._accept), (woken, lambda: self._reap(woken)), (0, None)):
            self.ready.register(source, selectors.EVENT_READ, act)
        while True:
            for key, _ in self.ready.select():
                if key.data is None:
                    return self._kill_all()
                key.data()

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        call, files = _received(client)
        if call is None:  # it was killed before it had said what it wants
            client.close()
            return
        child = os.fork()
        if child == 0:
            self._be(client, files, *marshal.loads(call))  # ends the process
        for descriptor in files:
            os.close(descriptor)
        self.running[child] = client
        self.ready.register(client, selectors.EVENT_READ, lambda: self._gone(child))

    def _be(self, client: socket.socket, files: list[int], words: list[str], folder: str, env: dict[bytes, bytes]) -> None:
        """Be the process that a client asked for."""
        code = 70
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.ready.close()
            for other in (self.listener, client, *self.running.values()):
                other.close()
            atexit._clear()
            _take(files)
            os.chdir(folder)
            os.environb.clear()
            os.environb.update(env)
            sys.argv[:] = words
            _measure()
            code = self.programs[words[0]]() or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _gone(self, child: int) -> None:
        """A client's connection has ended: killed, if its process still runs."""
        if child in self.running:
            os.killpg(child, signal.SIGKILL)
            self._end(child, None)
            os.waitpid(child, 0)

    def _reap(self, woken: int) -> None:
        os.read(woken, 4096)
        for child in list(self.running):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._end(child, os.waitstatus_to_exitcode(status))

    def _end(self, child: int, code: int | None) -> None:
        client = self.running.pop(child)
        self.ready.unregister(client)
        if code is not None:
            try:
                client.send(bytes([code % 256 if code >= 0 else 128 - code]))
            except BrokenPipeError:
                code = None  # nobody waits for it any more
        client.close()

    def _kill_all(self) -> None:
        for child in list(self.running):
            self._gone(child)


def load(*also: str) -> None:
    """Import all of gitmem, but for `mcp`, and what its functions import when they need it."""
    for module in (*_modules(), *_LIBRARIES, *also):
        import_module(module)


def _modules() -> list[str]:
    found = walk_packages(import_module("gitmem").__path__, "gitmem.")
    return [module.name for module in found if not module.name.startswith("gitmem.mcp.") and "__main__" not in module.name]


def _measure() -> None:
    """Measure this process if a started one would be: coverage begins with the interpreter, which has begun long ago."""
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage

        coverage.process_startup()


def _replace(git_dir: Path, old: Path, new: Path) -> None:
    for file in (git_dir / "config", *git_dir.glob("hooks/*")):
        file.write_text(file.read_text().replace(f"{old}/gitmem", f"{new}/gitmem"))


def _received(client: socket.socket) -> tuple[bytes | None, list[int]]:
    files = array.array("i")
    head, ancillary, _, _ = client.recvmsg(4, socket.CMSG_LEN(3 * files.itemsize))
    for _, _, data in ancillary:
        files.frombytes(data)
    call = b""
    while head and len(call) < int.from_bytes(head, "big"):
        part = client.recv(1 << 20)
        if not part:
            return None, list(files)
        call += part
    return (call if head else None), list(files)


def _take(files: list[int]) -> None:
    """Make the client's standard streams this process's."""
    for number, descriptor in enumerate(files):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace")


def main() -> None:
    """Serve at the socket that the command line names."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        server = _Server(listener)
        os.write(1, b"ready\n")
        server.serve()


if __name__ == "__main__":
    main()
