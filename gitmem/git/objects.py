"""Writing objects: blobs, trees and commits by one `git fast-import`, whatever their number.

No work tree, index or branch is touched. What is written lies durably on the disk when `write_commits` returns. No ref leads
to it yet: unless one is pointed at it, git removes it one day.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from gitmem.errors import GitmemError
from gitmem.git.listing import TREE_MODE
from gitmem.git.repo import BlobRef, Entry, Repo

Content: TypeAlias = "bytes | BlobRef | None"
"""What a path is to hold: new content, content git has, or nothing (the path is removed)."""

DURABLE: Final = ("-c", "core.fsync=all")
_CRASHES: Final = "fast_import_crash_*"


class Draft(NamedTuple):
    """A commit to be written.

    It starts from the tree `root` (or from that of its first parent, or empty), then has the top-level entries `top` and the
    files `changes` put in place. A parent is an id, or `:n` for the n-th draft of the same call, counted from 1. `author` and
    `committer` are identity lines as git stores them: `Name <address> seconds +zone`.
    """

    message: str
    author: str
    committer: str
    parents: Sequence[str] = ()
    root: str | None = None
    top: Mapping[str, Entry | None] = MappingProxyType({})
    changes: Mapping[str, Content] = MappingProxyType({})


class Written(NamedTuple):
    """The ids of a written commit and of its tree."""

    commit: str
    tree: str


def write_commits(repo: Repo, drafts: Sequence[Draft]) -> list[Written]:
    """Write the drafts, in order. Raises GitmemError for a path that may not stand in a tree, or when git cannot write."""
    ref = f"refs/gitmem/tmp/{os.getpid()}-{os.urandom(4).hex()}"
    stream = _Stream(first_mark=len(drafts) + 1)
    for number, draft in enumerate(drafts, 1):
        stream.add_commit(ref, number, draft)
    # A branch that is deleted in the same run is never created: no ref appears even for a moment.
    stream.add(b"reset ", ref.encode(), b"\nfrom ", repo.zero_id().encode(), b"\n\n")
    stream.add(*(f'get-mark :{n}\nls :{n} ""\n'.encode() for n in range(1, len(drafts) + 1)), b"done\n")
    before = {*repo.git_dir.glob(_CRASHES)}
    try:
        out = repo.run(*DURABLE, "fast-import", "--quiet", "--done", "--date-format=raw", input=stream.joined())
    except GitmemError:
        # A report says no more than the error does, and nobody would remove it.
        for report in {*repo.git_dir.glob(_CRASHES)} - before:
            report.unlink(missing_ok=True)
        raise
    answers = out.decode().splitlines()
    return [Written(commit, tree.split()[2]) for commit, tree in zip(answers[::2], answers[1::2], strict=True)]


def check_path(path: str) -> None:
    """Raise GitmemError unless `path` may stand in a tree and be checked out (git's verify_path, which fast-import lacks)."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise GitmemError(f"{path[:200]!r} is no path for a file in a repository", "remove that file: `gitmem doctor`")


class _Stream:
    """The input of fast-import, see git-fast-import(1). Equal content is sent once."""

    def __init__(self, first_mark: int) -> None:
        self.parts: list[bytes] = []
        self.blobs: dict[bytes, int] = {}
        self.next_mark = first_mark

    def add(self, *parts: bytes) -> None:
        self.parts += parts

    def joined(self) -> bytes:
        return b"".join(self.parts)

    def add_commit(self, ref: str, mark: int, draft: Draft) -> None:
        lines = [self._change(path, content) for path, content in draft.changes.items()]
        # The reset forgets the commit before, which would otherwise become the parent.
        self.add(f"reset {ref}\n\ncommit {ref}\nmark :{mark}\n".encode())
        self.add(f"author {draft.author}\ncommitter {draft.committer}\n".encode("utf-8", "surrogateescape"))
        self._data(draft.message.encode("utf-8", "surrogateescape"))
        for position, parent in enumerate(draft.parents):
            self.add(f"{'merge' if position else 'from'} {parent}\n".encode())
        if draft.root:
            self.add(f'M {TREE_MODE} {draft.root} ""\n'.encode())
        for name, entry in draft.top.items():
            self.add(_line(name, entry))
        self.add(*lines, b"\n")

    def _change(self, path: str, content: Content) -> bytes:
        check_path(path)
        if isinstance(content, bytes):
            return _line(path, Entry("100644", f":{self._blob(content)}"))
        return _line(path, Entry(content.mode, content.id) if content else None)

    def _blob(self, content: bytes) -> int:
        mark = self.blobs.get(content)
        if mark is None:
            mark = self.blobs[content] = self.next_mark
            self.next_mark += 1
            self.add(f"blob\nmark :{mark}\n".encode())
            self._data(content)
        return mark

    def _data(self, data: bytes) -> None:
        self.add(b"data %d\n" % len(data), data, b"\n")


def _line(path: str, entry: Entry | None) -> bytes:
    quoted = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'D "%b"\n' % quoted if entry is None else b'M %b %b "%b"\n' % (entry.mode.encode(), entry.id.encode(), quoted)
