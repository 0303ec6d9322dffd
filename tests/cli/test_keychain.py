"""A key kept in the desktop's own keychain: a real Secret Service on a session bus of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Seat

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("dbus-daemon", "dbus-send", "gnome-keyring-daemon"))), reason="no dbus or gnome-keyring here"
)
PASSWORD = b"of the keychain"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a session with a bus; without a display, so that nobody can be asked for a password."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    env = {"XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        try:
            assert daemon.stdout
            yield env | {"DBUS_SESSION_BUS_ADDRESS": daemon.stdout.readline().decode().strip()}
        finally:
            daemon.terminate()


@contextmanager
def keychain(bus: dict[str, str], *, unlocked: bool = True) -> Iterator[None]:
    """The keychain's daemon on that bus; made and opened with the password, or left locked."""
    command = ["gnome-keyring-daemon", "--foreground", "--components=secrets", *(["--unlock"] if unlocked else [])]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=os.environ | bus, stdin=subprocess.PIPE, **quiet) as daemon:
        assert daemon.stdin
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        try:
            _wait_for(bus)
            yield
        finally:
            daemon.terminate()


def _wait_for(bus: dict[str, str]) -> None:
    """Until the service has its name on the bus."""
    words = ["--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]
    deadline = time.monotonic() + 20
    while (
        b"boolean true"
        not in subprocess.run(
            ["dbus-send", "--session", "--print-reply", *words], env=os.environ | bus, capture_output=True, check=True
        ).stdout
    ):
        assert time.monotonic() < deadline, "the keychain did not come"
        time.sleep(0.02)


def test_a_key_in_the_desktops_keychain(ada: Seat, bus: dict[str, str]) -> None:
    """It is kept there on request, opens the store without its file, and is gone when it is taken out again."""
    record = ada.learn()
    with keychain(bus):
        kept = ada("key", "cache", "--json", env=bus).ok().json
        assert kept["keychain"] == "SecretService Keyring"
        ada.key.rename(ada.key.with_suffix(".away"))
        env = bus | {"GITMEM_IDENTITY_FILE": ""}
        assert ada("show", record, "--json", env=env).ok().json["id"] == record
        assert "the keychain keeps no key" in ada("key", "cache", "--forget", env=env).ok().err
        assert "OS keychain (holds no entry" in ada("show", record, env=env).expect(12).err


def test_a_locked_keychain_is_passed_over(ada: Seat, bus: dict[str, str]) -> None:
    """Where nobody can be asked to unlock it, it neither waits nor is in the way of the file."""
    record = ada.learn()
    with keychain(bus):
        ada("key", "cache", env=bus).ok()
    with keychain(bus, unlocked=False):
        home = Path(os.environ["HOME"]) / ".config/gitmem/identity.txt"
        home.parent.mkdir(parents=True)
        shutil.copy(ada.key, home)
        env = bus | {"GITMEM_IDENTITY_FILE": ""}
        ada("show", record, env=env).ok()
        assert "the OS keychain failed: " in ada("key", "cache", env=env).expect(1).err
        home.unlink()
        assert "OS keychain (cannot be read: " in ada("show", record, env=env).expect(12).err
