"""Real servers for git on the loopback, as context managers. Each gives the URL below which a folder's repositories are."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A running server: the URL of the repository `name` is `f"{url}/{name}"`; `env` is what a client needs."""

    url: str
    env: dict[str, str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.split("/")[2].rpartition(":")[2])

    def use(self) -> None:
        """Give this test's git, and every program it starts, what it needs to get through."""
        os.environ.update(self.env)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


@contextmanager
def git_daemon(folder: Path) -> Iterator[Served]:
    """`git daemon` with pushing allowed."""
    port = free_port()
    words = ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={folder}"]
    with _running([*words, f"--listen={HOST}", f"--port={port}", str(folder)], port):
        yield Served(f"git://{HOST}:{port}", {})


@contextmanager
def sshd(folder: Path, scratch: Path) -> Iterator[Served]:
    """A real sshd with a host key and a client key of its own, both thrown away afterwards. Skips where there is none."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd here (openssh-server)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd locks itself in, made by its service else
    scratch.mkdir(mode=0o700, exist_ok=True)
    port = free_port()
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(scratch / name)], check=True)
    (scratch / "config").write_text(_sshd_config(scratch, port))
    (scratch / "known").write_text(f"[{HOST}]:{port} {(scratch / 'host.pub').read_text()}")
    log = scratch / "log"
    ssh = (
        f"ssh -F /dev/null -i '{scratch}/client' -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile='{scratch}/known'"
    )
    with _running([program, "-D", "-E", str(log), "-f", str(scratch / "config")], port):
        yield Served(f"ssh://{HOST}:{port}{folder}", {"GIT_SSH_COMMAND": ssh})


def _sshd_config(scratch: Path, port: int) -> str:
    path = os.environ["PATH"]
    return (
        f"Port {port}\nListenAddress {HOST}\nHostKey {scratch}/host\nAuthorizedKeysFile {scratch}/client.pub\n"
        "PidFile none\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPrintMotd no\n"
        f"PermitRootLogin prohibit-password\nMaxStartups 50\n"
        f"SetEnv PATH={path} GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null\n"
    )


@contextmanager
def silent() -> Iterator[Served]:
    """A server that takes every connection and never says a word."""
    with _listening(lambda connection: connection.recv(1 << 16)) as port:
        yield Served(f"git://{HOST}:{port}", {})


@contextmanager
def cutting(port: int, after: Callable[[], int | None]) -> Iterator[int]:
    """A port that passes everything on to `port`, and breaks a connection when `after()` bytes have come back (None: never)."""

    def serve(client: socket.socket) -> None:
        with socket.create_connection((HOST, port)) as server:
            threading.Thread(target=_pass_on, args=(client, server, None), daemon=True).start()
            _pass_on(server, client, after())

    with _listening(serve) as own:
        yield own


@contextmanager
def _listening(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port on which each connection is served by a thread of its own, and all are closed at the end."""
    opened: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                opened.append(connection)
                threading.Thread(target=attend, args=(connection,), daemon=True).start()

    def attend(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            serve(connection)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in opened:
                connection.close()
            thread.join(5)


def _pass_on(source: socket.socket, target: socket.socket, most: int | None) -> None:
    """Carry bytes over, `most` of them; then both ends are closed."""
    passed = 0
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            rest = data if most is None else data[: max(0, most - passed)]
            target.sendall(rest)
            passed += len(data)
            if most is not None and passed >= most:
                break
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def _running(words: list[str], port: int) -> Iterator[None]:
    """A server program, from when it answers on its port until it is ended with all it started."""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as child:
        try:
            _wait_for(child, port)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, 15)
            child.wait(10)


def _wait_for(child: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.poll() is not None:
            said = child.stderr.read().decode() if child.stderr else ""
            pytest.fail(f"{child.args!r} ended with {child.returncode}: {said}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"{child.args!r} does not answer")


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """An S3 server without a bucket, and the environment in which clients find it; the test skips without its library."""
    if not all(map(find_spec, ("flask", "moto", "s3fs"))):
        pytest.skip("moto's server or s3fs is not installed: pip install 's3fs' 'moto[server]'")
    port = free_port()
    with _running([sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], port):
        yield {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret of the bucket",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        }
