"""Objects read through one `git cat-file` that stays, whatever the number of questions: a process costs more than most answers.

It waits between two questions and ends with its reader, or with this process. It looks for new packs by itself, and in a
partial clone it fetches what is missing. A removed pack stays readable to it until `close`.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process

if TYPE_CHECKING:
    import subprocess

_FEED: Final = 200  # questions sent ahead: 15 kB at most, so that a write to the pipe never blocks while git writes to us


class Found(NamedTuple):
    """An object: its id, its type (`blob`, `tree`, …), and its content as far as it was asked for."""

    id: str
    type: str
    data: bytes


_ENDED: Final = Found("", "", b"")
"""The answer of a git that has ended instead."""


class _Idle(NamedTuple):
    """A git that waits for questions, the process that started it (a forked copy must not use its parent's pipes), and the
    repository that it has open, which a restored backup may have taken the place of.
    """

    owner: int
    child: subprocess.Popen[bytes]
    place: tuple[int, ...]


class Reader:
    """Reads the objects of the repository at `root`; `env` is what git's environment has more than ours."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self._root = root
        self._env = env
        self._idle: list[_Idle] = []
        weakref.finalize(self, _end_all, self._idle)

    def read(self, names: Iterable[str], limit: int | None = None) -> Iterator[Found | None]:
        """What each name (an id, or any other revision) stands for, in order; None for what is not there or unreadable.

        At most `limit` + 1 bytes of each are kept. Another reading may begin before this one is at its end.
        Raises NoStore where git does not read this repository at all.
        """
        rest = iter(names)
        while some := list(islice(rest, _FEED)):
            yield from self._read(some, limit)

    def close(self) -> None:
        """End the git that waits, if there is one. A later reading starts another."""
        _end_all(self._idle)

    def _read(self, names: list[str], limit: int | None) -> Iterator[Found | None]:
        while names:
            answered = yield from self._read_of_one(names, limit)
            if not answered:  # it ended at the first question: this is what it cannot read
                yield None
            names = names[max(answered, 1) :]

    def _read_of_one(self, names: list[str], limit: int | None) -> Generator[Found | None, None, int]:
        """Read as far as one git answers, and return how many it answered: it ends at a damaged object, or is ended."""
        place = _place(self._root)  # before git opens what lies there
        child, header = self._ask(names, place)
        answered = 0
        try:
            while (answer := _answer(child, header, limit)) is not _ENDED:
                answered += 1
                if answered == len(names):
                    break
                yield answer
                header = _next_line(child)
        except BaseException:  # the reading was given up: answers to it would be taken for others
            _end(child)
            raise
        if answer is _ENDED:
            _end(child)
            return answered
        self._keep(child, place)
        yield answer
        return answered

    def _keep(self, child: subprocess.Popen[bytes], place: tuple[int, ...]) -> None:
        """Keep a git that has answered everything for the next question."""
        if self._idle:
            _end(child)
        else:
            self._idle.append(_Idle(os.getpid(), child, place))

    def _ask(self, names: list[str], here: tuple[int, ...]) -> tuple[subprocess.Popen[bytes], bytes]:
        """The git that was asked for these, and the first line of what it answers."""
        asked = b"".join(_question(name) for name in names)
        while self._idle:
            owner, child, place = self._idle.pop()
            if owner != os.getpid():
                _forget(child)
            elif place == here and (line := _send(child, asked)):
                return child, line
            else:
                _end(child)  # or it was ended while it waited: Ctrl-C reaches it as well
        return self._ask_new(asked)

    def _ask_new(self, asked: bytes) -> tuple[subprocess.Popen[bytes], bytes]:
        import subprocess

        process.require_git()
        child = process.start(("cat-file", "--batch"), self._root, env=self._env, stderr=subprocess.DEVNULL)
        line = _send(child, asked)
        if not line and (refusal := self._refusal()):
            _end(child)
            raise refusal
        return child, line

    def _refusal(self) -> GitmemError | None:
        """What keeps git from reading here, if it is no single object."""
        args = ("rev-parse", "--git-dir")
        done = process.call(args, self._root, env=self._env)
        return process.failure(args, self._root, done) if done.code else None


def _place(root: Path) -> tuple[int, ...]:
    """Which directories lie at `root` that git has open once it has read there, by their inodes."""
    found = []
    for name in ("", ".git", ".git/objects", "objects"):
        with suppress(OSError):
            found.append(os.stat(root / name).st_ino)  # noqa: PTH116 (asked for each question: pathlib takes twice as long)
    return tuple(found)


def _question(name: str) -> bytes:
    if "\n" in name:
        raise GitmemError(f"no object is called {name[:200]!r}", "`gitmem doctor` checks the store")
    return os.fsencode(name) + b"\n"


def _send(child: subprocess.Popen[bytes], asked: bytes) -> bytes:
    """Ask, and read the first line of the answer; nothing if the child has ended."""
    stdin = child.stdin
    assert stdin  # noqa: S101 (a pipe: `start` made it)
    try:
        with suppress(BrokenPipeError):
            stdin.write(asked)
            stdin.flush()
            return _next_line(child)
    except BaseException:
        _end(child)
        raise
    return b""


def _next_line(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout  # noqa: S101
    return child.stdout.readline()


def _answer(child: subprocess.Popen[bytes], header: bytes, limit: int | None) -> Found | None:
    """One object after its header, `id type size`; a name that stands for none is repeated with `missing` or `ambiguous`."""
    words = header.split()
    if not header:
        return _ENDED
    if len(words) != 3 or not words[2].isdigit():
        return None
    assert child.stdout  # noqa: S101
    data = _content(child.stdout, int(words[2]), limit)
    return _ENDED if data is None else Found(words[0].decode(), words[1].decode(), data)


def _content(stream: IO[bytes], size: int, limit: int | None) -> bytes | None:
    """Read one object and the newline behind it, without holding in memory what exceeds the limit; None if it is cut off."""
    wanted = size if limit is None else min(size, limit + 1)
    data = stream.read(wanted)
    left = size - len(data) + 1
    while left > 0 and (skipped := stream.read(min(left, 1 << 20))):
        left -= len(skipped)
    return None if left else data


def _end_all(idle: list[_Idle]) -> None:
    while idle:
        owner, child, _ = idle.pop()
        (_end if owner == os.getpid() else _forget)(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it at once. The end of its input alone would not do: a forked copy of this process may hold that open."""
    _close_pipes(child)
    child.terminate()
    child.wait()


def _forget(child: subprocess.Popen[bytes]) -> None:
    """Let go of the child of the process that we were forked from, which goes on using it."""
    _close_pipes(child)
    child.returncode = 0


def _close_pipes(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with suppress(BrokenPipeError):  # it has ended, and a question was not sent yet
                pipe.close()
