"""Being asked before a process, or any that it starts, changes a file: seccomp's user notifications (Linux 5.9, no root).

A filter that a process gives itself holds for all its children, whatever they run. Each call that it names waits until the
listener has answered, with an error or with leave to go on; all other calls cost nothing. See seccomp_unotify(2).
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NUMBERS = {
    "x86_64": {
        "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "sendfile": 40, "fsync": 74, "fdatasync": 75, "truncate": 76,
        "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88,
        "chmod": 90, "fchmod": 91, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265,
        "symlinkat": 266, "fchmodat": 268, "renameat2": 316, "copy_file_range": 326,
    },
    "aarch64": {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45, "ftruncate": 46,
        "fchmod": 52, "fchmodat": 53, "openat": 56, "write": 64, "writev": 66, "pwrite64": 68, "sendfile": 71, "fsync": 82,
        "fdatasync": 83, "renameat2": 276, "copy_file_range": 285,
    },
}  # fmt: skip
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_NO_NEW_PRIVS, _SET_FILTER, _NEW_LISTENER = 38, 1, 8
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _ANY, _RETURN = 0x20, 0x15, 0x45, 0x06
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("=QII iI Q 6Q")
_GO_ON = 1
_OPENING = {"open": 1, "openat": 2}
"""Which argument holds the flags."""
_CREATING = os.O_CREAT | os.O_TRUNC
_PATHS = {
    "open": (0,), "creat": (0,), "truncate": (0,), "mkdir": (0,), "rmdir": (0,), "unlink": (0,), "chmod": (0,),
    "openat": (1,), "mkdirat": (1,), "unlinkat": (1,), "fchmodat": (1,),
    "rename": (0, 1), "link": (0, 1), "symlink": (1,), "symlinkat": (2,),
    "renameat": (1, 3), "renameat2": (1, 3), "linkat": (1, 3),
}  # fmt: skip
"""Which arguments are paths; for all other calls the argument `_FILES` names is a descriptor."""
_FILES = {"copy_file_range": 2}


class Call(NamedTuple):
    """A call that waits for an answer: who makes it, its name, and the files it is about (empty: unknown)."""

    id: int
    process: int
    name: str
    paths: tuple[str, ...]


@cache
def works() -> bool:
    """Whether this machine's kernel lets a process ask so."""
    machine = platform.machine()
    if machine not in _NUMBERS or not hasattr(socket, "SCM_RIGHTS"):
        return False
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = os.fork()
        if child == 0:
            try:
                ask(theirs)
                os._exit(0)
            finally:
                os._exit(1)
        return os.waitpid(child, 0)[1] == 0


def ask(to: socket.socket) -> None:
    """From here on this process and its children ask before they change files; the listener goes `to` a socket."""
    machine = platform.machine()
    libc = ctypes.CDLL(None, use_errno=True)
    code = _program(_NUMBERS[machine], _AUDIT_ARCH[machine])
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    listener = libc.syscall(_SECCOMP[machine], _SET_FILTER, _NEW_LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    to.sendmsg([b"l"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
    os.close(listener)


class Listener:
    """Hears what the processes ask."""

    def __init__(self, from_: socket.socket) -> None:
        _, ancillary, _, _ = from_.recvmsg(1, socket.CMSG_LEN(4))
        if not ancillary:
            raise OSError("the process has ended before it asked")
        self.descriptor = int.from_bytes(ancillary[0][2][:4], "little")
        self._names = {number: name for name, number in _NUMBERS[platform.machine()].items()}
        self._poll = select.poll()
        self._poll.register(self.descriptor, select.POLLIN)

    def next(self, seconds: float) -> Call | None:
        """The next call that waits; None when the last process has ended. Raises TimeoutError."""
        while True:
            ready = self._poll.poll(seconds * 1000)
            if not ready:
                raise TimeoutError
            if not ready[0][1] & select.POLLIN:
                return None
            notice = bytearray(_NOTICE.size)
            try:
                fcntl.ioctl(self.descriptor, _RECEIVE, notice)
            except FileNotFoundError:
                continue  # it was killed meanwhile
            id_, process, _, number, _, _, *arguments = _NOTICE.unpack(notice)
            name = self._names[number]
            return Call(id_, process, name, tuple(_path(process, name, each, arguments) for each in _PATHS.get(name, (-1,))))

    def answer(self, call: Call, error: int = 0) -> None:
        """Let the call go on, or fail with an error number."""
        try:
            fcntl.ioctl(self.descriptor, _SEND, struct.pack("=QqiI", call.id, 0, -error, 0 if error else _GO_ON))
        except FileNotFoundError:
            return  # it was killed meanwhile

    def close(self) -> None:
        """Hear no more: whoever asks from here on gets ENOSYS."""
        os.close(self.descriptor)


def _program(numbers: dict[str, int], architecture: int) -> bytes:
    """The filter, in classic BPF: notify for the calls, of those that open only where they create or empty a file."""
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for name, number in numbers.items():
        if name in _OPENING:
            flags = 16 + 8 * _OPENING[name]
            steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, flags), (_ANY, 0, 1, _CREATING)]
            steps += [(_RETURN, 0, 0, _NOTIFY), (_RETURN, 0, 0, _ALLOW)]
        else:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _NOTIFY)]
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _ALLOW)])


def _path(process: int, name: str, which: int, arguments: list[int]) -> str:
    """What an argument of a waiting call names; empty for what cannot be read any more."""
    try:
        if which < 0:
            return os.fspath(Path(f"/proc/{process}/fd/{arguments[_FILES.get(name, 0)]}").readlink())
        path = _string(process, arguments[which])
        if path.startswith("/"):
            return path
        at = struct.unpack("=i", struct.pack("=Q", arguments[which - 1])[:4])[0] if name.endswith(("at", "at2")) else -100
        base = Path(f"/proc/{process}/cwd" if at == -100 else f"/proc/{process}/fd/{at}").readlink()
        return os.path.normpath(f"{base}/{path}")
    except OSError:
        return ""


def _string(process: int, address: int) -> str:
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - read at an address
        memory.seek(address)
        data = b""
        while b"\0" not in data and len(data) < 4096 and (more := memory.read(4096 - (address + len(data)) % 4096)):
            data += more
    return os.fsdecode(data.partition(b"\0")[0])
