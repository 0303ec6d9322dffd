"""git bundles (gitformat-bundle(5)) as streams: written for one commit and read back without a file between.

`git bundle create` names refs, which may move while it works, and `git bundle verify` reads no pack. So the header is written
and read here, and the pack goes to and from git's own `pack-objects` and `index-pack`, which checks every object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final

from gitmem.errors import NoRoom, Tampered
from gitmem.git import process
from gitmem.git.objects import DURABLE
from gitmem.git.repo import Repo

if TYPE_CHECKING:
    import subprocess

_MAX_HEADER: Final = 64 << 10
_HEADER: Final = re.compile(rb"# v[23] git bundle\n((?:@[^\n]*\n)*)((?:-[^\n]*\n)*)((?:[0-9a-f]{40,64} [^\n]+\n)+)\n")
_REFUSED: Final = "`gitmem backup verify` shows what else is wrong"


@contextmanager
def reading(repo: Repo, commit: str, base: str, branch: str) -> Iterator[Stream]:
    """A bundle of all that `commit` reaches and `base` (empty: nothing) does not, as a stream to read to its end.

    It holds `branch` (its full name) and HEAD. Raises GitmemError when git cannot make it.
    """
    args = ("-c", "pack.writeBitmaps=false", "pack-objects", "--stdout", "--revs", "--thin", "--delta-base-offset", "-q")
    child = process.start(args, repo.root)
    try:
        _fed(child.stdin, f"{commit}\n^{base}\n" if base else f"{commit}\n")
        yield Stream(_header(commit, base, branch), child.stdout)
        err = child.stderr.read() if child.stderr else b""
        if child.wait():
            raise process.failure(args, repo.root, process.Done(child.returncode, b"", process.readable(err)))
    finally:
        _end(child)


class Unpacker:
    """Takes a bundle piece by piece and puts its objects into a repository. Use it as a context manager.

    `commit` is the one that the bundle must hold; no ref is moved. Raises Tampered for anything that is no sound bundle of it.
    """

    def __init__(self, repo: Repo, commit: str, what: str) -> None:
        self._repo = repo
        self._commit = commit
        self._what = what
        self._head: bytes | None = b""
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Unpacker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._child is not None:
                _end(self._child)

    def write(self, data: bytes, /) -> int:
        """Take the next piece; its length."""
        rest = bytes(data)
        if self._head is not None:
            self._head += rest
            end = self._head.find(b"\n\n")
            if end < 0 and len(self._head) > _MAX_HEADER:
                raise self._damaged("it does not begin like a bundle")
            if end < 0:
                return len(data)
            self._check(self._head[: end + 2])
            rest, self._head = self._head[end + 2 :], None
            self._child = process.start((*DURABLE, "index-pack", "--stdin", "--fix-thin", "--strict"), self._repo.root)
        self._pass_on(rest)
        return len(data)

    def flush(self) -> None:
        """Let git have what was taken."""

    def _check(self, header: bytes) -> None:
        found = _HEADER.fullmatch(header)
        tips = {line.split(b" ")[0].decode() for line in found[3].splitlines()} if found else set()
        if tips != {self._commit}:
            raise self._damaged("it does not begin like a bundle of what its manifest names")

    def _pass_on(self, data: bytes) -> None:
        with suppress(BrokenPipeError):  # git has seen enough, and says why when it is asked for its end
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.write(data)

    def _finish(self) -> None:
        if self._child is None:
            raise self._damaged("it is cut off")
        _, err = self._child.communicate()
        said = process.readable(err)
        if process.full(said):
            raise NoRoom(
                f"{self._what} cannot be unpacked: no space is left on the disk", "free some space and run the command again"
            )
        if self._child.returncode:
            raise self._damaged(process.reason(said) or f"git ended with {self._child.returncode}")
        if self._repo.resolve(self._commit) is None:
            raise self._damaged(f"it does not hold the commit {self._commit[:12]}")

    def _damaged(self, why: str) -> Tampered:
        return Tampered(f"{self._what} cannot be unpacked: {why}", _REFUSED)


def empty_repository(place: Path, like: str) -> Repo:
    """A new, bare repository at `place` whose ids are of the kind of `like`."""
    kind = "sha256" if len(like) == 64 else "sha1"
    args = ("init", "--quiet", "--bare", f"--object-format={kind}", str(place))
    done = process.call(args, place.parent)
    if done.code:
        raise process.failure(args, place.parent, done)
    return Repo(place, place, place)


def fsck(repo: Repo) -> str | None:
    """What `git fsck --strict` finds wrong in all that is there, in its words; None for nothing."""
    done = repo.call("fsck", "--strict", "--full", "--no-dangling", "--no-progress")
    return None if done.code == 0 else process.reason(done.err + process.readable(done.out)) or f"exit code {done.code}"


def independent(repo: Repo, commits: Sequence[str]) -> list[str]:
    """Those of some commits that no other of them reaches."""
    if len(commits) < 2:
        return [*commits]
    return repo.run("merge-base", "--independent", *commits).decode().split()


class Stream:
    """Some bytes, and then those of another stream."""

    def __init__(self, first: bytes, rest: IO[bytes] | None) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._first:
            data, self._first = (self._first, b"") if size < 0 else (self._first[:size], self._first[size:])
            return data
        return self._rest.read(size) if self._rest else b""


def _header(commit: str, base: str, branch: str) -> bytes:
    version = "# v3 git bundle\n@object-format=sha256\n" if len(commit) == 64 else "# v2 git bundle\n"
    needs = f"-{base} the backup before\n" if base else ""
    return f"{version}{needs}{commit} {branch}\n{commit} HEAD\n\n".encode("utf-8", "surrogateescape")


def _fed(pipe: IO[bytes] | None, text: str) -> None:
    """Write all that a command is to read."""
    if pipe is not None:
        with suppress(BrokenPipeError):  # it says why itself
            pipe.write(text.encode())
            pipe.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    child.wait()
