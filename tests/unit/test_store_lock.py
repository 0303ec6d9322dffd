"""The lock: one holder at a time among threads and processes, and none left behind by a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, Locked
from gitmem.store.lock import Lock

_HOLDER = """
import sys, time
from pathlib import Path
from gitmem.store.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _held_by_another(path: Path) -> subprocess.Popen[bytes]:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def _end(holder: subprocess.Popen[bytes], how: signal.Signals) -> None:
    holder.send_signal(how)
    holder.communicate()


def test_it_is_reentrant(tmp_path: Path) -> None:
    """A use case that holds it may call another that takes it."""
    lock = Lock(tmp_path / "lock")
    with lock, lock:
        pass
    with lock:
        pass
    lock.close()


def test_waiting_ends_with_an_error(tmp_path: Path) -> None:
    """Who waits too long is told that another process is at work, with exit code 11."""
    holder = _held_by_another(tmp_path / "lock")
    with pytest.raises(Locked, match="locked by another process") as caught, Lock(tmp_path / "lock", timeout=0.05):
        pass
    _end(holder, signal.SIGTERM)
    assert caught.value.exit_code == 11


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    """The kernel lets go when the holder is killed: no lock is ever stale."""
    holder = _held_by_another(tmp_path / "lock")
    _end(holder, signal.SIGKILL)
    with Lock(tmp_path / "lock", timeout=5):
        pass
    assert (tmp_path / "lock").exists()


def test_a_waiter_gets_it_when_it_is_free(tmp_path: Path) -> None:
    """Waiting is not an error where the holder ends in time."""
    holder = _held_by_another(tmp_path / "lock")
    timer = threading.Timer(0.1, holder.kill)
    timer.start()
    with Lock(tmp_path / "lock", timeout=10):
        pass
    timer.join()
    holder.communicate()


def test_threads_take_turns(tmp_path: Path) -> None:
    """One object serves many threads, one at a time."""
    lock, inside, most = Lock(tmp_path / "lock"), [], []

    def work() -> None:
        for _ in range(20):
            with lock:
                inside.append(1)
                most.append(len(inside))
                time.sleep(0)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) == 80


def test_a_forked_child_does_not_share_its_parents_lock(tmp_path: Path) -> None:
    """Descriptors are inherited by fork and with them flock(2); the child opens one of its own."""
    lock = Lock(tmp_path / "lock", timeout=0.05)
    with lock:
        pass  # the descriptor is open when the process forks
    with lock:
        child = os.fork()
        if child == 0:
            lock._depth = 0  # as if the parent had forked from another thread, outside the lock
            try:
                with lock:
                    os._exit(1)
            except Locked:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


def test_the_lock_file_cannot_be_made(tmp_path: Path) -> None:
    """A directory that is not there (or read-only) is a clear error."""
    with pytest.raises(GitmemError, match="cannot lock the store"), Lock(tmp_path / "none" / "lock"):
        pass
