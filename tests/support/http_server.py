"""`git http-backend` behind a small web server: http and https, with and without a password."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from tests.support.servers import HOST, Served

USER, PASSWORD = "ada", "s3cret@word"  # the @ is what a careless removal of passwords from URLs trips over


@contextmanager
def http(folder: Path, scratch: Path, *, tls: bool = False, password: str | None = None) -> Iterator[Served]:
    """`git http-backend` behind a small web server, over TLS with a self-signed certificate if asked.

    With a `password` it wants USER and that password, which git's credential helper of the test's home then knows.
    """
    server = _Server(folder, password)
    scheme = "https" if tls else "http"
    url = f"{scheme}://{HOST}:{server.server_port}"
    if tls:
        certificate, key = _self_signed(scratch)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        configure(f"http.{url}.sslCAInfo", str(certificate))
    if password:
        remember_password(url, password)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Served(url, {"no_proxy": HOST, "NO_PROXY": HOST})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def remember_password(url: str, password: str) -> None:
    """Have git's own credential helper answer for `url`, as a person's keychain would."""
    scheme, _, place = url.partition("://")
    store = Path(os.environ["HOME"], ".git-credentials")
    store.write_text(f"{scheme}://{USER}:{quote(password, safe='')}@{place}\n")
    configure("credential.helper", f"store --file='{store}'")


def configure(key: str, value: str) -> None:
    """Set a key in the git configuration of the test's home."""
    subprocess.run(["git", "config", "--global", key, value], check=True)


class _Server(ThreadingHTTPServer):
    """A web server on a port of its own that serves the repositories in `folder`, with a password or without."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, folder: Path, password: str | None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.folder = folder
        self.password = password


class _Handler(BaseHTTPRequestHandler):
    """One request to `git http-backend`, by CGI (RFC 3875)."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        if not self._may_enter():
            self._send("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"')], b"")
            return
        done = subprocess.run(["git", "http-backend"], input=body, env=self._environment(), capture_output=True, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self._send(status, [(name, value) for name, value in headers if name != "Status"], rest)

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _may_enter(self) -> bool:
        if self.server.password is None:
            return True
        token = base64.b64encode(f"{USER}:{self.server.password}".encode()).decode()
        return self.headers.get("Authorization", "") == f"Basic {token}"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _environment(self) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_CONFIG_GLOBAL")}
        return plain | {
            "GIT_PROJECT_ROOT": str(self.server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": USER,
            "REMOTE_ADDR": HOST,
        }


def _self_signed(scratch: Path) -> tuple[Path, Path]:
    """(certificate, key) for the loopback, as files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    scratch.mkdir(mode=0o700, exist_ok=True)
    certificate, private = scratch / "server.pem", scratch / "server.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return certificate, private
